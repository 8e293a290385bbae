use campaigns::{
    DisagreeingAccount, ReconcileOutcome, Reconciled, ReconciliationView, Reconciling,
    Thoroughness, reconcile,
};
use model::Discrepancy;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::Reconcile,
    output::{Done, Sheet, grouped},
    wiring,
};

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Reconcile,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let instance = wiring::instance(&config).await?;
    let directory = wiring::directory(&config).await?;
    let verifier = wiring::verifier(&config)?;
    let progress = context.progress();
    let means = Reconciling {
        instance: &instance,
        directory: &*directory,
        verifier: &verifier,
        progress: &*progress,
    };
    let thoroughness = Thoroughness {
        tries_max: arguments.tries,
        listed_max: if arguments.list { Thoroughness::default().listed_max } else { 0 },
    };
    let outcome = reconcile(&means, thoroughness).await?;
    wiring::remember(&config, &instance).await?;
    context.output.result("countersign.reconcile/1", &outcome, for_people)?;
    Ok(Done::whole_if(outcome.result.agrees()))
}

fn for_people(outcome: &ReconcileOutcome) -> String {
    let mut sheet = Sheet::default();
    let Reconciled { accounts, tried, not_tried, halted, .. } = &outcome.result;
    sheet.row("accounts read", grouped(*accounts));
    show(&mut sheet, &outcome.result);
    sheet.part("of unknown passwords, tried for a value of ours", *tried);
    sheet.part("of unknown passwords, not tried (`--tries`)", *not_tried);
    for name in halted {
        sheet.row("campaign halted", name);
    }
    for DisagreeingAccount { account, kind, campaign, repaired } in &outcome.list {
        let campaign = campaign.as_ref().map(|name| format!(", campaign {name}"));
        let repaired = if *repaired { ", put right" } else { "" };
        let value = format!("{kind}{}{repaired}", campaign.unwrap_or_default());
        sheet.row(format!("account {account}"), value);
    }
    sheet.to_string()
}

/// What was found of each kind, and what to do about it.
fn show(sheet: &mut Sheet, result: &Reconciled) {
    if result.agrees() {
        sheet.row("they disagree with what is kept", "none: all agree");
    }
    if result.unjudged > 0 {
        sheet.row(UNJUDGED, grouped(result.unjudged)).row("  what to do", JUDGE);
    }
    for (kind, count) in &result.found {
        sheet.row(title(*kind), grouped(*count)).row("  what to do", remedy(*kind));
    }
    sheet.part("put right just now", result.repaired);
}

const UNJUDGED: &str = "may hold a value of ours: steps are lost, and no key here recognises it";

const JUDGE: &str = "if the instance key was rotated since the backup, let this store rotate to the same \
                     key (`countersign key rotate --new-key`), and compare again; if some were not \
                     tried, compare with a greater `--tries`. If neither, these people have chosen \
                     another password themselves";

const fn title(kind: Discrepancy) -> &'static str {
    match kind {
        Discrepancy::FoundSealed => "found_sealed: hold a value of ours that was given up",
        Discrepancy::Misplaced => "misplaced: hold a value of ours made for another account",
        Discrepancy::Unrecorded => "unrecorded: hold a value of ours that nothing here tells of",
        Discrepancy::PutBack => "put_back: hold the password again that was taken out of use",
        Discrepancy::Untold => "untold: are sealed, or may be, and nobody tells them",
    }
}

const fn remedy(kind: Discrepancy) -> &'static str {
    match kind {
        Discrepancy::FoundSealed => {
            "those put right count as sealed from now on: `campaign finish` (or `freeze`), have it \
             signed and `resume` it, so that they are told; tell the others by hand"
        }
        Discrepancy::Misplaced => {
            "somebody has copied hashes within the site's table: find out who, and let these \
             people set a new password; nobody can sign in to these accounts"
        }
        Discrepancy::Unrecorded => {
            "this store is older than what was done: it was restored from a copy. Find the newer \
             store; if it is lost, tell these people by hand if mails did not reach them, since \
             no campaign takes them up"
        }
        Discrepancy::PutBack => {
            "the site's table was restored: the leaked passwords work again. Draft another \
             campaign about these leaks, or add the leak again where its secrets are destroyed"
        }
        Discrepancy::Untold => {
            "`campaign unsettled` lists them: `campaign finish` (or `freeze`), have it signed and \
             `resume` it; while sending pauses, see to the relay"
        }
    }
}

/// When the table was last compared, and what was found, in some lines.
pub(super) fn show_last(sheet: &mut Sheet, last: &ReconciliationView) {
    if let Some(failed_at) = last.failed_at {
        sheet.row("site's table", format!("could not be read to its end at {failed_at}"));
    }
    let (Some(ended_at), Some(result)) = (last.ended_at, &last.result) else {
        let now = if last.is_under_way {
            "is being compared for the first time"
        } else {
            "was never compared"
        };
        sheet.row("site's table", format!("{now} (`countersign reconcile`)"));
        return;
    };
    let agrees = if result.agrees() { "all agree" } else { "NOT ALL AGREE" };
    let accounts = grouped(result.accounts);
    sheet.row("site's table", format!("{accounts} accounts compared at {ended_at}: {agrees}"));
    for (kind, count) in &result.found {
        sheet.part(kind, *count);
    }
    sheet.part("put right", result.repaired);
    sheet.part("may hold a value of ours (countersign reconcile)", result.unjudged);
    sheet.part("not tried for a value of ours", result.not_tried);
}
