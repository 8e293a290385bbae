//! Campaigns: put together, signed, run, halted, and accounted for.
//!
//! What may happen is decided in the `campaign` crate. Here it is loaded, recorded together with
//! its entry in the audit log, and done.
#![expect(
    clippy::must_use_candidate,
    reason = "operations return futures, and the compiler warns of those that nobody awaits"
)]

mod action;
mod agreed;
mod approvals;
mod claim;
mod context;
mod contradictions;
mod counted;
mod draft;
mod ended;
mod examine;
mod exposures;
mod failure;
mod freeze;
mod gate;
pub mod limits;
mod loaded;
#[cfg(test)]
mod measured;
mod needs;
mod nobody_left;
mod not_in_plan;
mod ours;
mod past_resets;
mod person;
mod progress;
mod reconcile;
mod report;
mod resets;
mod rota;
mod run;
pub mod saga;
mod seal;
mod standstill;
mod statement;
mod steer;
mod swap_row;
mod takeover;
mod tale;
mod tell;
mod unsettled;
mod view;
mod watch;

pub use approvals::{approve_campaign, export_plan, unsigned_campaigns};
pub use context::{Means, WorkerContext};
pub use contradictions::{check_campaigns_kept, contradictions, halt_contradicted};
pub use counted::{CountedCampaign, counted_campaigns};
pub use draft::{NewDraft, draft_campaign};
pub use exposures::exposures_of;
pub use failure::{
    CampaignError, ReconcileError, ReportError, RunError, SealError, StatementError, SwapError,
    WatchError,
};
pub use freeze::{PlanChanges, finish_campaign, freeze_campaign};
pub use ledger::Reconciled;
pub use loaded::HaltedAll;
pub use nobody_left::NobodyLeft;
pub use not_in_plan::NotInPlan;
pub use past_resets::past_resets;
pub use reconcile::{
    DisagreeingAccount, ReconcileOutcome, ReconciliationView, Reconciling, Thoroughness,
    last_reconciliation, reconcile, reconcile_if_due,
};
pub use report::{CampaignReport, report_campaign};
pub use resets::{destroy_old_secrets, watch_account};
pub use run::{Worked, is_anything_under_way, is_campaign_due, moving_campaigns, work_on};
pub use standstill::{StandingStill, standing_still};
pub use statement::{Statement, StatementCounts, publish_statement, statements};
pub use steer::{
    close_campaign, halt_campaign, halt_everything, resume_campaign, start_campaign, thaw_campaign,
};
pub use swap_row::{check_open_swap, end_open_swap, swap_digest};
pub use takeover::{is_sealing_left, judge_left_sealings};
pub use unsettled::{UnsettledPeople, UnsettledPerson, halted_unsettled, unsettled_people};
pub use view::{
    CampaignView, PlanView, Sample, campaigns, campaigns_in, sample_targets, show_campaign,
};
pub use watch::{ResetWatch, watch_resets, watch_round};
