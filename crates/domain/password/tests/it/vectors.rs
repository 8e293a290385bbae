//! Hashes that real software has made, or that others have published, each with its password; most
//! with a description of its form.

use model::{Secret, StoredHash, Unverified, Verdict};
use password::{CostLimits, HashForms, Verifier};
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

impl Row {
    fn hash(&self) -> StoredHash {
        let columns = self.extra.iter().filter(|(name, _)| *name != "pepper");
        let columns: Vec<_> =
            columns.map(|(name, text)| (name.as_str(), text.as_str().expect("a text"))).collect();
        StoredHash::from_columns(Some(self.stored.clone()), &columns).expect("a hash")
    }

    fn verifier(&self) -> Verifier {
        let key = self
            .extra
            .get("pepper")
            .map(|key| Secret::from(key.as_str().expect("a text").as_bytes()));
        let named = NAMED.iter().filter(|(begin, _)| self.id.starts_with(begin));
        let described = self
            .language
            .iter()
            .enumerate()
            .map(|(place, (layout, steps))| format!("described_{place}: {layout} := {steps}"));
        let entries: Vec<_> = described.chain(named.map(|(_, name)| (*name).to_owned())).collect();
        let forms = HashForms::of_site(entries.iter().map(String::as_str), key);
        let forms = forms.unwrap_or_else(|error| panic!("{}: {error}", self.id));
        Verifier::new(CostLimits::default(), forms)
    }

    fn expected(&self) -> Option<Unverified> {
        NOT_VERIFIED.iter().find(|(id, _)| *id == self.id).map(|(_, reason)| *reason)
    }
}

fn rows() -> Vec<Row> {
    VECTORS.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_vector_matches_its_password_and_no_other() {
    let wrong = [Secret::from(&b"wrong"[..])];
    let mut faults = Vec::new();
    for row in rows() {
        let (hash, verifier) = (row.hash(), row.verifier());
        let right = [Secret::from(row.password.as_bytes())];
        match (row.expected(), verifier.verify(&hash, &right).verdict) {
            (None, Verdict::Match { .. }) => {}
            (Some(reason), Verdict::Unverified(found)) if reason == found => continue,
            (_, found) => faults.push(format!("{} ({}): {found:?}", row.id, row.source)),
        }
        let unmatched = verifier.verify(&hash, &wrong).verdict;
        let is_fair =
            matches!(unmatched, Verdict::NoMatch | Verdict::Unverified(Unverified::UnknownFormat));
        if !is_fair {
            faults.push(format!("{} ({}), wrong passwords: {unmatched:?}", row.id, row.source));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn what_is_made_like_a_vector_verifies() {
    let secret = Secret::from(&b"Neues Wort 7"[..]);
    let (mut faults, mut verified_only) = (Vec::new(), 0);
    for row in rows() {
        let (hash, verifier) = (row.hash(), row.verifier());
        let old = Secret::from(row.password.as_bytes());
        let Verdict::Match { reading, .. } =
            verifier.verify(&hash, std::slice::from_ref(&old)).verdict
        else {
            continue;
        };
        let made = match verifier.imitate(&hash, Some(reading), &secret, &Counting::default()) {
            Ok(made) => made,
            Err(error) => {
                verified_only += 1;
                assert!(error.to_string().contains("not made"), "{}: {error}", row.id);
                continue;
            }
        };
        let found = verifier.verify(&made, &[old, secret.clone()]).verdict;
        if !matches!(found, Verdict::Match { secret: 1, .. }) {
            faults.push(format!("{} ({}): {found:?}", row.id, row.source));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(verified_only <= 4, "{verified_only} forms are verified only");
}
