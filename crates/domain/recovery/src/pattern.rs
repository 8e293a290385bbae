use zeroize::Zeroizing;

use crate::limits::{REPEATED_CHARS_MAX, RUN_CHARS_MIN};

/// Rows of the keyboards that our readers have.
const KEYBOARD_ROWS: [&str; 6] =
    ["qwertyuiop", "qwertzuiop\u{fc}", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm"];

/// Whether a password is a short piece again and again: `aaaaaaaa`, `abcabcab`.
pub(crate) fn is_repetition(password: &str) -> bool {
    let chars = lower_case(password);
    let longest = REPEATED_CHARS_MAX.min(chars.len() / 2);
    (1..=longest).any(|period| chars[period..].iter().zip(chars.iter()).all(|(a, b)| a == b))
}

/// Whether a password consists of runs alone, upwards, downwards or on the spot, by the alphabet
/// or by the keyboard: `12345678`, `abcd4321`, `qwertzui`.
pub(crate) fn is_sequence(password: &str) -> bool {
    let chars = lower_case(password);
    let mut rest = &chars[..];
    while !rest.is_empty() {
        let run = run_length(rest);
        if run < RUN_CHARS_MIN {
            return false;
        }
        rest = &rest[run..];
    }
    !chars.is_empty()
}

/// How many characters at the start go on as the first two begin.
fn run_length(chars: &[char]) -> usize {
    let pairs = |step: i8| {
        let pairs = chars.windows(2).take_while(|pair| is_step(pair[0], pair[1], step));
        pairs.count() + 1
    };
    [-1, 0, 1].map(pairs).into_iter().max().unwrap_or_default()
}

fn is_step(from: char, to: char, step: i8) -> bool {
    match step {
        0 => from == to,
        1 => follows(from, to),
        _ => follows(to, from),
    }
}

fn follows(from: char, to: char) -> bool {
    let next = u32::from(to).checked_sub(u32::from(from)) == Some(1);
    // The keyboard's row of digits ends with the 0.
    let counted = next || (from, to) == ('9', '0');
    counted
        || KEYBOARD_ROWS
            .iter()
            .any(|row| row.chars().zip(row.chars().skip(1)).any(|pair| pair == (from, to)))
}

fn lower_case(text: &str) -> Zeroizing<Vec<char>> {
    // No character has more than three in lower case, so the buffer never moves.
    let mut chars = Zeroizing::new(Vec::with_capacity(3 * text.len()));
    chars.extend(text.chars().flat_map(char::to_lowercase));
    chars
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(password: &str, repetition: bool, sequence: bool) {
        assert_eq!((is_repetition(password), is_sequence(password)), (repetition, sequence));
    }

    #[test]
    fn patterns_are_found() {
        check("aaaaaaaa", true, true);
        check("AaAaAaAa", true, true);
        check("abcabcab", true, false);
        check("jan1jan1", true, false);
        check("12345678", false, true);
        check("1234567890", false, true);
        check("987654321", false, true);
        check("Abcd4321", false, true);
        check("qwertzuiop", false, true);
        check("poiuytrewq123", false, true);
        check("aaabbbccc", false, true);
        check("\u{3b1}\u{3b2}\u{3b3}\u{3b4}", false, true);
    }

    #[test]
    fn a_pattern_within_a_password_is_none() {
        check("12345678x", false, false);
        check("correct horse", false, false);
        check("plumplum", true, false);
        check("plumsplums", false, false);
        check("", false, false);
        check("abcdefgh12", false, false);
    }

    proptest! {
        #[test]
        fn whatever_is_repeated_is_a_repetition(piece in "\\PC{1,4}", times in 2_usize..9) {
            // Some characters have more than one in lower case.
            prop_assume!(lower_case(&piece).len() <= REPEATED_CHARS_MAX);
            prop_assert!(is_repetition(&piece.repeat(times)));
        }

        #[test]
        fn any_text_can_be_looked_at(text in "\\PC*|[0-9a-c]{0,12}") {
            let _ = (is_repetition(&text), is_sequence(&text));
        }
    }
}
