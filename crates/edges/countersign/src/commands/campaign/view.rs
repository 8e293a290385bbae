//! Campaigns, for people to read.

use campaign::Scope;
use campaigns::{CampaignView, PlanView, Sample};

use crate::{
    commands::status::show_pause,
    output::{Sheet, grouped},
};

/// Of these accounts nobody knows whether they are exposed.
pub(super) const COULD_NOT_CHECK: &str = "could not check: in its leaks, password not tried";

pub(super) fn for_people(view: &CampaignView) -> String {
    let mut sheet = Sheet::default();
    sheet.row("campaign", &view.name).row("author", &view.author);
    let because = view.halted_because.as_ref();
    let because = because.map(|reason| format!(" ({reason})")).unwrap_or_default();
    sheet.row("state", format!("{}{because}, since {}", view.state, view.since));
    sheet.row("round", view.round);
    if let Some(pause) = &view.sending_paused {
        show_pause(&mut sheet, pause);
    }
    if let Some(plan) = &view.plan {
        show_plan(&mut sheet, plan);
    }
    sheet.part(COULD_NOT_CHECK, view.not_checked);
    if view.addresses_taken > 0 {
        show_progress(&mut sheet, view);
    }
    sheet.to_string()
}

fn show_plan(sheet: &mut Sheet, plan: &PlanView) {
    let (targets, accounts) = (grouped(plan.targets), grouped(plan.accounts));
    sheet.row("accounts to reset", format!("{targets} of {accounts}"));
    sheet.row("addresses to write to", grouped(plan.addresses));
    if plan.scope == Scope::Begun {
        sheet.row("of these", "those who were begun are settled, and nobody else is touched");
    }
    if plan.accounts_of_others > 0 {
        sheet.row("other campaigns, in 30 days", grouped(plan.accounts_of_others));
    }
    for reason in &plan.reasons {
        let (name, date, provenance) = (&reason.name, &reason.date, reason.provenance);
        sheet.part(format!("{name} ({date}, {provenance})"), reason.targets);
    }
    for (reason, count) in &plan.skipped {
        sheet.part(format!("left alone, {reason}"), *count);
    }
    let current = if plan.is_current { "" } else { ", of an earlier round: freeze again" };
    sheet.row("plan", format!("{}{current}", plan.digest));
    sheet.row("sign before", plan.sign_by).row("start before", plan.start_by);
    if let Some(is_signed) = plan.is_signed_by_author {
        let signed = if is_signed { "has signed it" } else { "has to sign it, too" };
        sheet.row("its author", format!("{} {signed}", plan.author));
    }
    let (given, needed) = (plan.approvers.len(), plan.approvers_needed);
    let names = plan.approvers.join(", ");
    sheet.row("approvers", format!("{given} of {needed} needed {names}").trim_end());
}

fn show_progress(sheet: &mut Sheet, view: &CampaignView) {
    let (taken, allowed) = (grouped(view.addresses_taken), grouped(view.addresses_allowed));
    sheet.row("addresses taken up", format!("{taken}, of {allowed} allowed by now"));
    for (state, count) in &view.accounts {
        sheet.part(format!("accounts {state}"), *count);
    }
    for (reason, count) in &view.skipped {
        sheet.part(format!("accounts left alone, {reason}"), *count);
    }
    for (state, count) in &view.notices {
        sheet.part(format!("notices {state}"), *count);
    }
    sheet.part("accounts sealed, or in hand, and not told yet", view.sealed_untold);
    if view.held_up > 0 {
        let why = "wait for a minute: somebody holds their rows in the site's database";
        sheet.row("held up", format!("{} addresses {why}", grouped(view.held_up)));
    }
    let max = view.plan.as_ref().map(|plan| plan.sealed_untold_max);
    if let Some(max) = max.filter(|max| view.sealed_untold > *max) {
        let why = "waits until at most so many are sealed and not told yet";
        sheet.row("sealing", format!("{why}: {} (`sealed_untold_max`)", grouped(max)));
    }
}

pub(super) fn samples(samples: &[Sample]) -> String {
    let mut sheet = Sheet::default();
    for Sample { account, address, because_of } in samples {
        let address = address.as_deref().unwrap_or("gone");
        sheet.row(format!("for example {account}"), format!("{address}, {because_of}"));
    }
    sheet.to_string()
}

pub(super) fn list(views: &[CampaignView]) -> String {
    let mut sheet = Sheet::default();
    for view in views {
        let targets = view.plan.as_ref().map_or(0, |plan| plan.targets);
        sheet.row(&view.name, format!("{:<7} {:>9} accounts", view.state, grouped(targets)));
    }
    sheet.to_string()
}
