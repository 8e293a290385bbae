use model::{InstanceId, OperatorName, digest_type};

use crate::OperatorPublic;

digest_type! {
    /// SHA-256 over a roster document. That of the first one stands in the configuration.
    RosterDigest
}

/// Who may sign for an instance: three founders, and the changes that two of them signed each.
///
/// Whoever holds a roster holds one whose whole chain was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    pub(crate) instance: InstanceId,
    pub(crate) head: RosterDigest,
    pub(crate) changes: u32,
    pub(crate) operators: Vec<OperatorPublic>,
}

impl Roster {
    /// Which installation.
    #[must_use]
    pub const fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// The digest of the last document: what the next change must name.
    #[must_use]
    pub const fn head(&self) -> RosterDigest {
        self.head
    }

    /// Everybody in it.
    #[must_use]
    pub fn operators(&self) -> &[OperatorPublic] {
        &self.operators
    }

    /// Somebody by name.
    #[must_use]
    pub fn operator(&self, name: &OperatorName) -> Option<&OperatorPublic> {
        self.operators.iter().find(|operator| operator.name() == name)
    }
}
