use crate::mapping::Mapping;

/// Where accounts are, and how they are kept there.
pub(crate) struct Location {
    pub(crate) read_url: String,
    pub(crate) write_url: Option<String>,
    pub(crate) mapping: Mapping,
}
