//! The site's accounts, as its operators export them.

use std::{iter, num::NonZero, panic::resume_unwind, thread};

use crate::{hash::Salt, people::Person, random::Random};

const HEADER: [&str; 8] = [
    "id",
    "email",
    "username",
    "hash",
    "email_verified",
    "locale",
    "last_login_at",
    "second_factor",
];

/// The export, a line for each of the people.
pub(crate) fn accounts(people: &[Person], random: &mut Random) -> Vec<u8> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let hashes = stored_hashes(people, random);
    let rows = people.iter().zip(&hashes).map(|(person, hash)| row(person, hash));
    for row in iter::once(HEADER).chain(rows) {
        table.write_record(row).expect("rows are equally long, and a vector takes everything");
    }
    table.into_inner().expect("a vector takes everything")
}

fn row<'a>(person: &'a Person, hash: &'a str) -> [&'a str; 8] {
    [
        &person.id,
        person.email.as_deref().unwrap_or_default(),
        &person.username,
        hash,
        truth(person.email_verified),
        person.locale,
        person.last_login_at.as_deref().unwrap_or_default(),
        truth(person.second_factor),
    ]
}

const fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Everybody's hash, made on all cores. Salts are drawn before, so that it does not matter how many
/// there are.
fn stored_hashes(people: &[Person], random: &mut Random) -> Vec<String> {
    let salted: Vec<_> = people.iter().map(|person| (person, Salt::draw(random))).collect();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let share = salted.len().div_ceil(cores).max(1);
    let hashes = |share: &[(&Person, Salt)]| {
        share.iter().map(|(person, salt)| stored_hash(person, salt)).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let shares = salted.chunks(share).map(|share| scope.spawn(move || hashes(share)));
        let shares: Vec<_> = shares.collect();
        let joined =
            shares.into_iter().map(|share| share.join().unwrap_or_else(|p| resume_unwind(p)));
        joined.flatten().collect()
    })
}

/// What Django writes behind a `!` where there is no password.
const DJANGO_MARK_CHARS: usize = 40;

/// Where there is no password, half of them are marked as Django does it.
fn stored_hash(person: &Person, salt: &Salt) -> String {
    match &person.password {
        Some(password) => person.format.hash(password, salt),
        None if person.role.place.is_multiple_of(2) => {
            let text = salt.text();
            format!("!{text}{}", &text[..DJANGO_MARK_CHARS - text.len()])
        }
        None => String::new(),
    }
}
