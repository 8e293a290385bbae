use std::time::Duration;

/// What the connections may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write; a SQLite file that does not exist is made.
    Create,
    /// Read and write a database that exists.
    Write,
    /// Look up in a database that is not ours: read only, and the database itself enforces it. A
    /// server gives up what takes a minute, or waits for a lock for ten seconds.
    Read,
    /// The same over whole tables: for as long as that takes.
    Scan,
}

impl Access {
    /// Whether nothing may be written.
    pub(crate) const fn is_read_only(self) -> bool {
        matches!(self, Self::Read | Self::Scan)
    }
}

/// How to open a database.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// What the connections may do.
    pub access: Access,
    /// Connections held at most.
    pub connections_max: u32,
}

/// How long to wait for a free connection or for the server to answer.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
