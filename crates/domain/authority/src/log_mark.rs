//! How far a log was seen, outside the store that holds it.

use std::fmt;

use model::canonical;
use serde::{Deserialize, Serialize};

/// The size that the audit log has had, with its root: what a host remembers outside the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogMark {
    /// Entries.
    pub size: u64,
    /// The Merkle root over them.
    #[serde(with = "canonical::hex")]
    pub root: [u8; 32],
}

impl fmt::Display for LogMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, root } = self;
        write!(f, "{size} entries, root {}", canonical::hex_of(root))
    }
}

/// How far the audit log had come where an arming was proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmedLog {
    /// In the store.
    pub now: LogMark,
    /// As the host that proposed had seen it last; `None` if it has never sent.
    pub before: Option<LogMark>,
    /// Whether it is known to go on where it was left.
    pub continues: bool,
}

impl ArmedLog {
    /// The same, where another host has seen the log, too.
    pub(crate) fn also_seen(self, other: &Self) -> Self {
        let before = self.before.into_iter().chain(other.before).max_by_key(|mark| mark.size);
        // Who has seen nothing of it says nothing against what somebody else has seen.
        let continues = match (self.before, other.before) {
            (Some(_), None) => self.continues,
            (None, Some(_)) => other.continues,
            _ => self.continues && other.continues,
        };
        Self { before, continues, ..self }
    }

    /// Whether operators have signed that what this host had seen is lost.
    #[must_use]
    pub fn gives_up(&self, seen: LogMark) -> bool {
        !self.continues && self.before.is_some_and(|before| before.size >= seen.size)
    }
}
