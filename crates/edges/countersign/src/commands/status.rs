use std::collections::BTreeMap;

use authority::Roster;
use campaign::HaltReason;
use campaigns::{CampaignView, ReconciliationView, StandingStill};
use exposure::{ExposureCounts, LeakError, NotChecked};
use instance::{Instance, RosterStateError};
use model::LeakName;
use outbox::PausedSending;
use password::{FormId, HashShape};
use recoveries::WaitingRequests;
use serde::Serialize;

use super::{
    CommandContext, CommandFailure, judged::ONCE_MORE, reconcile::show_last, sending::SendingAnswer,
};
use crate::{
    config::Config,
    output::{Done, Sheet, grouped},
    wiring::{self, WiringError},
};

#[derive(Serialize)]
struct InstanceStatus {
    /// Whether this host may send at all.
    sending: SendingAnswer,
    /// Why nobody is told now; none while everybody is.
    sending_paused: Option<PausedSending>,
    /// Mails that people have asked for and that nobody has looked at yet.
    requests: WaitingRequests,
    /// When the site's table was last compared with what is kept, and what was found.
    reconciliation: ReconciliationView,
    /// Accounts of which nobody knows whether they are exposed.
    not_checked: NotChecked,
    /// Leaks whose "not exposed" was said in a form that nobody has proved, or in others than today's.
    doubtful: BTreeMap<LeakName, DoubtfulLeak>,
    /// Why that cannot be told: the forms of the configuration cannot be read.
    forms_unreadable: Option<String>,
    campaigns: Vec<CampaignView>,
    /// Campaigns that stand still since their plan is not signed by those who may, and why not.
    not_signed: BTreeMap<String, String>,
    /// Campaigns that run, and for whose people nothing is done.
    standing_still: Vec<StandingStill>,
    /// What of this is not to be believed: rows that are not as the audit log says.
    not_as_logged: Vec<String>,
}

/// How many accounts of a leak were said not to be exposed in a form that may be wrong.
#[derive(Serialize)]
struct DoubtfulLeak {
    without_proof: BTreeMap<HashShape, u64>,
    in_other_forms: u64,
}

/// What an operator wants to know first: who is not told, and how far everything is.
pub(super) async fn run(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let instance = wiring::instance(&config).await?;
    let roster = roster(&config, &instance).await?;
    let forms = wiring::verifier(&config);
    let standstill_after = config.settings.worker.standstill_after.get();
    let status = InstanceStatus {
        sending: sending(&config, &instance, &roster).await?,
        not_signed: not_signed(&instance, &roster).await?,
        standing_still: campaigns::standing_still(&instance, standstill_after).await?,
        sending_paused: outbox::paused_sending(&instance).await?,
        requests: recoveries::waiting_requests(&instance, standstill_after).await?,
        reconciliation: campaigns::last_reconciliation(&instance).await?,
        not_checked: exposure::not_checked(&instance).await?,
        doubtful: match &forms {
            Ok(verifier) => doubtful(&instance, verifier.forms_id()).await?,
            Err(_) => BTreeMap::new(),
        },
        forms_unreadable: forms.err().map(|error| error.to_string()),
        campaigns: campaigns::campaigns(&instance).await?,
        not_as_logged: not_as_logged(&instance).await?,
    };
    context.output.result("countersign.status/1", &status, for_people)?;
    let is_whole = status.not_as_logged.is_empty()
        && status.not_signed.is_empty()
        && status.standing_still.is_empty()
        && !status.sending.is_held_up()
        && !(status.requests.is_late && status.sending_paused.is_none())
        && !status.campaigns.iter().any(is_contradicted);
    Ok(if is_whole { Done::Whole } else { Done::Refused })
}

/// Whether a row of it was not as the audit log says.
fn is_contradicted(view: &CampaignView) -> bool {
    view.halted_because == Some(HaltReason::Contradicted)
}

async fn doubtful(
    instance: &Instance,
    named: FormId,
) -> Result<BTreeMap<LeakName, DoubtfulLeak>, CommandFailure> {
    let leaks = match exposure::leaks(instance, named).await {
        // A row that is not as the log says is told of by itself.
        Err(LeakError::Fault(fault)) if fault.is_refusal() => Vec::new(),
        leaks => leaks?,
    };
    let leaks = leaks.into_iter().map(|leak| {
        let ExposureCounts { without_proof, in_other_forms, .. } = leak.counts;
        (leak.name, DoubtfulLeak { without_proof, in_other_forms })
    });
    Ok(leaks
        .filter(|(_, leak)| leak.in_other_forms > 0 || !leak.without_proof.is_empty())
        .collect())
}

/// Rows that are not as the audit log says, in words.
pub(super) async fn not_as_logged(instance: &Instance) -> Result<Vec<String>, CommandFailure> {
    let found = campaigns::contradictions(instance).await?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// Who may sign, or why that cannot be told. How far everything is can be told all the same.
type FoundRoster = Result<Roster, WiringError>;

async fn roster(config: &Config, instance: &Instance) -> Result<FoundRoster, CommandFailure> {
    match wiring::roster(config, instance).await {
        Err(WiringError::Roster(RosterStateError::Fault(error))) => Err(error.into()),
        found => Ok(found),
    }
}

/// A roster that does not hold lets nobody send.
async fn sending(
    config: &Config,
    instance: &Instance,
    roster: &FoundRoster,
) -> Result<SendingAnswer, CommandFailure> {
    match roster {
        Ok(roster) => SendingAnswer::of(config, instance, roster).await,
        Err(why) => Ok(SendingAnswer::no(why)),
    }
}

async fn not_signed(
    instance: &Instance,
    roster: &FoundRoster,
) -> Result<BTreeMap<String, String>, CommandFailure> {
    let Ok(roster) = roster else { return Ok(BTreeMap::new()) };
    let unsigned = campaigns::unsigned_campaigns(instance, roster).await?;
    Ok(unsigned.into_iter().map(|(name, why)| (name, why.to_string())).collect())
}

fn for_people(status: &InstanceStatus) -> String {
    let mut sheet = Sheet::default();
    for found in &status.not_as_logged {
        sheet.row("NOT AS LOGGED", found);
    }
    for StandingStill { name, since } in &status.standing_still {
        let why = "it runs, and nothing was done for its people since";
        sheet.row(
            "STANDS STILL",
            format!("{name}: {why} {since}: is a worker running, and what does it log?"),
        );
    }
    let SendingAnswer { armed, reason, remedy, .. } = &status.sending;
    if let Some(reason) = reason {
        sheet.row("sending", format!("nothing can be sent from this host: {reason}"));
    }
    if let Some(remedy) = remedy {
        sheet.row("  what to do", remedy);
    }
    show_not_signed(&mut sheet, &status.not_signed);
    match &status.sending_paused {
        None if !status.not_signed.is_empty() => {}
        None if *armed => drop(sheet.row("sending", "goes on")),
        None => {}
        Some(pause) => show_pause(&mut sheet, pause),
    }
    show_requests(&mut sheet, status.requests);
    show_last(&mut sheet, &status.reconciliation);
    show_not_checked(&mut sheet, &status.not_checked);
    if let Some(error) = &status.forms_unreadable {
        sheet.row("forms", error);
    }
    show_doubtful(&mut sheet, &status.doubtful);
    for view in &status.campaigns {
        let untold = grouped(view.sealed_untold);
        sheet.row(&view.name, format!("{}, {untold} sealed and not told yet", view.state));
        if is_contradicted(view) {
            sheet.row("  HALTED", "a row was not as the audit log says: workers have logged which");
        }
    }
    sheet.to_string()
}

fn show_requests(sheet: &mut Sheet, requests: WaitingRequests) {
    let WaitingRequests { waiting, since: Some(since), is_late } = requests else { return };
    let name = if is_late { "REQUESTS WAIT" } else { "requests" };
    let waiting = grouped(waiting);
    sheet.row(name, format!("{waiting} mails that people have asked for, the first since {since}"));
    if is_late {
        sheet.row("  what to do", "is a worker running, and what does it log?");
    }
}

/// A campaign stands still from the moment on at which one of those who signed may not any more.
fn show_not_signed(sheet: &mut Sheet, not_signed: &BTreeMap<String, String>) {
    for (name, why) in not_signed {
        sheet.row("NOT SIGNED", format!("{name} stands still: {why}"));
        let way_on =
            format!("`countersign campaign halt {name}`, freeze it again, and have it signed");
        sheet.row("  what to do", way_on);
    }
}

/// Whoever is in a leak with a hash that cannot be tried is neither exposed nor cleared.
fn show_not_checked(sheet: &mut Sheet, not_checked: &NotChecked) {
    for leak in &not_checked.partly_read {
        let why = "could not be read as a whole, so nobody is told that nothing was found";
        sheet.row("could not check", format!("the leak {leak} {why}"));
        let how = format!(
            "`countersign leak show {leak}` says why; read a whole copy of it, and remove this"
        );
        sheet.row("  what to do", how);
    }
    if not_checked.accounts == 0 {
        return;
    }
    let why = "accounts stand in a leak, and their password could not be tried";
    sheet.row("could not check", format!("{} {why}", grouped(not_checked.accounts)));
    for (leak, accounts) in &not_checked.by_leak {
        sheet.part(leak, *accounts);
    }
    sheet.row("  what to do", "`countersign leak show LEAK --output FILE` lists them");
}

/// In a wrong form nobody is exposed.
fn show_doubtful(sheet: &mut Sheet, doubtful: &BTreeMap<LeakName, DoubtfulLeak>) {
    for (name, leak) in doubtful {
        if leak.in_other_forms > 0 {
            let why = "\"not exposed\" was said before `directory.hash` was changed";
            sheet.row(
                "in other forms",
                format!("{name}, {} accounts: {why}", grouped(leak.in_other_forms)),
            );
            sheet.row("  what to do", ONCE_MORE);
        }
        for (shape, accounts) in &leak.without_proof {
            let why = "\"not exposed\" was said in a form that nobody has proved";
            sheet.row(
                "without proof",
                format!("{name}, {} accounts {shape}: {why}", grouped(*accounts)),
            );
        }
    }
    if doubtful.values().any(|leak| !leak.without_proof.is_empty()) {
        sheet.row("  what to do", "`countersign verify calibrate` proves it");
    }
}

/// Since when nobody is told, why, and what to look at.
pub(super) fn show_pause(sheet: &mut Sheet, pause: &PausedSending) {
    let PausedSending { since, tried_again_at, answer, remedy, .. } = pause;
    sheet.row("sending", format!("paused since {since}, tried again at {tried_again_at}"));
    sheet.row("  the relay", answer).row("  what to do", remedy);
}
