use std::sync::Arc;

use directory::Directory;
use instance::{Instance, Progress};
use password::Verifier;

/// What the table is compared with, and by what.
#[derive(Clone, Copy)]
pub struct Reconciling<'a> {
    /// What is kept.
    pub instance: &'a Instance,
    /// The site's accounts.
    pub directory: &'a dyn Directory,
    /// What tries values on hashes, as the site hashes them.
    pub verifier: &'a Arc<Verifier>,
    /// Who waits.
    pub progress: &'a dyn Progress,
}
