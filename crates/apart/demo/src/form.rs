use crate::truth::Fate;

/// One file of a leak: where it lies, how its lines look, and how it is packed.
pub(crate) struct Form {
    /// As seen from the site's folder.
    pub(crate) path: &'static str,
    /// What stands before all records, and what becomes of it.
    pub(crate) head: Option<(&'static str, Fate)>,
    pub(crate) delimiter: char,
    pub(crate) newline: &'static str,
    pub(crate) notation: Notation,
    pub(crate) packing: Packing,
}

/// How a file writes identifiers and secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// As they are, in UTF-8.
    Plain,
    /// As crackers do: `$HEX[..]` for a secret that holds the delimiter, or what is not ASCII.
    Hex,
    /// In Latin-1; quoted if it holds the delimiter; another column behind it.
    Latin1Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    /// In two members, cut anywhere.
    Gzip,
    Zstd,
}
