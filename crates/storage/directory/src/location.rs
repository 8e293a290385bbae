use model::InstanceKind;

use crate::mapping::Mapping;

/// Where accounts are, and how they are kept there.
pub(crate) struct Location {
    pub(crate) read_url: String,
    pub(crate) write_url: Option<String>,
    pub(crate) mapping: Mapping,
    /// For whom it is written to: a rehearsal writes only to what says that it is for rehearsals.
    pub(crate) kind: InstanceKind,
}
