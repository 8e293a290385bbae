mod sign;

use super::{Context, Failure};
use crate::{cli::CampaignCommand, output::Done};

pub(super) fn run(context: &Context<'_>, command: &CampaignCommand) -> Result<Done, Failure> {
    match command {
        CampaignCommand::Sign { plan, key, out } => sign::run(context, plan, key, out),
    }
}
