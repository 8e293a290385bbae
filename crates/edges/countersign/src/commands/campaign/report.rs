use campaign::CampaignName;
use campaigns::{
    CampaignReport, StatementCounts, UnsettledPeople, UnsettledPerson, report_campaign,
};

use super::{super::CommandFailure, desk::CampaignDesk, view::COULD_NOT_CHECK};
use crate::{
    output::{Done, Sheet, grouped},
    wiring,
};

pub(super) async fn run(
    desk: &CampaignDesk<'_>,
    name: &CampaignName,
) -> Result<Done, CommandFailure> {
    see_resets(desk, name).await?;
    let report = report_campaign(&desk.instance, name.as_str()).await?;
    desk.context.output.result("countersign.campaign_report/1", &report, for_people)?;
    Ok(Done::whole_if(report.is_certain()))
}

/// The same counts, for strangers.
pub(super) async fn publish(
    desk: &CampaignDesk<'_>,
    name: &CampaignName,
) -> Result<Done, CommandFailure> {
    see_resets(desk, name).await?;
    let counts = campaigns::publish_statement(&desk.instance, name.as_str()).await?;
    desk.context.output.result("countersign.statement/1", &counts, statement)?;
    Ok(Done::Whole)
}

/// Whom the campaign must not leave as they are.
pub(super) async fn unsettled(
    desk: &CampaignDesk<'_>,
    name: &CampaignName,
) -> Result<Done, CommandFailure> {
    let people = campaigns::unsettled_people(&desk.instance, name.as_str()).await?;
    desk.context.output.result("countersign.campaign_unsettled/1", &people, listed)?;
    let is_nobody = people.sealing + people.untold == 0 && people.unreached.is_empty();
    Ok(Done::whole_if(is_nobody))
}

fn listed(people: &UnsettledPeople) -> String {
    let mut sheet = Sheet::default();
    sheet.row("sealing begun, end unknown", grouped(people.sealing));
    sheet.row("sealed and not told", grouped(people.untold));
    let listed = people.accounts.len() as u64;
    sheet.part("not listed below", (people.sealing + people.untold).saturating_sub(listed));
    for UnsettledPerson { account, state, notice } in
        people.accounts.iter().chain(&people.unreached)
    {
        let notice = notice.map_or_else(|| "not written".to_owned(), |state| state.to_string());
        sheet.row(format!("account {account}"), format!("{state}, notice {notice}"));
    }
    sheet.to_string()
}

/// Who has chosen a new password is looked up first, so that counts are of now.
async fn see_resets(desk: &CampaignDesk<'_>, name: &CampaignName) -> Result<(), CommandFailure> {
    let directory = wiring::directory(desk.config).await?;
    let verifier = wiring::verifier(desk.config)?;
    campaigns::watch_resets(&desk.instance, &*directory, &verifier, name.as_str()).await?;
    Ok(())
}

fn statement(counts: &StatementCounts) -> String {
    let mut sheet = Sheet::default();
    for (leak, date) in &counts.leaks {
        sheet.row("leak", format!("{leak}, {date}"));
    }
    sheet.row("passwords switched off", grouped(counts.sealed));
    sheet.row("  new password since", grouped(counts.reset_since));
    sheet.part("perhaps switched off", counts.perhaps_sealed);
    sheet.row("left alone", grouped(counts.skipped));
    sheet.row("mails taken", grouped(counts.sent));
    sheet.part("refused", counts.refused);
    sheet.part("uncertain", counts.uncertain);
    sheet.to_string()
}

fn for_people(report: &CampaignReport) -> String {
    let mut sheet = Sheet::default();
    sheet.row("campaign", &report.name).row("state", report.state);
    if report.rehearsal {
        sheet.row("kind", "a rehearsal, not a site's own campaign");
    }
    if let (Some(from), Some(to)) = (report.from, report.to) {
        sheet.row("from", from).row("to", to);
    }
    for (reason, count) in &report.left_out {
        sheet.row(format!("left out of the plan, {reason}"), grouped(*count));
    }
    sheet.part(COULD_NOT_CHECK, report.not_checked);
    sheet.row("accounts targeted", grouped(report.targeted));
    sheet.part("not touched yet", report.pending);
    sheet.part("being sealed", report.sealing);
    for (reason, count) in &report.skipped {
        sheet.part(format!("left alone, {reason}"), *count);
    }
    sheet.row("  sealed", grouped(report.sealed));
    sheet.row("    reset since", grouped(report.reset_since));
    sheet.part("    to the leaked password again", report.reused);
    sheet.part("    to one that cannot be compared", report.reset_unjudged);
    sheet.part("  whose notice was refused", report.sealed_unreached);
    sheet.part("  not told yet (countersign campaign unsettled)", report.untold);
    sheet.part("perhaps sealed: another password stood there first", report.perhaps_sealed);
    sheet.part(
        "sealed, and the old password works again: the site has put it back",
        report.put_back,
    );
    for (kind, count) in &report.disagreements {
        sheet.part(format!("site's table, when it was last compared: {kind}"), *count);
    }
    sheet.row("addresses", grouped(report.addresses));
    for (state, count) in &report.notices {
        sheet.part(format!("notices {state}"), *count);
    }
    sheet.part("notices that their recipients dispute", report.disputed);
    sheet.row("entries of the log", grouped(report.log_entries));
    sheet.to_string()
}
