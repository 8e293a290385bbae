use model::KeyId;

/// Another instance key is in force than the one that this process holds. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the instance key was rotated: put the new key file in place and restart (in force is key \
     {in_force}, this process holds {held})"
)]
pub struct KeyRotated {
    /// The id of the key in force.
    pub in_force: KeyId,
    /// The id of the key that this process holds.
    pub held: KeyId,
}
