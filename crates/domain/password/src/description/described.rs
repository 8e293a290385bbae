use super::{
    layout::Layout,
    step::{End, HashStep},
};

/// One form of stored hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(super) text: String,
    pub(super) layout: Layout,
    /// Columns beside the hash that are taken apart as well.
    pub(super) columns: Vec<(String, Layout)>,
    pub(super) steps: Vec<HashStep>,
    pub(super) end: End,
    /// Other fields that a password gives: they are written, and never compared.
    pub(super) others: Vec<(String, Vec<HashStep>)>,
}
