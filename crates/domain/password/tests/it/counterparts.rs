//! What the software of real sites makes of our hashes, and we of theirs.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use model::{HashFormat, Secret, StoredHash, Verdict};
use password::{Attempt, CostLimits, HashForms, TriedHash, Verifier};
use serde_json::{Value, json};

use crate::Counting;

/// A hash that other software made, and what to try on it.
struct Vector {
    origin: String,
    format: HashFormat,
    hash: StoredHash,
    /// The wrong ones, then the right one.
    secrets: Vec<Secret>,
}

#[test]
fn hashes_of_other_software_match_their_password_and_no_other() {
    let vectors = vectors();
    let attempts =
        vectors.iter().map(|vector| Attempt { hash: &vector.hash, secrets: &vector.secrets });
    let attempts: Vec<_> = attempts.collect();
    let tried = verifier().verify_many(&attempts);
    for (vector, TriedHash { verdict, format, .. }) in vectors.iter().zip(tried) {
        let (origin, text) = (&vector.origin, vector.hash.expose());
        let secret = vector.secrets.len() - 1;
        let Verdict::Match { secret: found, .. } = verdict else {
            panic!("{origin}: {verdict:?}: {text}")
        };
        assert_eq!(found, secret, "{origin}: {text}");
        assert_eq!(format, Some(vector.format), "{origin}: {text}");
    }
}

#[test]
fn other_software_accepts_what_we_make() {
    let passwords: [&[u8]; 3] = [b"Correct horse", "Pässwört-日本".as_bytes(), b""];
    let vectors = vectors();
    let made: Vec<_> = vectors
        .iter()
        .zip(passwords.iter().cycle())
        .map(|(vector, password)| (vector.format, made(vector, password), *password))
        .collect();
    let answers = answers(&made);
    assert_eq!(answers.len(), made.len());
    for ((format, hash, _), accepted) in made.iter().zip(answers) {
        assert!(accepted, "{format}: {}", hash.expose());
    }
}

/// An imitation, of the reading that its own password has proved.
fn made(vector: &Vector, password: &[u8]) -> StoredHash {
    let verifier = verifier();
    let Verdict::Match { reading, .. } = verifier.verify(&vector.hash, &vector.secrets).verdict
    else {
        panic!("{} does not verify", vector.origin)
    };
    let (reading, secret) = (Some(reading), Secret::from(password));
    let made = verifier.imitate(&vector.hash, reading, &secret, &Counting::default());
    made.unwrap_or_else(|error| panic!("{}: {error}", vector.origin))
}

fn verifier() -> Verifier {
    Verifier::new(CostLimits::default(), HashForms::known())
}

fn vectors() -> Vec<Vector> {
    let output = testkit::python("vectors.py").output();
    let lines = counted_lines(&output.expect("the script starts"));
    lines.iter().map(vector).collect()
}

fn vector(line: &Value) -> Vector {
    let text = |name: &str| line[name].as_str().expect("a text").to_owned();
    let wrong = line["wrong_hex"].as_array().expect("a list");
    let wrong = wrong.iter().map(|hex| hex.as_str().expect("a text"));
    let right = text("password_hex");
    Vector {
        origin: text("origin"),
        format: text("format").parse().expect("a format"),
        hash: StoredHash::from_column(Some(text("hash"))).expect("a hash"),
        secrets: wrong.chain([right.as_str()]).map(secret).collect(),
    }
}

fn secret(hex: &str) -> Secret {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes());
    Secret::new(bytes.expect("lower-case hex"))
}

fn answers(made: &[(HashFormat, StoredHash, &[u8])]) -> Vec<bool> {
    let questions = made.iter().map(|(format, hash, password)| {
        let password = data_encoding::HEXLOWER.encode(password);
        json!({ "format": format, "hash": hash.expose(), "password_hex": password }).to_string()
    });
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
