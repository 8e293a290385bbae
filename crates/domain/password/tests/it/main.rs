//! What the software of real sites makes of our hashes, and we of theirs.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use model::{HashFormat, Randomness, Secret, StoredHash, Verdict};
use password::{Attempt, CostLimits, Recipe, Verifier, recognise};
use serde_json::{Value, json};

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
    let verdicts = verifier().verify_many(&attempts);
    for (vector, verdict) in vectors.iter().zip(verdicts) {
        let (origin, text) = (&vector.origin, vector.hash.expose());
        let secret = vector.secrets.len() - 1;
        assert_eq!(verdict, Verdict::Match { secret }, "{origin}: {text}");
        let format = recognise(&vector.hash, &CostLimits::default());
        assert_eq!(format, Ok(vector.format), "{origin}: {text}");
    }
}

#[test]
fn other_software_accepts_what_we_make() {
    let passwords: [&[u8]; 3] = [b"Correct horse", "Pässwört-日本".as_bytes(), b""];
    let recipes = recipes();
    let made: Vec<_> = recipes
        .iter()
        .zip(passwords.iter().cycle())
        .map(|(recipe, password)| (recipe.format(), made(recipe, password), *password))
        .collect();
    let answers = answers(&made);
    assert_eq!(answers.len(), made.len());
    for ((format, hash, _), accepted) in made.iter().zip(answers) {
        assert!(accepted, "{format}: {}", hash.expose());
    }
}

/// The default of every format, and an imitation of every kind that other software makes.
fn recipes() -> Vec<Recipe> {
    let defaults = HashFormat::ALL.iter().copied().map(Recipe::with_default_cost);
    let imitations = vectors().into_iter().map(|vector| {
        Recipe::like(&vector.hash, &CostLimits::default()).expect("a vector can be imitated")
    });
    let mut recipes = Vec::new();
    for recipe in defaults.chain(imitations) {
        if !recipes.contains(&recipe) {
            recipes.push(recipe);
        }
    }
    recipes
}

fn made(recipe: &Recipe, password: &[u8]) -> StoredHash {
    let made = verifier().make(recipe, &Secret::from(password), &Counting::default());
    made.expect("the password holds no NUL byte")
}

fn verifier() -> Verifier {
    Verifier::new(CostLimits::default(), None)
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
    let questions = questions.collect::<Vec<_>>().join(
        "
",
    );
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

#[derive(Default)]
struct Counting(AtomicU64);

impl Randomness for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let drawn = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
    }
}
