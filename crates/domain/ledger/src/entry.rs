use model::{
    CampaignId, CredentialVersion, HashFormat, KeyId, LeakDate, LeakId, LeakName, Outcomes,
    Provenance, RecordRef, SwapId, Tally, Tier, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{CampaignEvent, NoticeStep, Reconciled, RecoveryEvent, Whom};

/// The format's version, so that a reader of years later knows what it reads.
const VERSION: u8 = 1;

/// One line of the audit log: what was done, and when.
///
/// It never holds a secret: no password, no stored hash, no key, no address.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'a> {
    v: u8,
    at: Timestamp,
    #[serde(flatten)]
    event: &'a LogEvent,
}

impl<'a> Entry<'a> {
    /// Puts a moment on an event.
    #[must_use]
    pub const fn new(at: Timestamp, event: &'a LogEvent) -> Self {
        Self { v: VERSION, at, event }
    }

    /// The leaf: JSON on one line.
    ///
    /// # Errors
    /// What the serialiser reports; no event can cause it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// Everything that Countersign does and that somebody may have to answer for.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LogEvent {
    /// The store was made.
    StoreMade {
        /// The instance's id.
        instance: String,
        /// `site` or `rehearsal`.
        kind: String,
    },
    /// Accounts were put into the embedded directory.
    AccountsImported {
        /// Rows written.
        accounts: u64,
    },
    /// A leak was registered.
    LeakAdded(LeakAdded),
    /// A leak was taken out of the store, with all that was known of it.
    LeakRemoved {
        /// Its key in the store, which no other leak will have.
        leak: LeakId,
        /// What it was called.
        name: LeakName,
    },
    /// Every piece of a leak has been screened.
    LeakScreened {
        /// Which leak.
        leak: LeakId,
        /// What became of every line.
        tally: Tally,
        /// Candidates handed to the verifier.
        candidates: u64,
        /// When the accounts were read, to be looked for in it; entries of before do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        looked_at: Option<Timestamp>,
    },
    /// A password of ours stands in a leak.
    FindingMade {
        /// Which leak.
        leak: LeakId,
        /// Whose password.
        #[serde(flatten)]
        whom: Whom,
        /// The password as it was stored then.
        credential_version: CredentialVersion,
        /// How it was stored.
        hash_format: HashFormat,
        /// What led from the record to the account.
        tier: Tier,
        /// Where it stands in the leak.
        records: Vec<RecordRef>,
    },
    /// A batch of accounts was verified.
    BatchVerified {
        /// Which leak.
        leak: LeakId,
        /// Accounts of which it is noted on what password its records were tried; entries of before do
        /// not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        noted: Option<u64>,
        /// What came of its accounts.
        #[serde(flatten)]
        outcomes: Outcomes,
    },
    /// Every candidate of a leak has been tried, and what did not match is destroyed.
    LeakVerified {
        /// Which leak.
        leak: LeakId,
        /// What came of its accounts.
        #[serde(flatten)]
        outcomes: Outcomes,
    },
    /// The first operators were named.
    RosterFounded {
        /// SHA-256 of the document that they signed.
        digest: String,
        /// Their names.
        operators: Vec<String>,
    },
    /// Somebody may sign from now on, or no longer.
    RosterChanged {
        /// SHA-256 of the document that two operators signed.
        digest: String,
        /// Who, and with which key.
        change: String,
    },
    /// Two operators permitted this database to send.
    SendingArmed {
        /// What the database calls itself.
        database: String,
        /// Who signed.
        signers: Vec<String>,
        /// SHA-256 of the signed document, in hexadecimal.
        digest: String,
        /// Whether they know that steps may be lost: the store was put back, or nobody remembers how
        /// far its log had come.
        #[serde(default, rename = "restored", skip_serializing_if = "std::ops::Not::not")]
        is_restored: bool,
    },
    /// Another instance key is in force. It is the last entry that the key before has signed; the
    /// checkpoint that covers it bears the signatures of both.
    KeyRotated {
        /// The new key's id.
        key: KeyId,
        /// Who checks what it signs: a C2SP verifier key.
        verifier: String,
    },
    /// A copy of the store was written into a file.
    BackupMade {
        /// Entries of the log in it: those before this one and no other, unless others wrote meanwhile.
        entries: u64,
        /// The root over them, in hexadecimal.
        root: String,
    },
    /// The store was made out of a backup: what was done since is not known, and nothing may be sent
    /// until operators have signed that they know it.
    StoreRestored {
        /// Entries of the log in the backup: all that come before this one.
        entries: u64,
        /// The root over them, in hexadecimal.
        root: String,
        /// When the backup was made.
        backup_at: Timestamp,
        /// Requests for mails that nobody had looked at, and nobody will.
        requests_dropped: u64,
    },
    /// A password that a person had chosen, or that was put back, stands in the site's table after
    /// all.
    ValueFound {
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement that it was made for.
        swap: SwapId,
    },
    /// The site's table was compared with what is kept.
    TableReconciled {
        /// What was found.
        #[serde(flatten)]
        result: Reconciled,
        /// Whether none was left for another comparison.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
    },
    /// A campaign did something.
    #[serde(untagged)]
    Campaign(CampaignEvent),
    /// Something became of a notice.
    #[serde(untagged)]
    Notice(NoticeStep),
    /// Somebody finds the way back in.
    #[serde(untagged)]
    Recovery(RecoveryEvent),
}

impl LogEvent {
    /// The campaign that it is about.
    #[must_use]
    pub const fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::Campaign(event) => event.campaign(),
            Self::Notice(step) => step.campaign(),
            _ => None,
        }
    }
}

impl From<CampaignEvent> for LogEvent {
    fn from(event: CampaignEvent) -> Self {
        Self::Campaign(event)
    }
}

impl From<NoticeStep> for LogEvent {
    fn from(step: NoticeStep) -> Self {
        Self::Notice(step)
    }
}

impl From<RecoveryEvent> for LogEvent {
    fn from(event: RecoveryEvent) -> Self {
        Self::Recovery(event)
    }
}

/// A leak, as it was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakAdded {
    /// Its key in the store.
    pub leak: LeakId,
    /// What it is called.
    pub name: LeakName,
    /// What people are told that it is called, if that is another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_name: Option<LeakName>,
    /// When it happened.
    pub date: LeakDate,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// Its files.
    pub files: Vec<FileAdded>,
}

/// A file of a leak, as it was when it was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAdded {
    /// Its path.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_that_a_stranger_can_read() {
        let event = LogEvent::AccountsImported { accounts: 3 };
        let line = Entry::new(Timestamp::from_micros(0), &event).to_bytes().unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            r#"{"v":1,"at":"1970-01-01T00:00:00Z","event":"accounts_imported","accounts":3}"#
        );
    }
}
