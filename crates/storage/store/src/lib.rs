//! Persistence: SQLite and PostgreSQL, each query written once.
//!
//! A [`Store`] hands out transactions; a [`Tx`] has one method for each thing that is written or
//! read, grouped in files by what it is about. Nothing here decides: rules that a bug in a query
//! must not break (one finding for an account and password, one holder of a job, a log that is
//! only appended to) are the schema's, and everything else is the caller's.

#![expect(
    clippy::must_use_candidate,
    reason = "a future and a stream that nobody polls are warned of already"
)]

#[macro_use]
mod cell;

mod accounts;
mod addresses;
mod any_row;
mod arming;
mod campaigns;
mod candidates;
mod copying;
mod data_keys;
mod error;
mod findings;
mod form_proofs;
mod ids;
mod instance;
mod job_kind;
mod jobs;
mod key_rotated;
mod keys;
mod leak_removal;
mod leaks;
pub mod limits;
mod links;
mod log;
mod log_growth;
mod log_rows;
mod not_one_row;
mod notice_texts;
mod notices;
mod only_row;
mod queries;
mod reconciliation;
mod requests;
mod reset_lines;
mod roster;
mod schema;
mod screening;
mod sending_pause;
mod standing;
mod statements;
mod store;
mod subjects;
mod summary;
mod swaps;
mod tables;
mod targets;
#[cfg(feature = "testing")]
pub mod testing;
mod tried;
mod unreadable_row;
mod unsettled;
mod unverified;
mod versioned;
mod waits;
mod worker_name;

pub use accounts::HeldAccount;
pub use addresses::{AddressCounts, AddressLease, NewAddress};
pub use any_row::{AnyRow, AnyValue};
pub use arming::Arming;
pub use campaigns::{CampaignRow, NewCampaign};
pub use candidates::{Candidate, NewCandidate};
pub use data_keys::{DataKeyPlace, WrappedKey};
pub use error::{StoreError, StoreFuture};
pub use findings::{Finding, FindingRecord, NewFinding};
pub use form_proofs::ShapeCount;
pub use ids::{JobId, LinkId, RequestId};
pub use instance::InstanceRow;
pub use job_kind::JobKind;
pub use jobs::{Batch, JobCounts, Lease, NewPiece, Piece, Work};
pub use key_rotated::KeyRotated;
pub use keys::{KeyInForce, RetiredKeyRow};
pub use leaks::{Leak, LeakFile, NewFile, NewLeak};
pub use links::{MailedLink, ResetLink};
pub use log::{FoldSnapshot, NewLogEntry};
pub use log_growth::{GrowthUndone, LogGrowths};
pub use log_rows::{CheckpointRow, LogEntry};
pub use not_one_row::NotOneRow;
pub use notice_texts::NoticeText;
pub use notices::{CodedNotice, Errand, KeptCode, Notice};
pub use reconciliation::{Reconciliation, ReconciliationLease};
pub use requests::{MailRequest, NewMailRequest, NewRequestedNotice, RequestedNotice};
pub use reset_lines::{NewResetLine, PastReset, ResetLine, SealedLine, Shares};
pub use screening::LocatedReject;
pub use sending_pause::SendingPause;
pub use standing::{AddressNow, KnownSwap, KnownTarget, MadeValue, StoredVersion};
pub use statements::StatementRow;
pub use store::{Standbys, Store, StoreOptions, Tx};
pub use subjects::{KeptAccount, NewSubject, Subject};
pub use summary::LeakSummary;
pub use swaps::{NewSwap, Swap, SwapBehalf, SwapLease};
pub use tables::{StoreTable, TableColumn};
pub use targets::{NewTarget, TargetCount, TargetRow};
pub use tried::{NewTried, TriedAccount};
pub use unreadable_row::UnreadableRow;
pub use unsettled::UnsettledAccount;
pub use unverified::{NewUnverified, UnverifiedAccount};
pub use versioned::Versioned;
pub use worker_name::WorkerName;
