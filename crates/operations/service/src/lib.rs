//! One function per operation: the only place where store, directory and the domain crates meet.
//!
//! Worker, web and command line call the same functions. Each decodes nothing and prints nothing:
//! it loads, decides, records (in one transaction with its entry in the audit log) and answers.

mod accounts;
mod arming;
mod assess;
mod audit;
mod campaigns;
mod check;
mod delivery;
mod doctor;
pub mod failpoint;
mod import;
mod instance;
mod judge;
mod leaks;
pub mod limits;
mod list;
mod progress;
mod roster;
mod screen;
mod sending_file;
mod spool;
#[cfg(test)]
mod testing;
mod vault;
mod verify;
mod way_back;
mod work;

pub use accounts::Accounts;
pub use arming::{
    ArmError, DisarmedError, Proposal, SendingGuard, SendingStatus, arm, propose_arming,
    sending_status,
};
pub use assess::{AssessError, Assessment, LeakAssessment, assess};
pub use audit::{LogError, LogReport, log_checkpoint, log_entries, verify_log};
pub use campaigns::{
    CampaignError, CampaignReport, CampaignView, Means, NewDraft, NotInPlan, PlanView, ReportError,
    Sample, SealError, Statement, StatementCounts, StatementError, TellError, Words, WordsError,
    WorkError, Worked, Worker, approve_campaign, campaigns, close_campaign, draft_campaign,
    export_plan, freeze_campaign, halt_campaign, halt_everything, publish_statement,
    report_campaign, resume_campaign, sample_targets, show_campaign, start_campaign, statements,
    thaw_campaign, watch_resets,
};
pub use check::{CheckError, CheckedNotice, check_notice, dispute_notice};
pub use delivery::Mail;
pub use doctor::{Check, Checked, check_clock, check_directory, check_store, is_store_there};
pub use import::{ImportError, import_accounts};
pub use instance::{InstanceError, Site, SiteOptions, create_instance};
pub use leaks::{
    AddLeak, FileReport, LeakError, LeakReport, add_leak, leaks, listed_accounts, show_leak,
};
pub use list::Listed;
pub use progress::{Progress, Step, Unit};
pub use roster::{RosterServiceError, accept_roster, roster, roster_in};
pub use screen::{ScreenLeakError, screen_leak};
pub use sending_file::SendingFileError;
pub use vault::{InstanceKey, InstanceKeyError, VaultError};
pub use verify::{VerifyLeakError, verify_leak};
pub use way_back::{
    AskError, Choice, ChooseError, Chosen, MailAsked, Recovery, Wanted, ask_for_mail,
    choose_password, open_link,
};
