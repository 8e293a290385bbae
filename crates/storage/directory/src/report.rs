use serde::Serialize;

/// What `countersign doctor` tells about a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DirectoryReport {
    /// Name and version of the database.
    pub database: String,
    /// All accounts.
    pub accounts: u64,
    /// Those among them that are `no_password`.
    pub without_password: u64,
    /// Rows of which something cannot be read.
    pub unreadable: u64,
    /// What cannot be read, of the first of them.
    pub unreadable_first: Option<String>,
    /// Accounts whose id an earlier one has. More than none makes the directory unusable.
    pub repeated_ids: u64,
    /// The mapped columns: the field's name and the site's.
    pub columns: Vec<(&'static str, String)>,
    /// The type of the id column, in the database's words; `null` where SQLite cannot tell.
    pub id_type: String,
    /// Whether hashes can be replaced and sessions ended.
    pub write: WriteGrant,
}

/// Whether hashes can be replaced and sessions ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum WriteGrant {
    /// `directory.write_url` is not set: everything up to the plan works.
    NotConfigured,
    /// The accounts are a copy: what happens to them happens to nobody.
    Copy,
    /// The accounts are a rehearsal's own.
    Rehearsed,
    /// The database let it through.
    Granted,
    /// The database, or the mapping, does not allow it, for this reason.
    Refused(String),
}

/// Whether the connection that writes leads to the database that is read. In a copy nobody is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kinship {
    /// It does, or there is none.
    One,
    /// Nobody can tell, for this reason.
    Untold(String),
    /// It leads to another one. This is how that is known, and what to do.
    Two(String),
}

impl WriteGrant {
    /// Passes if sealing is let through.
    ///
    /// # Errors
    /// What keeps it from that, and what to do.
    pub fn granted(self) -> Result<(), String> {
        match self {
            Self::Granted | Self::Rehearsed => Ok(()),
            Self::NotConfigured => Err("`directory.write_url` is not set, so accounts can only be \
                                        read: set it to a role that may replace hashes"
                .to_owned()),
            Self::Copy => Err("the accounts are a copy: passwords that are switched off there still \
                               open the site. They can be searched and planned for; to seal them, let \
                               `directory.preset`, `directory.url` and `directory.write_url` lead to \
                               the site's own table"
                .to_owned()),
            Self::Refused(reason) => Err(reason),
        }
    }
}
