use notice::Language;

/// Digits between two marks in a long number.
const GROUP: usize = 3;

/// A number as people write it: 32,888,300 or 32.888.300.
pub(crate) fn number(language: Language, number: u64) -> String {
    let mark = match language {
        Language::English => ',',
        Language::German => '.',
    };
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(GROUP) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_cut_into_groups() {
        let cases = [
            (0, "0", "0"),
            (999, "999", "999"),
            (1204, "1,204", "1.204"),
            (32_888_300, "32,888,300", "32.888.300"),
        ];
        for (count, english, german) in cases {
            assert_eq!(number(Language::English, count), english);
            assert_eq!(number(Language::German, count), german);
        }
    }
}
