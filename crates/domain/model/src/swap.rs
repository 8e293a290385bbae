//! The replacement of one stored password of the site by a value of ours: the words that its
//! decisions, its store and its log share.

use crate::{row_id::row_id, text_enum::text_enum};

row_id! {
    /// The store's key of a swap.
    SwapId
}

/// A transaction of the site's database, which can be asked afterwards what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteTransaction {
    /// Which database, so that a copy of it is not asked.
    pub database: String,
    /// Its number there.
    pub id: u64,
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
