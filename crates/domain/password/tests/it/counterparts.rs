//! What the software of real sites makes of our hashes, and we of theirs.

use std::{
    collections::HashMap,
    io::Write,
    process::{Command, Output, Stdio},
    sync::{Arc, OnceLock},
};

use model::{HashFormat, Secret, StoredHash, Verdict};
use password::{Attempt, CostLimits, HashForms, ImitateError, MakeHashError, TriedHash, Verifier};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Counting;

/// A hash that other software made, and what to try on it.
#[derive(Clone)]
struct Vector {
    told: Told,
    hash: StoredHash,
    /// The wrong ones, then the right one.
    secrets: Vec<Secret>,
    verifier: Arc<Verifier>,
}

/// What its software tells of a hash.
#[derive(Clone, Deserialize)]
struct Told {
    origin: String,
    part: String,
    format: HashFormat,
    hash: String,
    /// How the site's operators would say what it is, if its text does not.
    forms: Option<Vec<String>>,
    key: Option<String>,
    user: Option<String>,
    password_hex: String,
    wrong_hex: Vec<String>,
    /// The password of the hash that is made like it.
    new_hex: String,
}

/// It holds a second digest, of the password in capitals.
const MSSQL_2000: &str = "mssql2000";

/// Of each a dozen passwords at least: software that is not asked proves nothing.
const VECTORS_MIN: usize = 1500;

#[test]
fn hashes_of_other_software_match_their_password_and_no_other() {
    assert!(vectors().len() > VECTORS_MIN, "{} hashes", vectors().len());
    let faults: Vec<_> = vectors().par_iter().with_max_len(1).filter_map(fault).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn fault(vector: &Vector) -> Option<String> {
    let TriedHash { verdict, format, .. } = vector.verifier.verify(&vector.hash, &vector.secrets);
    if !vector.is_matched(verdict) {
        return Some(vector.said(&format!("{verdict:?}")));
    }
    let is_right = format == Some(vector.told.format);
    (!is_right).then(|| vector.said(&format!("read as {format:?}, not {}", vector.told.format)))
}

#[test]
fn a_batch_gives_what_one_by_one_gives() {
    let every = vectors().iter().step_by(9).filter(|vector| vector.told.forms.is_none());
    let every: Vec<_> = every.collect();
    let attempts =
        every.iter().map(|vector| Attempt { hash: &vector.hash, secrets: &vector.secrets });
    let attempts: Vec<_> = attempts.collect();
    let tried = every[0].verifier.verify_many(&attempts);
    for (vector, TriedHash { verdict, .. }) in every.iter().zip(tried) {
        assert!(vector.is_matched(verdict), "{}", vector.said(&format!("{verdict:?}")));
    }
}

#[test]
fn other_software_accepts_what_we_make() {
    let imitated = vectors().par_iter().with_max_len(1);
    let imitated = imitated.filter_map(|vector| Some((vector, vector.imitated()?)));
    let imitated: Vec<_> = imitated.collect();
    let answers = answers(imitated.iter().map(|(_, made)| made.to_string()));
    assert_eq!(answers.len(), imitated.len());
    let refused = imitated.iter().zip(answers).filter(|(_, is_accepted)| !is_accepted);
    let refused = refused.map(|((vector, made), _)| vector.said(&made.to_string()));
    let refused: Vec<_> = refused.collect();
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

impl Vector {
    /// By its own password, not by one of the wrong ones.
    const fn is_matched(&self, verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Match { secret, .. } if secret + 1 == self.secrets.len())
    }

    fn said(&self, what: &str) -> String {
        let Told { origin, part, hash, password_hex, .. } = &self.told;
        format!("{origin} {part}: {what}: {hash} of {password_hex}")
    }

    /// An imitation, of the reading that its own password has proved, and what to ask of it; `None` for
    /// the one form that is not made.
    fn imitated(&self) -> Option<Value> {
        let right = std::slice::from_ref(self.secrets.last().expect("a password"));
        let Verdict::Match { reading, .. } = self.verifier.verify(&self.hash, right).verdict else {
            panic!("{}", self.said("does not verify"))
        };
        let new = secret(&self.told.new_hex);
        let made = self.verifier.imitate(&self.hash, Some(reading), &new, &Counting::default());
        if let Err(error) = &made
            && self.told.part == MSSQL_2000
        {
            assert_eq!(*error, ImitateError::Make(MakeHashError::VerifiedOnly));
            return None;
        }
        let made = made.unwrap_or_else(|error| panic!("{}", self.said(&error.to_string())));
        let Told { origin, part, user, new_hex, .. } = &self.told;
        let hash = made.text();
        Some(json!({
            "origin": origin, "part": part, "user": user, "password_hex": new_hex, "hash": hash,
        }))
    }
}

/// Made once: some of it takes seconds.
fn vectors() -> &'static [Vector] {
    static VECTORS: OnceLock<Vec<Vector>> = OnceLock::new();
    VECTORS.get_or_init(|| {
        let output = testkit::python("vectors.py").output();
        let mut verifiers = HashMap::new();
        let lines = counted_lines(&output.expect("the script starts"));
        lines.into_iter().map(|line| vector(line, &mut verifiers)).collect()
    })
}

/// Forms and key of a site, and what verifies its hashes.
type Verifiers = HashMap<(Option<Vec<String>>, Option<String>), Arc<Verifier>>;

fn vector(line: Value, verifiers: &mut Verifiers) -> Vector {
    let told: Told = serde_json::from_value(line).expect("a vector");
    let site = (told.forms.clone(), told.key.clone());
    let verifier = verifiers.entry(site).or_insert_with(|| verifier(&told)).clone();
    let columns: Vec<_> = told.user.iter().map(|user| ("user", user.as_str())).collect();
    let hash = StoredHash::from_columns(Some(told.hash.clone()), &columns).expect("a hash");
    let secrets = told.wrong_hex.iter().chain([&told.password_hex]);
    let secrets = secrets.map(|hex| secret(hex)).collect();
    Vector { told, hash, secrets, verifier }
}

fn verifier(told: &Told) -> Arc<Verifier> {
    let key = told.key.as_ref().map(|key| Secret::from(key.as_bytes()));
    let forms = told.forms.iter().flatten().map(String::as_str);
    let forms = HashForms::of_site(forms, key).expect("forms that there are");
    Arc::new(Verifier::new(CostLimits::default(), forms))
}

fn secret(hex: &str) -> Secret {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes());
    Secret::new(bytes.expect("lower-case hex"))
}

fn answers(questions: impl Iterator<Item = String>) -> Vec<bool> {
    let questions = questions.collect::<Vec<_>>().join("\n");
    let output = fed(testkit::python("vectors.py").arg("check"), &questions);
    let lines = counted_lines(&output);
    lines.iter().map(|line| line["accepted"] == true).collect()
}

fn fed(command: &mut Command, input: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the script starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // The script answers only what it has read, and less than a pipe holds.
    stdin.write_all(input.as_bytes()).expect("the script reads");
    drop(stdin);
    child.wait_with_output().expect("the script ends")
}

/// All lines but the last, which has to count them: nothing was lost on the way.
fn counted_lines(output: &Output) -> Vec<Value> {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "vectors.py failed:\n{complaint}");
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).expect("JSON"));
    let mut lines: Vec<_> = lines.collect();
    let last = lines.pop().expect("a count");
    assert_eq!(last["count"], lines.len(), "vectors.py lost lines");
    assert!(!lines.is_empty(), "vectors.py made nothing");
    lines
}
