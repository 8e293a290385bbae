use model::{Secret, Unverified, Verdict};
use zeroize::Zeroizing;

use crate::{
    NewPassword, Objection,
    limits::{COUNTED_DIGITS_MAX, OLD_CHANGES_MAX},
};

/// What to try on the old hash before a new password is taken: the new one itself, and then up to
/// 12 small changes of it. Equal input gives an equal list; no two of it are equal.
///
/// Whoever holds the leaked password tries what people make of it first: another number or year,
/// one more character, another case. So each change here undoes one of those.
#[must_use]
pub fn variants_of(new: &NewPassword) -> Vec<Secret> {
    let text = new.expose();
    let mut variants = vec![new.to_secret()];
    for change in changes(text) {
        let known = variants.contains(&change) || change.expose().is_empty();
        if !known && variants.len() <= OLD_CHANGES_MAX {
            variants.push(change);
        }
    }
    variants
}

/// What the verdict on [`variants_of`] means for the new password.
///
/// # Errors
/// [`Unverified`] if the old hash could not be tried with all of them. Whether the password is
/// taken nevertheless is for the caller to say: nothing is known against it.
pub const fn against_old(verdict: Verdict) -> Result<Option<Objection>, Unverified> {
    match verdict {
        Verdict::Match { secret: 0, .. } => Ok(Some(Objection::OldPassword)),
        Verdict::Match { .. } => Ok(Some(Objection::LikeOldPassword)),
        Verdict::NoMatch => Ok(None),
        Verdict::Unverified(reason) => Err(reason),
    }
}

/// In the order of how often people do the opposite.
fn changes(text: &str) -> Vec<Secret> {
    let mut changes = vec![but_last(text)];
    changes.extend(counted(text));
    changes.extend(cut(text));
    changes.push(with_case(text, Case::FirstSwapped));
    changes.push(joined(&[text, "1"]));
    changes.push(joined(&[text, "!"]));
    changes.push(with_case(text, Case::AllSwapped));
    changes.push(but_first(text));
    changes.push(with_case(text, Case::Lower));
    changes
}

/// The last number one less and one more: counters and years. `10` may come of `9` and of `09`.
fn counted(text: &str) -> Vec<Secret> {
    let Some((before, digits, behind)) = last_number(text) else { return Vec::new() };
    let Ok(number) = digits.parse::<u64>() else { return Vec::new() };
    let wide = digits.len();
    let width = if digits.starts_with('0') { wide } else { 1 };
    let (less, more) = (number.checked_sub(1), number.checked_add(1));
    let counted = [(less, width), (more, width), (less, wide)].into_iter();
    let counted = counted.filter_map(|(number, width)| {
        let digits = Zeroizing::new(format!("{:0width$}", number?));
        Some(joined(&[before, &digits, behind]))
    });
    counted.collect()
}

/// Without the marks at the end, without the number before them, and without both.
fn cut(text: &str) -> Vec<Secret> {
    let stem = text.trim_end_matches(is_mark);
    let marks = &text[stem.len()..];
    let word = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    [joined(&[stem]), joined(&[word]), joined(&[word, marks])].into()
}

/// The last digits in a row, if a computer can count with them, and what stands around them.
fn last_number(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = text[..end].trim_end_matches(|c: char| c.is_ascii_digit()).len();
    (end - start <= COUNTED_DIGITS_MAX).then(|| (&text[..start], &text[start..end], &text[end..]))
}

fn is_mark(c: char) -> bool {
    !c.is_alphanumeric()
}

fn but_last(text: &str) -> Secret {
    let mut chars = text.chars();
    chars.next_back();
    joined(&[chars.as_str()])
}

fn but_first(text: &str) -> Secret {
    let mut chars = text.chars();
    chars.next();
    joined(&[chars.as_str()])
}

#[derive(Clone, Copy)]
enum Case {
    FirstSwapped,
    AllSwapped,
    Lower,
}

fn with_case(text: &str, case: Case) -> Secret {
    // No character has more than three in another case, so the buffer never moves.
    let mut bytes = Vec::with_capacity(3 * text.len());
    let first = text.find(char::is_alphabetic);
    for (at, c) in text.char_indices() {
        match case {
            Case::FirstSwapped if Some(at) != first => put(&mut bytes, [c]),
            Case::FirstSwapped | Case::AllSwapped if c.is_lowercase() => {
                put(&mut bytes, c.to_uppercase());
            }
            _ => put(&mut bytes, c.to_lowercase()),
        }
    }
    Secret::new(bytes)
}

fn put(bytes: &mut Vec<u8>, chars: impl IntoIterator<Item = char>) {
    for c in chars {
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// In one piece of memory that never moves.
fn joined(parts: &[&str]) -> Secret {
    Secret::new(parts.concat().into_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::LengthRules;

    fn variants(text: &str) -> Vec<String> {
        let typed = Zeroizing::new(text.to_owned());
        let new = NewPassword::parse(typed, &LengthRules::default()).unwrap();
        let text = |variant: &Secret| String::from_utf8(variant.expose().to_vec()).unwrap();
        variants_of(&new).iter().map(text).collect()
    }

    #[track_caller]
    fn check(new: &str, expected: &[&str]) {
        assert_eq!(variants(new), expected);
    }

    /// That whoever goes from one to the other is stopped.
    #[track_caller]
    fn close(old: &str, new: &str) {
        assert!(variants(new).iter().any(|variant| variant == old), "{old} -> {new}");
    }

    #[test]
    fn the_list_is_the_same_for_ever() {
        let expected = [
            "Summer2026!",
            "Summer2026",
            "Summer2025!",
            "Summer2027!",
            "Summer",
            "Summer!",
            "summer2026!",
            "Summer2026!1",
            "Summer2026!!",
            "sUMMER2026!",
            "ummer2026!",
        ];
        check("Summer2026!", &expected);
        let expected = [
            "correct horse",
            "correct hors",
            "Correct horse",
            "correct horse1",
            "correct horse!",
            "CORRECT HORSE",
            "orrect horse",
        ];
        check("correct horse", &expected);
        check(
            "12345678",
            &["12345678", "1234567", "12345677", "12345679", "123456781", "12345678!", "2345678"],
        );
    }

    #[test]
    fn what_people_do_to_an_old_password_is_seen() {
        close("password", "password1");
        close("password1", "password2");
        close("password09", "password10");
        close("password9", "password10");
        close("secret99", "secret100");
        close("Winter2025", "Winter2026");
        close("Winter2025!", "Winter2026!");
        close("2025winter", "2026winter");
        close("password", "Password");
        close("pASSWORD", "Password");
        close("passwort", "passwort!!!");
        close("passwort", "passwort123");
        close("passwort", "passwort2026!");
        close("password1", "password");
        close("password!", "password");
        close("\u{fc}bermut7", "\u{dc}bermut7");
        close("password", "PassWord");
    }

    #[test]
    fn the_verdict_says_which_it_was() {
        assert_eq!(
            against_old(Verdict::Match { secret: 0, reading: 0 }),
            Ok(Some(Objection::OldPassword))
        );
        assert_eq!(
            against_old(Verdict::Match { secret: 3, reading: 0 }),
            Ok(Some(Objection::LikeOldPassword))
        );
        assert_eq!(against_old(Verdict::NoMatch), Ok(None));
        let reason = Unverified::TooExpensive;
        assert_eq!(against_old(Verdict::Unverified(reason)), Err(reason));
    }

    proptest! {
        #[test]
        fn the_list_is_short_and_each_stands_once(
            text in "\\PC{8,40}|[a-zA-Z]{4,8}[0-9]{4,20}[!?.]{0,3}|[0-9]{8,30}|[\u{df}\u{130}\u{390}]{8,20}",
        ) {
            let found = variants(&text);
            prop_assert_eq!(&found[0], &text);
            prop_assert!(found.len() <= 1 + OLD_CHANGES_MAX);
            let distinct: BTreeSet<_> = found.iter().collect();
            prop_assert_eq!(distinct.len(), found.len());
            prop_assert!(found.iter().all(|variant| !variant.is_empty()));
            prop_assert_eq!(variants(&text), found);
        }

        #[test]
        fn a_counter_is_always_seen(word in "[a-z]{8}", number in 0_u32..1_000_000, mark in "!?") {
            let (old, new) = (format!("{word}{number}{mark}"), format!("{word}{}{mark}", number + 1));
            prop_assert!(variants(&new).contains(&old));
            prop_assert!(variants(&old).contains(&new));
        }
    }
}
