//! What is left to be done, for a worker that ends once there is nothing.

use std::collections::BTreeSet;

use campaigns::is_anything_under_way;
use instance::Instance;
use recoveries::is_request_left;

use crate::{WorkError, resting::WorkPart};

/// Whether anything is under way, or anybody waits, but for what a rule has refused.
pub(crate) async fn is_anything_left(
    instance: &Instance,
    refused: &BTreeSet<WorkPart>,
) -> Result<bool, WorkError> {
    let campaigns = refused.iter().filter_map(WorkPart::campaign).collect();
    if is_anything_under_way(instance, &campaigns).await? {
        return Ok(true);
    }
    Ok(!refused.contains(&WorkPart::Requests) && is_request_left(instance).await?)
}
