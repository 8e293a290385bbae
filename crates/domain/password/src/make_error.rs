/// Why no hash could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MakeHashError {
    /// Some software ends a password at its first NUL byte and some does not, so the hash would
    /// not mean the same everywhere.
    #[error("the secret holds a NUL byte, which bcrypt cannot hash")]
    Nul,
    /// The cost that the recipe copies wants more memory than there is.
    #[error("there is not enough memory to make a hash of this cost")]
    OutOfMemory,
}
