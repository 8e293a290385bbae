//! Synthetic accounts and leaks of any size, the same at every run.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::shell::{ChoreResult, root};

/// Of a hundred lines, how many name one of the accounts, and how many of all are in capitals.
const HIT_PERCENT: u64 = 2;
const CAPITALS_PERCENT: u64 = 3;

/// Of a hundred secrets, how many hold a delimiter.
const DELIMITER_PERCENT: u64 = 1;

/// Every account's hash: Django's MD5 form of a password that stands in no line. It costs next to
/// nothing to try, so that what is measured is reading and looking up.
const HASH: &str = "md5$bench$7a9c2b8d0e4f6a1b3c5d7e9f0a2b4c6d";

/// A file of accounts, a leak, and what is true of the leak.
pub(super) struct Screening {
    pub(super) accounts: PathBuf,
    pub(super) leak: PathBuf,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) hits: u64,
}

/// A folder for a benchmark's files, emptied.
pub(super) fn folder(name: &str) -> ChoreResult<PathBuf> {
    let folder = root().join("target/bench").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes both files.
pub(super) fn screening(folder: &Path, accounts: u64, lines: u64) -> ChoreResult<Screening> {
    let mut made = Screening {
        accounts: folder.join("users.csv"),
        leak: folder.join("leak.txt"),
        bytes: 0,
        lines,
        hits: 0,
    };
    write_accounts(&made.accounts, accounts)?;
    made.hits = write_leak(&made.leak, accounts, lines)?;
    made.bytes = fs::metadata(&made.leak)?.len();
    Ok(made)
}

fn write_accounts(path: &Path, accounts: u64) -> ChoreResult {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "id,email,username,hash,last_login")?;
    for id in 0..accounts {
        writeln!(file, "{id},{},name{id},{HASH},", address(id))?;
    }
    Ok(file.flush()?)
}

/// Numbers from `accounts` on are strangers'. Returns how many lines are not.
fn write_leak(path: &Path, accounts: u64, lines: u64) -> ChoreResult<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut random = BenchRandom(1);
    let mut hits = 0;
    for _ in 0..lines {
        let hit = random.percent(HIT_PERCENT);
        let number = random.below(accounts) + if hit { 0 } else { accounts };
        hits += u64::from(hit);
        let mut identifier = address(number);
        if random.percent(CAPITALS_PERCENT) {
            identifier.make_ascii_uppercase();
        }
        let secret = random.below(u64::MAX) % 10_000_000_000;
        let delimiter = if random.percent(DELIMITER_PERCENT) { ":" } else { "" };
        writeln!(file, "{identifier}:{delimiter}{secret:x}")?;
    }
    file.flush()?;
    Ok(hits)
}

/// Addresses that differ early, as people's do, and are as long.
fn address(number: u64) -> String {
    let name = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
    let domain = match number % 3 {
        0 => "org",
        1 => "com",
        _ => "net",
    };
    format!("{name:x}.{number}@example.{domain}")
}

/// A small generator of our own (splitmix64): data must be the same for ever.
struct BenchRandom(u64);

impl BenchRandom {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_equal_addresses_and_no_others() {
        let mut seen = std::collections::HashSet::new();
        assert!((0..10_000).all(|number| seen.insert(address(number))));
        assert_eq!(address(7), address(7));
    }
}
