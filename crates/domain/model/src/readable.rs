//! Foreign text in what operators read and sign.

/// Quotes foreign text so that it is exactly what it looks like.
///
/// Printable ASCII and Latin letters stand as they are; everything else - terminal controls, line
/// ends, bidirectional and invisible characters, and letters of other scripts that could pass for
/// Latin ones - is written as `\u{...}`. The ranges are fixed here and follow no Unicode table,
/// so that a signature made by one build verifies in every other.
#[must_use]
pub fn readable(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            _ if is_plain(char) => quoted.push(char),
            _ => quoted.extend(char.escape_unicode()),
        }
    }
    quoted.push('"');
    quoted
}

/// U+00AD is the soft hyphen, which shows only at the end of a line.
const fn is_plain(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_deceive_is_spelt_out() {
        assert_eq!(readable("Bücher & Co."), r#""Bücher & Co.""#);
        assert_eq!(readable("a\u{1b}[2J\n\u{202e}b"), r#""a\u{1b}[2J\u{a}\u{202e}b""#);
        assert_eq!(readable("p\u{430}ypal\u{200b}"), r#""p\u{430}ypal\u{200b}""#);
        assert_eq!(readable(r#"x" y: \u{41}"#), r#""x\" y: \\u{41}""#);
    }

    proptest! {
        #[test]
        fn no_two_texts_look_alike(a in ".{0,6}", b in ".{0,6}") {
            prop_assert_eq!(readable(&a) == readable(&b), a == b);
        }

        #[test]
        fn nothing_leaves_its_line(text in any::<String>()) {
            prop_assert!(readable(&text).chars().all(is_plain));
        }
    }
}
