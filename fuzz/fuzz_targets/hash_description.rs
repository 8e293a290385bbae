//! Arbitrary text as the description of a form: no panic, no endless work, and it means the same once
//! more when it is printed. An input is a description, a column's text and a password, one a line.
#![no_main]

#[path = "../../crates/domain/password/tests/it/cheap.rs"]
mod cheap;

use libfuzzer_sys::fuzz_target;
use model::{Secret, StoredHash};
use password::{HashForms, Verifier};

use cheap::CHEAP;

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let [description, column, password] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let Some(verifier) = verifier(description) else { return };
    let hash = StoredHash::from_columns(Some(column.to_owned()), &[("salt", "na"), ("n", "7")]);
    let Some(hash) = hash else { return };
    let secret = Secret::from(password.as_bytes());
    let verdict = verifier.verify(&hash, std::slice::from_ref(&secret)).verdict;
    let explained = verifier.explain(&hash, &secret);
    for form in explained.unwrap_or_default().iter().filter(|form| form.format.as_str() == NAME) {
        let again = self::verifier(&form.description).expect("what is printed can be read");
        assert_eq!(again.verify(&hash, std::slice::from_ref(&secret)).verdict, verdict);
    }
});

const NAME: &str = "mine";

fn verifier(description: &str) -> Option<Verifier> {
    let entry = format!("{NAME}: {description}");
    let forms = HashForms::of_site([entry.as_str()], Some(Secret::from(&b"pepper"[..])));
    Some(Verifier::new(CHEAP, forms.ok()?))
}
