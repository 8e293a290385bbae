//! Who may sign what, and whether this host may send.
//!
//! Operators sign documents: rosters, armings, the plans of campaigns. A [`Roster`] says who they
//! are, and was verified from its first document on. A document says who has to sign it
//! ([`model::Document`]); one ballot counts the signatures of all kinds, and alone makes the proof
//! that they are enough, [`model::Endorsed`]. Which document it is, nothing here knows.
//!
//! Signatures come in two forms. [`Signed`] is one file that goes from hand to hand. An
//! [`Approval`] is a file of one operator's own, with the moment of signing, for documents about
//! accounts ([`model::Approvable`]).

mod approval;
mod arming;
mod arming_terms;
mod ballot;
mod chain;
mod collected;
pub mod limits;
mod log_mark;
mod operators;
mod roster;
#[cfg(test)]
mod testing;

pub use approval::{Approval, ApprovalError, DocumentDigest, check_count, verify_approvals};
pub use arming::{
    Armed, ArmingDigest, ArmingDocument, ArmingError, ArmingFacts, Disarmed, LogNow, SignedArming,
    may_send,
};
pub use arming_terms::{DatabaseIdentity, SecretDigest, WitnessTerms};
pub use ballot::SignaturesError;
pub use chain::{RosterChange, RosterDocument, RosterError, SignedRoster};
pub use collected::Signed;
pub use log_mark::{ArmedLog, LogMark};
pub use operators::{
    KeyFileError, OperatorKey, OperatorPublic, OperatorPublicError, Signature, SignatureError,
};
pub use roster::{Roster, RosterDigest};
