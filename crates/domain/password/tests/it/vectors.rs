//! Hashes that real software has made, or that others have published, each with its password; most
//! with a description of its form.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use model::{Secret, StoredHash, Unverified, Verdict};
use password::{CostLimits, HashForms, Verifier};
use rayon::prelude::*;
use serde::Deserialize;

use crate::Counting;

const VECTORS: &str = include_str!("vectors.jsonl");

#[derive(Deserialize)]
struct Row {
    id: String,
    source: String,
    password: String,
    stored: String,
    #[serde(default)]
    language: Vec<(String, String)>,
    #[serde(default)]
    extra: serde_json::Map<String, serde_json::Value>,
}

/// Forms whose text says nothing, by the beginnings of their vectors' names.
const NAMED: &[(&str, &str)] = &[("firebase.", "firebase_export"), ("wcf2.", "woltlab2")];

/// No form of ours, and why.
const NOT_VERIFIED: &[(&str, Unverified)] = &[("bcrypt-2x.1", Unverified::UnsupportedVariant)];

/// `$gy$`, `{SSH`, `$arg`.
const MARK_CHARS: usize = 4;

impl Row {
    fn hash(&self) -> StoredHash {
        let columns = self.extra.iter().filter(|(name, _)| *name != "pepper");
        let columns: Vec<_> =
            columns.map(|(name, text)| (name.as_str(), text.as_str().expect("a text"))).collect();
        StoredHash::from_columns(Some(self.stored.clone()), &columns).expect("a hash")
    }

    fn verifier(&self) -> Verifier {
        let named = NAMED.iter().filter(|(begin, _)| self.id.starts_with(begin));
        let described = self
            .language
            .iter()
            .enumerate()
            .map(|(place, (layout, steps))| format!("described_{place}: {layout} := {steps}"));
        let entries: Vec<_> = described.chain(named.map(|(_, name)| (*name).to_owned())).collect();
        let forms = HashForms::of_site(entries.iter().map(String::as_str), self.key());
        let forms = forms.unwrap_or_else(|error| panic!("{}: {error}", self.id));
        Verifier::new(CostLimits::default(), forms)
    }

    fn key(&self) -> Option<Secret> {
        let key = self.extra.get("pepper")?;
        Some(Secret::from(key.as_str().expect("a text").as_bytes()))
    }

    fn password(&self) -> Secret {
        secret(&self.password)
    }

    /// How it is described, and which of the functions that write their own names made it.
    fn form(&self) -> (Vec<(String, String)>, String) {
        (self.language.clone(), self.stored.chars().take(MARK_CHARS).collect())
    }

    fn expected(&self) -> Option<Unverified> {
        NOT_VERIFIED.iter().find(|(id, _)| *id == self.id).map(|(_, reason)| *reason)
    }
}

fn rows() -> Vec<Row> {
    VECTORS.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// All of them in a full run; otherwise the first of each form, since others of it differ in their
/// passwords alone.
fn rows_in_depth() -> Vec<Row> {
    let mut seen = HashSet::new();
    let is_taken = |row: &Row| seen.insert(row.form()) || testkit::full();
    rows().into_iter().filter(is_taken).collect()
}

/// What a check finds wrong with some rows, each looked at on whichever core is idle.
#[track_caller]
fn assert_faultless(rows: &[Row], fault: impl Fn(&Row) -> Option<String> + Sync) {
    let faults = rows
        .par_iter()
        .with_max_len(1)
        .filter_map(|row| Some(format!("{} ({}): {}", row.id, row.source, fault(row)?)));
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_vector_matches_its_password() {
    let rows = rows();
    assert!(rows.len() > 300, "{} vectors", rows.len());
    assert_faultless(&rows, |row| {
        match (row.expected(), row.verifier().verify(&row.hash(), &[row.password()]).verdict) {
            (None, Verdict::Match { .. }) => None,
            (Some(reason), Verdict::Unverified(found)) if reason == found => None,
            (_, found) => Some(format!("{found:?}")),
        }
    });
}

/// Forms whose costs an application has in its code, or in a column that these vectors come without.
const DESCRIBED_BY_SITES: &[&str] = &[
    "spring-pbkdf2-secret.",
    "spring-pbkdf2-secret512b64.",
    "spring-md-512-3-b64.",
    "gitea.",
    "gitea-scrypt.",
    "keycloak.",
];

/// A site names its form, and does not describe it.
#[test]
fn every_vector_matches_in_a_form_of_the_tables() {
    let is_named = |row: &Row| !DESCRIBED_BY_SITES.iter().any(|begin| row.id.starts_with(begin));
    let rows: Vec<_> = rows_in_depth().into_iter().filter(is_named).collect();
    assert_faultless(&rows, |row| {
        let forms = HashForms::every([], row.key().into_iter().collect()).expect("forms");
        let verifier = Verifier::new(CostLimits::default(), forms);
        match (row.expected(), verifier.verify(&row.hash(), &[row.password()]).verdict) {
            (_, Verdict::Match { .. }) | (Some(_), Verdict::Unverified(_)) => None,
            (_, found) => Some(format!("{found:?}: {:?} {}", row.language, row.stored)),
        }
    });
}

#[test]
fn no_vector_matches_another_password() {
    assert_faultless(&rows_in_depth(), |row| {
        let found = row.verifier().verify(&row.hash(), &[secret("wrong")]).verdict;
        let is_fair = match found {
            Verdict::NoMatch | Verdict::Unverified(Unverified::UnknownFormat) => true,
            Verdict::Unverified(reason) => row.expected() == Some(reason),
            Verdict::Match { .. } => false,
        };
        (!is_fair).then(|| format!("{found:?}"))
    });
}

#[test]
fn what_is_made_like_a_vector_verifies() {
    let verified_only = AtomicUsize::new(0);
    assert_faultless(&rows_in_depth(), |row| {
        let (hash, verifier, old) = (row.hash(), row.verifier(), [row.password()]);
        let Verdict::Match { reading, .. } = verifier.verify(&hash, &old).verdict else {
            return None;
        };
        let new = secret("Neues Wort 7");
        match verifier.imitate(&hash, Some(reading), &new, &Counting::default()) {
            Ok(made) => match verifier.verify(&made, &[new]).verdict {
                Verdict::Match { .. } if made.expose() != hash.expose() => None,
                found => Some(format!("{found:?}")),
            },
            Err(error) if error.to_string().contains("not made") => {
                verified_only.fetch_add(1, Ordering::Relaxed);
                None
            }
            Err(error) => Some(error.to_string()),
        }
    });
    let verified_only = verified_only.into_inner();
    assert!(verified_only <= 4, "{verified_only} forms are verified only");
}

fn secret(text: &str) -> Secret {
    Secret::from(text.as_bytes())
}
