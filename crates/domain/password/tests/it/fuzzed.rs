//! What fuzzing has found worth keeping (`cargo xtask fuzz`), tried once more: no panic, no endless work.

use model::{Secret, StoredHash, Unverified, Verdict};
use password::{HashForms, Verifier};
use rayon::prelude::*;
use serde::Deserialize;

use crate::cheap::CHEAP;

const INPUTS: &str = include_str!("fuzzed.jsonl");

#[derive(Deserialize)]
struct Input {
    target: String,
    input: String,
}

fn inputs(target: &str) -> Vec<String> {
    let all = INPUTS.lines().map(|line| serde_json::from_str::<Input>(line).expect("JSON"));
    let of_it = all.filter(|input| input.target == target).map(|input| input.input);
    let of_it: Vec<_> = of_it.collect();
    assert!(of_it.len() >= 100, "{} inputs", of_it.len());
    of_it
}

#[test]
fn stored_hashes_that_were_made_up_match_nothing() {
    let verifier = Verifier::new(CHEAP, HashForms::known());
    inputs("stored_hash").par_iter().for_each(|input| {
        let Some(hash) = StoredHash::from_column(Some(input.clone())) else { return };
        let tried = verifier.verify(&hash, &[Secret::from(&b"wrong"[..])]);
        let is_unknown = verifier.recognise(&hash) == Err(Unverified::UnknownFormat);
        assert!(tried.format.is_some() || is_unknown, "{input:?}");
        let is_match = matches!(tried.verdict, Verdict::Match { .. });
        assert!(!is_match || input.ends_with("wrong"), "{input:?}");
    });
}

#[test]
fn a_description_means_the_same_when_it_is_printed() {
    let of_site = |description: &str| {
        let entry = format!("mine: {description}");
        let forms = HashForms::of_site([entry.as_str()], Some(Secret::from(&b"pepper"[..])));
        forms.ok().map(|forms| Verifier::new(CHEAP, forms))
    };
    let inputs = inputs("hash_description");
    let tried = inputs.par_iter().filter_map(|input| {
        let mut lines = input.splitn(3, '\n');
        let [description, column, password] = [(); 3].map(|()| lines.next().unwrap_or_default());
        let verifier = of_site(description)?;
        let columns = [("salt", "na"), ("n", "7")];
        let hash = StoredHash::from_columns(Some(column.to_owned()), &columns)?;
        let secrets = [Secret::from(password.as_bytes())];
        let verdict = verifier.verify(&hash, &secrets).verdict;
        for form in verifier.explain(&hash, &secrets[0]).ok()? {
            if form.format.as_str() == "mine" {
                let again = of_site(&form.description).expect("what is printed can be read");
                assert_eq!(again.verify(&hash, &secrets).verdict, verdict, "{input:?}");
            }
        }
        Some(())
    });
    let tried = tried.count();
    assert!(tried > 10, "{tried} descriptions had the shape of their column");
}
