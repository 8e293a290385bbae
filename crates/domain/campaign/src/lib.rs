//! What a campaign may do, and when: decisions only.
//!
//! State, event and moment go in; state and commands come out. There is no clock, no randomness
//! and no I/O here, so the same code runs in production, in the model checker and in the
//! simulation. Types with private fields are proofs: [`SignedPlan`] was signed by enough operators,
//! [`AddressGroup`] stands in a signed plan, [`Roster`] was verified from its first document on.

mod account_for;
mod approval;
mod arming;
mod canonical;
mod claim;
pub mod limits;
mod machine;
mod names;
mod notice;
mod operators;
mod plan;
mod policy;
mod readable;
mod roster;
mod signed;
mod signing;
mod target;
#[cfg(test)]
mod testing;
mod tree;

pub use account_for::{Irreconcilable, Reckoning};
pub use approval::{Approval, ApprovalError, SignedPlan, check_count};
pub use arming::{
    Armed, ArmingDigest, ArmingDocument, ArmingError, ArmingFacts, Disarmed, LogMark, LogNow,
    SecretDigest, SignedArming, may_send,
};
pub use canonical::{CanonicalError, DigestError};
pub use claim::{
    Claim, Facts, NoticeDue, RateUsed, Refusal, Waiting, decide_claim, decide_send, notice_due,
};
pub use machine::{
    Campaign, Command, Event, HaltReason, Progress, Stage, State, StepError, allowed_addresses,
    step,
};
pub use model::{CampaignId, KillSwitch, NoticeState, SkipReason, TargetState};
pub use names::{
    CampaignName, DatabaseIdentity, InstanceId, NameError, OperatorName, TemplateName,
};
pub use notice::{NoticeError, NoticeEvent, NoticeRow, SmtpOutcome, notice_after, retry_delay};
pub use operators::{
    KeyFileError, OperatorKey, OperatorPublic, OperatorPublicError, Signature, SignatureError,
};
pub use plan::{Counts, Draft, Plan, PlanDigest, PlanError, Reason, TemplateDigest};
pub use policy::{Policy, PolicyError, RampStep, Reach, StoreKind, Threshold};
pub use readable::readable;
pub use roster::{Roster, RosterChange, RosterDigest, RosterDocument, RosterError, SignedRoster};
pub use signed::{Document, SignaturesError, Signed};
pub use target::{
    AddressGroup, AddressKey, GroupError, Place, Resolution, Reverification, Target, TargetAction,
    Targets, TargetsError, after_reverification, resolve_sealing,
};
pub use tree::{InclusionProof, TargetRoot, TargetTree};
