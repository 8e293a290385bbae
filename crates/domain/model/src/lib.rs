//! Ids, value types and state enums that every other crate speaks in.
//!
//! Nothing here reads, writes or waits. A type with private fields is a proof: whoever holds a
//! [`LeakName`] holds a name that may stand in a terminal, a file name and a signed text.

mod account;
pub mod address;
mod ambient;
mod campaign;
pub mod canonical;
mod checked_name;
mod credential;
mod document;
mod finding;
mod hash_format;
mod instance;
mod key_id;
mod leak;
pub mod limits;
mod name;
mod readable;
mod row_id;
mod secret;
mod site_row;
mod stored_hash;
mod subject;
mod swap;
mod tally;
mod text_enum;
mod time;
mod verdict;
mod wrapping;

pub use account::{Account, AccountId, AccountIdError};
pub use ambient::{Clock, Randomness};
pub use campaign::{
    CampaignId, CampaignState, KillSwitch, NoticeId, NoticeKind, NoticeState, SkipReason,
    TargetState,
};
pub use checked_name::{InstanceId, NameError, OperatorName, is_word};
pub use credential::{Credential, CredentialVersion, VersionKey};
pub use document::{Approvable, Document, Endorsed};
pub use finding::{FindingId, FindingState, FoundIn};
pub use hash_format::{HashFormat, HashFormatError};
pub use instance::InstanceKind;
pub use key_id::{KeyId, KeyIdError};
pub use leak::{
    FileId, LeakId, LeakState, Provenance, RecordRef, RejectReason, RejectSample, Tier,
};
pub use name::{LeakDate, LeakDateError, LeakName, LeakNameError};
pub use readable::readable;
pub use secret::Secret;
pub use site_row::{CredentialNow, SiteRow};
pub use stored_hash::StoredHash;
pub use subject::SubjectId;
pub use swap::{Discrepancy, SiteTransaction, SwapId, SwapPurpose, SwapState};
pub use tally::{Rejects, Tally, Unbalanced};
pub use text_enum::UnknownWord;
pub use time::Timestamp;
pub use verdict::{ChosenPassword, Outcome, OutcomeCount, Outcomes, Unverified, Verdict};
pub use wrapping::Wrapping;
