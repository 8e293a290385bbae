//! An opened instance: what every operation on a site's own store stands on.
//!
//! [`Instance`] holds the store and the keys that are derived from the instance key. What is done
//! is written into its audit log in the same transaction; who may sign, and whether this host may
//! send, is verified here from documents that operators have signed.
#![expect(
    clippy::must_use_candidate,
    reason = "operations return futures, and the compiler warns of those that nobody awaits"
)]

mod append;
mod arming;
mod backup;
mod checkpoint_watch;
mod cosign;
mod data_key;
mod doctor;
mod encrypted;
mod fault;
mod frames;
mod instance;
mod instance_key;
mod kept_key;
mod key_ring;
mod leaks;
mod lease;
pub mod limits;
mod log;
mod permission;
mod progress;
mod proposal;
mod proved;
mod proved_log;
pub mod purpose;
mod roster;
mod rotation;
mod secret_bytes;
mod sending_file;
mod subjects;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod witnesses;

pub use append::LogError;
pub use arming::{
    DisarmedError, SendingGuard, SendingStatus, is_witnessed, prolong_arming, sending_status,
};
pub use backup::{
    BackUpError, BackupFile, BackupFileError, BackupHeader, BackupReport, CheckBackupError,
    MissingInput, RestoreError, RestoreReport, RestoreTarget, back_up, check_backup, last_backup,
    restore,
};
pub use checkpoint_watch::{
    CheckpointWatch, ForgedCheckpoint, check_checkpoints, watch_checkpoints,
};
pub use cosign::{
    CosignLogError, CosignedCheckpoint, WitnessAnswer, WitnessAway, WitnessLine, cosign_log,
};
pub use data_key::{DataKey, DecryptError};
pub use doctor::{Check, Checked, check_clock, check_directory, check_store, is_store_there};
pub use encrypted::Encrypted;
pub use failpoint;
pub use fault::InstanceFault;
#[doc(hidden)]
pub use fault::{JoinError, StoreError};
pub use frames::{FRAME_BYTES, FrameError, FrameReader, FrameWriter};
pub use instance::{Instance, InstanceError, InstanceOptions, create_instance};
pub use instance_key::{InstanceKey, InstanceKeyError};
pub use key_ring::KeyRing;
pub use lease::{NoticeLease, Renewable, while_kept, while_renewing};
pub use log::{
    LogReport, NamedLogEntry, RetiredVerifier, log_checkpoint, log_entries, named_log_entries,
    verify_log,
};
pub use permission::{
    PermissionError, Permit, SendingPermission, check_store_memory, mark_by_witnesses,
};
pub use progress::{Progress, Step, Unit, Unseen};
pub use proposal::{ArmError, ArmingTerms, TakenArming, adopt_proposal, arm, propose_arming};
pub use proved::{ProvedFold, keep_proved};
pub use roster::{RosterStateError, accept_roster, roster, roster_in};
pub use rotation::{
    ListedKey, RotateError, data_keys_left, list_keys, rotate_key, wrap_data_keys_anew,
};
pub use sending_file::SendingFileError;
pub use subjects::{Accounts, Subjects};
pub use witnesses::{Silence, WitnessError, Witnesses};
