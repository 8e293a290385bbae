use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

use crate::tools::HINT;

/// What is true of a made site and of its leaks, told by the generator.
#[derive(Debug, Deserialize)]
pub struct SiteTruth {
    /// Accounts of the site.
    pub accounts: u64,
    /// Ids of those without a password.
    pub no_password: BTreeSet<String>,
    /// Those of them that a record of a leak names.
    pub no_password_hit: BTreeSet<String>,
    /// Ids of the accounts whose password, as stored now, stands in some leak.
    pub exposed: BTreeSet<String>,
    /// All leak files together.
    pub total: SiteTally,
    /// Each leak file.
    pub files: Vec<FileTruth>,
    /// Each line that holds an account's password: one entry for each such account.
    pub matches: Vec<SiteMatch>,
    /// Ids of the accounts that each scenario concerns, by its name.
    pub scenarios: BTreeMap<String, Vec<String>>,
    /// Everybody, in the order of their ids.
    pub people: Vec<SitePerson>,
}

/// What became of the lines of one leak file, or of all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SiteTally {
    /// Lines, the last one counted even without its newline.
    pub lines: u64,
    /// Records whose identifier is an account's, leads and usernames included.
    pub hits: u64,
    /// Records of strangers.
    pub misses: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Lines that hold no record, by the reason's word.
    pub rejects: BTreeMap<String, u64>,
}

/// One leak file.
#[derive(Debug, Deserialize)]
pub struct FileTruth {
    /// Its path below the folder of leaks.
    pub file: String,
    /// What became of its lines.
    pub tally: SiteTally,
}

/// A line of a leak that holds an account's password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct SiteMatch {
    /// The account's id.
    pub account: String,
    /// The file's path below the folder of leaks.
    pub file: String,
    /// Line number, from 1.
    pub line: u64,
    /// Bytes from the start of the decompressed file to the start of the line.
    pub offset: u64,
    /// The strictest tier by which the record leads to the account.
    pub tier: String,
}

/// One account and its owner's password.
#[derive(Debug, Deserialize)]
pub struct SitePerson {
    /// The account's id.
    pub id: String,
    /// The name that Django signs in with.
    pub username: String,
    /// The address as stored; empty where there is none.
    pub email: String,
    /// The password in clear; `None` where the account has none.
    pub password: Option<String>,
    /// What is unusual about the address: `plain`, `mixed_case`, `shared`, `gmail`, ...
    pub kind: String,
}

impl SiteTruth {
    pub(crate) fn read(path: &Path) -> Self {
        serde_json::from_slice(&read(path)).expect("the generator writes what is declared here")
    }

    /// The owner of an account.
    ///
    /// # Panics
    /// If nobody has that id.
    #[must_use]
    pub fn person(&self, id: &str) -> &SitePerson {
        let person = self.people.iter().find(|person| person.id == id);
        person.unwrap_or_else(|| panic!("nobody has the id {id}"))
    }
}

impl SiteTally {
    /// Lines that are not blank.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.hits + self.misses + self.rejects.values().sum::<u64>()
    }

    /// All lines whose fate is told.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.records() + self.blank
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}. {HINT}", path.display()))
}
