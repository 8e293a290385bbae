//! Whether the site's stored hashes can be verified.

use std::fmt::Display;

use directory::Directory;
use exposure::HashSample;
use instance::Checked;

use crate::{
    config::Config,
    output::grouped,
    wiring::{self, WiringError},
};

const WHAT: &str = "stored hashes";

/// Kinds of hashes that are named, at most.
const NAMED_MAX: usize = 8;

/// Looks at some of them, and says of which share nothing can be said, and of which forms nobody has proof.
pub(super) async fn check(config: &Config, directory: &dyn Directory) -> Vec<Checked> {
    match sample(config, directory).await {
        Err(error) => vec![Checked::bad(WHAT, error.to_string())],
        Ok(sample) if sample.unverified.is_empty() => {
            vec![Checked::good(WHAT, verifiable(&sample)), proof(&sample)]
        }
        Ok(sample) => {
            let found = format!("{}; {}", unverified(&sample), verifiable(&sample));
            vec![Checked::note(WHAT, found), proof(&sample)]
        }
    }
}

async fn sample(config: &Config, directory: &dyn Directory) -> Result<HashSample, WiringError> {
    let verifier = wiring::verifier(config)?;
    // Why there is no instance has been said.
    let instance = wiring::instance(config).await.ok();
    let proved = match &instance {
        Some(instance) => Some(exposure::proved_forms(instance).await?),
        None => None,
    };
    Ok(exposure::sample_hashes(directory, &verifier, proved.as_ref()).await?)
}

/// In a wrong form nobody is exposed.
fn proof(sample: &HashSample) -> Checked {
    const WHAT: &str = "proof of forms";
    if sample.without_proof.is_empty() {
        return Checked::good(WHAT, "a known password has proved each form that was looked at");
    }
    let kinds = named(sample.without_proof.iter().map(|(shape, count)| (shape, *count)));
    let some = grouped(sample.without_proof.values().sum());
    let how = "`countersign verify calibrate` proves how they are computed";
    Checked::note(WHAT, format!("WITHOUT PROOF, {some} of those looked at{kinds}: {how}"))
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
