use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::AddAssign,
};

use serde::Serialize;

use crate::{hash::Format, people::Person};

/// What has to be found. It holds no password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Accounts of the site.
    pub accounts: u64,
    /// Of these, accounts without a password.
    pub accounts_without_password: u64,
    /// All leaks together.
    pub all: LeakTruth,
    /// Each leak by itself, by its name.
    pub leaks: BTreeMap<&'static str, LeakTruth>,
    /// The exposed accounts that have a verified address: those whose people can be told.
    pub reachable: BTreeSet<String>,
    /// How many addresses those are. Accounts of one address are told in one notice.
    pub addresses: u64,
}

impl Truth {
    pub(crate) fn new(people: &[Person], leaks: &[(&'static str, WrittenRecords)]) -> Self {
        let all = LeakTruth::of(leaks.iter().map(|(_, written)| written), people);
        let exposed = people.iter().filter(|person| all.exposed.contains(&person.id));
        let reachable: Vec<_> = exposed.filter(|person| person.is_reachable()).collect();
        let addresses: HashSet<_> = reachable.iter().map(|person| person.address()).collect();
        let by_name = leaks.iter().map(|(name, read)| (*name, LeakTruth::of([read], people)));
        let without_password = people.iter().filter(|person| person.password.is_none());
        Self {
            accounts: people.len() as u64,
            accounts_without_password: without_password.count() as u64,
            leaks: by_name.collect(),
            reachable: reachable.iter().map(|person| person.id.clone()).collect(),
            addresses: addresses.len() as u64,
            all,
        }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let json = serde_json::to_vec_pretty(self);
        json.expect("every key is a name, and a vector takes everything")
    }
}

/// What has to be found in one leak, or in all. Names are those of the program's reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LeakTruth {
    /// What becomes of the lines.
    #[serde(flatten)]
    pub tally: TrueTally,
    /// Records whose secret is the password of an account: once for each such account.
    pub matches: Vec<Match>,
    /// Accounts whose password stands in it.
    pub exposed: BTreeSet<String>,
    /// How many these are, by how the site stores the password.
    pub exposed_by_format: BTreeMap<Format, u64>,
    /// Accounts that it names, though not with their password.
    pub not_exposed: BTreeSet<String>,
    /// Accounts that it names and that have no password.
    pub no_password: BTreeSet<String>,
}

impl LeakTruth {
    fn of<'a>(written: impl IntoIterator<Item = &'a WrittenRecords>, people: &[Person]) -> Self {
        let mut truth = Self::default();
        for leak in written {
            truth.tally += &leak.tally;
            leak.sightings.iter().for_each(|seen| truth.add(seen, &people[seen.person]));
        }
        truth.not_exposed = &truth.not_exposed - &truth.exposed;
        for person in people.iter().filter(|person| truth.exposed.contains(&person.id)) {
            *truth.exposed_by_format.entry(person.format).or_default() += 1;
        }
        truth
    }

    fn add(&mut self, sighting: &Sighting, person: &Person) {
        let group = match (&person.password, &sighting.found) {
            (None, _) => &mut self.no_password,
            (Some(_), None) => &mut self.not_exposed,
            (Some(_), Some(found)) => {
                self.matches.push(found.clone());
                &mut self.exposed
            }
        };
        group.insert(person.id.clone());
    }
}

/// Lines by what becomes of them. The last four add up to the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrueTally {
    /// All lines.
    pub lines: u64,
    /// Lines that are not blank.
    pub records: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Records whose identifier leads to an account of the site.
    pub hits: u64,
    /// Records of somebody else.
    pub misses: u64,
    /// Lines that are no record, by reason.
    pub rejects_by_reason: BTreeMap<Reject, u64>,
}

impl TrueTally {
    /// Lines that are no record.
    #[must_use]
    pub fn rejects(&self) -> u64 {
        self.rejects_by_reason.values().sum()
    }

    pub(crate) fn count(&mut self, fate: Fate) {
        self.lines += 1;
        self.records += u64::from(fate != Fate::Blank);
        match fate {
            Fate::Blank => self.blank += 1,
            Fate::Hit => self.hits += 1,
            Fate::Miss => self.misses += 1,
            Fate::Reject(reason) => *self.rejects_by_reason.entry(reason).or_default() += 1,
        }
    }
}

impl AddAssign<&Self> for TrueTally {
    fn add_assign(&mut self, other: &Self) {
        self.lines += other.lines;
        self.records += other.records;
        self.blank += other.blank;
        self.hits += other.hits;
        self.misses += other.misses;
        for (reason, count) in &other.rejects_by_reason {
            *self.rejects_by_reason.entry(*reason).or_default() += count;
        }
    }
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Blank,
    Hit,
    Miss,
    Reject(Reject),
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    /// Nothing stands before the first delimiter.
    NoIdentifier,
    /// No delimiter stands in it.
    NoDelimiter,
    /// An identifier, and nothing behind it.
    NoSecret,
    /// Longer than any record.
    Overlong,
    /// It holds a NUL byte.
    Nul,
    /// The identifier is not UTF-8.
    Encoding,
}

/// A record that holds the password of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Match {
    /// The account.
    pub account: String,
    /// By which of its identifiers.
    pub tier: TrueTier,
    /// The file, as seen from the site's folder.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// Bytes before the line, once decompressed.
    pub offset: u64,
}

/// By which of an account's identifiers a record leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrueTier {
    /// The same address.
    Exact,
    /// The same username.
    Username,
    /// The same address but for a tag, or for dots at Gmail: proves nothing by itself.
    Lead,
}

/// What is written into the files of a leak, as far as it matters to the site.
#[derive(Default)]
pub(crate) struct WrittenRecords {
    pub(crate) tally: TrueTally,
    pub(crate) sightings: Vec<Sighting>,
}

impl AddAssign for WrittenRecords {
    fn add_assign(&mut self, other: Self) {
        self.tally += &other.tally;
        self.sightings.extend(other.sightings);
    }
}

/// A record that leads to one of the people.
pub(crate) struct Sighting {
    pub(crate) person: usize,
    /// If it holds their password.
    pub(crate) found: Option<Match>,
}
