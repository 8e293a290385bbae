//! The replacement of one stored password of the site by a value of ours: the words that its
//! decisions, its store and its log share.

use crate::{row_id::row_id, text_enum::text_enum};

row_id! {
    /// The store's key of a swap.
    SwapId
}

/// A transaction of the site's database, by which its fate can be asked for later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteTransaction {
    database: String,
    number: u64,
}

impl SiteTransaction {
    /// One that was kept.
    #[must_use]
    pub const fn new(database: String, number: u64) -> Self {
        Self { database, number }
    }

    /// Which database, in which of its histories: what was restored or promoted counts anew.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The database's number for it.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }
}

text_enum! {
    /// What a stored password is replaced for.
    pub enum SwapPurpose {
        /// A campaign takes it out of use.
        Seal = "seal",
        /// A campaign puts it back.
        Reinstate = "reinstate",
        /// The person has chosen another one.
        Choose = "choose",
    }
}

text_enum! {
    /// How far a swap is.
    pub enum SwapState {
        /// It may be done at any moment; whether it is, only the site's row can tell.
        Intended = "intended",
        /// The value stood in the site's row.
        Done = "done",
        /// The value never stood there, and never will.
        Undone = "undone",
        /// Somebody else's value stands there. Whether ours ever did cannot be known.
        Overtaken = "overtaken",
    }
}
