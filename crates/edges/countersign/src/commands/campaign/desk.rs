use instance::Instance;

use crate::{commands::CommandContext, config::Config};

/// What every command about a stored campaign needs.
pub(super) struct CampaignDesk<'a> {
    pub(super) context: &'a CommandContext<'a>,
    pub(super) config: &'a Config,
    pub(super) instance: Instance,
}
