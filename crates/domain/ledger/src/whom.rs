use model::{AccountId, SubjectId};
use serde::{Deserialize, Serialize};

/// Whom an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// A number, which says nothing once the person is forgotten.
    Subject(SubjectId),
    /// The account itself: entries of version 0.1.0, which stay as they were written.
    Account(AccountId),
}

/// The subject that a line of the log is about.
///
/// # Errors
/// What is wrong with a line that is no entry.
pub fn subject_of(line: &[u8]) -> Result<Option<SubjectId>, serde_json::Error> {
    #[derive(Deserialize)]
    struct About {
        subject: Option<SubjectId>,
    }
    serde_json::from_slice(line).map(|about: About| about.subject)
}

/// The account that a line of version 0.1.0 names; `None` also for a line that is no entry.
#[must_use]
pub fn account_of(line: &[u8]) -> Option<AccountId> {
    #[derive(Deserialize)]
    struct About {
        subject: Option<SubjectId>,
        account: Option<AccountId>,
    }
    let about: About = serde_json::from_slice(line).ok()?;
    about.account.filter(|_| about.subject.is_none())
}

impl From<SubjectId> for Whom {
    fn from(subject: SubjectId) -> Self {
        Self::Subject(subject)
    }
}
