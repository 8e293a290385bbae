use std::fmt;

use crate::{
    names::{ACCENTED_WORDS, COMMON_PASSWORDS, WORDS},
    random::Random,
};

/// A password of an invented person.
///
/// It guards nothing. Its `Debug` is mute all the same: code that prints this one would print a
/// real one, too.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to sign in with.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// One that only careless readers take for the same: its first letter in the other case.
    pub(crate) fn in_other_case(&self) -> Self {
        let mut other = self.0.clone();
        if let Some(at) = other.find(|letter: char| letter.is_ascii_alphabetic()) {
            let letter = &mut other[at..=at];
            if letter.bytes().all(|letter| letter.is_ascii_lowercase()) {
                letter.make_ascii_uppercase();
            } else {
                letter.make_ascii_lowercase();
            }
        }
        Self(other)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Passwords that many people have.
pub(crate) fn common() -> Vec<Password> {
    COMMON_PASSWORDS.iter().copied().map(Password::new).collect()
}

/// Makes passwords of which no two are equal, so that a match tells exactly whose it is.
#[derive(Default)]
pub(crate) struct Phrases {
    made: usize,
}

impl Phrases {
    pub(crate) fn next(&mut self, random: &mut Random) -> Password {
        self.made += 1;
        let number = self.made * 100 + random.below(100);
        let (one, two) = (random.pick(WORDS), random.pick(WORDS));
        let accented = random.pick(ACCENTED_WORDS);
        Password(match random.below(9) {
            0 => format!("{one}:{two}:{number}"),
            1 => format!("{one} {two} {number}"),
            2 => format!("{one};{two},{number}"),
            3 => format!("{accented}{number}"),
            4 => format!("{accented} {two}-{number}?"),
            5 => format!(":{one}{number}:"),
            6 => format!("{number}|{one}@{two}"),
            _ => format!("{one}-{two}-{number}!"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_are_equal() {
        let (mut phrases, mut random) = (Phrases::default(), Random::new(1));
        let made: HashSet<_> = (0..10_000).map(|_| phrases.next(&mut random).0).collect();
        assert_eq!(made.len(), 10_000);
    }

    #[test]
    fn the_other_case_is_another_password() {
        let other = |text: &str| Password::new(text).in_other_case().0;
        assert_eq!(other(":amber1:"), ":Amber1:");
        assert_eq!(other("Größe7"), "größe7");
        assert_eq!(other("Øresund7"), "ØResund7");
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(format!("{:?}", common()[0]), "Password(..)");
    }
}
