//! Exposure: from leaked files to findings, and from findings to evidence.
//!
//! A leak is registered, its files are screened for our accounts, and what is said of these is
//! verified against the hashes that the directory holds. [`assess`](fn@assess) goes the same way without
//! keeping anything.

mod accounts;
mod accounts_read;
mod assess;
mod contexts;
mod counts;
mod embedded;
mod evidence;
mod findings;
mod import;
mod inspect;
mod leaks;
pub mod limits;
mod list;
mod noted;
mod proof;
mod rejects;
mod sample;
mod screen;
mod spool;
mod unfound;
mod verify;
mod verify_accounts;
mod work;
mod work_error;

pub use accounts_read::AccountsRead;
pub use assess::{AssessError, Assessment, LeakAssessment, assess};
pub use counts::ExposureCounts;
pub use embedded::EmbeddedDirectory;
pub use evidence::{Evidence, Reverified, Suspicion, reverify, secret_of};
pub use findings::{
    FindingError, FindingReport, FindingSelection, PasswordNow, check_all_findings, list_findings,
    show_finding,
};
pub use import::{AccountImport, ImportError, import_accounts};
pub use inspect::{InspectedFile, inspect_files};
pub use leaks::{
    AddLeak, FileReport, LeakError, LeakReport, add_leak, leaks, listed_accounts, remove_leak,
    show_leak,
};
pub use list::ListedAccount;
pub use noted::check_noted;
pub use proof::{ProvedForms, keep_proof, proved_forms};
pub use rejects::{RejectedLine, rejected_lines};
pub use sample::{HashSample, sample_hashes};
pub use screen::{ScreenLeakError, screen_leak};
pub use unfound::{NotChecked, Unfound, not_checked, unfound};
pub use verify::{VerifyLeakError, verify_leak};
pub use work_error::LeakWorkError;
