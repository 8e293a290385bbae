//! Whether the site's stored hashes can be verified.

use std::fmt::Display;

use directory::Directory;
use exposure::HashSample;
use instance::Checked;

use crate::{config::Config, output::grouped, wiring};

const WHAT: &str = "stored hashes";

/// Kinds of hashes that are named, at most.
const NAMED_MAX: usize = 8;

/// Looks at some of them, and says of which share nothing can be said.
pub(super) async fn check(config: &Config, directory: &dyn Directory) -> Checked {
    let verifier = match wiring::verifier(config) {
        Ok(verifier) => verifier,
        Err(error) => return Checked::bad(WHAT, error.to_string()),
    };
    match exposure::sample_hashes(directory, &verifier).await {
        Err(error) => Checked::bad(WHAT, error.to_string()),
        Ok(sample) if sample.unverified.is_empty() => Checked::good(WHAT, verifiable(&sample)),
        Ok(sample) => {
            Checked::note(WHAT, format!("{}; {}", unverified(&sample), verifiable(&sample)))
        }
    }
}

fn verifiable(sample: &HashSample) -> String {
    let all = grouped(sample.verifiable.values().sum());
    let forms = named(sample.verifiable.iter().map(|(format, count)| (format, *count)));
    format!("{all} of those looked at can be verified{forms}")
}

fn unverified(sample: &HashSample) -> String {
    let (some, all) = (sample.cannot_be_verified(), sample.hashes());
    let share = percent(some, all);
    let kinds = sample.unverified.iter();
    let kinds = named(kinds.map(|((reason, shape), count)| (format!("{reason} {shape}"), *count)));
    let how = "docs/hashes.md says how to name their form";
    format!("{share} CANNOT BE VERIFIED, {} of {}{kinds}: {how}", grouped(some), grouped(all))
}

/// In tenths, rounded up: none is 0 only if it is none.
fn percent(some: u64, all: u64) -> String {
    let permille = (some * 1000).div_ceil(all.max(1));
    format!("{}.{} %", permille / 10, permille % 10)
}

/// The most frequent first.
fn named<T: Display>(kinds: impl Iterator<Item = (T, u64)>) -> String {
    let mut kinds: Vec<_> = kinds.collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = if kinds.len() > NAMED_MAX { ", ..." } else { "" };
    let kinds = kinds.iter().take(NAMED_MAX);
    let kinds: Vec<_> = kinds.map(|(kind, count)| format!("{kind} {}", grouped(*count))).collect();
    if kinds.is_empty() { String::new() } else { format!(" ({}{more})", kinds.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_said_to_be_none() {
        assert_eq!(percent(0, 9), "0.0 %");
        assert_eq!(percent(1, 10_000), "0.1 %");
        assert_eq!(percent(494, 729), "67.8 %");
    }
}
