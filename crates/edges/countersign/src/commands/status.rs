use campaigns::CampaignView;
use outbox::PausedSending;
use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    output::{Done, Sheet, grouped},
    wiring,
};

#[derive(Serialize)]
struct InstanceStatus {
    /// Why nobody is told now; none while everybody is.
    sending_paused: Option<PausedSending>,
    campaigns: Vec<CampaignView>,
}

/// What an operator wants to know first: who is not told, and how far everything is.
pub(super) async fn run(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let instance = wiring::instance(&context.config()?).await?;
    let status = InstanceStatus {
        sending_paused: outbox::paused_sending(&instance).await?,
        campaigns: campaigns::campaigns(&instance).await?,
    };
    context.output.result("countersign.status/1", &status, for_people)?;
    Ok(Done::Whole)
}

fn for_people(status: &InstanceStatus) -> String {
    let mut sheet = Sheet::default();
    match &status.sending_paused {
        None => drop(sheet.row("sending", "goes on")),
        Some(pause) => show_pause(&mut sheet, pause),
    }
    for view in &status.campaigns {
        let untold = grouped(view.sealed_untold);
        sheet.row(&view.name, format!("{}, {untold} sealed and not told yet", view.state));
    }
    sheet.to_string()
}

/// Since when nobody is told, why, and what to look at.
pub(super) fn show_pause(sheet: &mut Sheet, pause: &PausedSending) {
    let PausedSending { since, tried_again_at, answer, remedy, .. } = pause;
    sheet.row("sending", format!("paused since {since}, tried again at {tried_again_at}"));
    sheet.row("  the relay", answer).row("  what to do", remedy);
}
