//! What a campaign may do, and when: decisions only.
//!
//! State, event and moment go in; state and commands come out. There is no clock, no randomness
//! and no I/O here, so the same code runs in production, in the model checker and in the
//! simulation. Types with private fields are proofs: [`SignedPlan`] was signed by enough operators,
//! [`AddressGroup`] stands in a signed plan. Who may sign, `authority` says.

mod account_for;
mod claim;
mod group;
mod halt_reason;
pub mod limits;
mod machine;
mod names;
mod plan;
mod policy;
mod progress;
mod signed;
mod signing;
mod standing;
mod swap;
mod target;
mod terms;
#[cfg(test)]
mod testing;
mod tree;

pub use account_for::{Irreconcilable, Reckoning};
pub use claim::{
    Claim, ClaimFacts, NoticeDue, RateUsed, Refusal, Sending, Waiting, decide_claim, decide_intent,
    decide_pass, decide_send, is_left_for_later, notice_due, wait_of_fresh,
};
pub use group::{AddressGroup, GroupError};
pub use halt_reason::HaltReason;
pub use machine::{
    Campaign, Command, Event, Stage, State, StepError, allowed_addresses, may_work_since, step,
};
pub use names::{CampaignName, TemplateName};
pub use plan::{Counts, Draft, Plan, PlanDigest, PlanError, Reason, Renewal};
pub use policy::{Policy, PolicyError, RampStep, Reach, StoreKind, Threshold};
pub use progress::{NoticeEnds, StageProgress, Unsettled};
pub use signed::SignedPlan;
pub use standing::{RecordedSwap, RowStanding, judge_standing};
pub use swap::{PassedAttempt, SwapEnd, judge_swap};
pub use target::{
    AddressKey, Place, Reverification, Target, TargetAction, Targets, TargetsError,
    after_reverification,
};
pub use terms::{CountBounds, Mode, OtherCampaigns, Scope, Sentinel, TemplateDigest, Terms};
pub use tree::{InclusionProof, TargetRoot, TargetTree};
