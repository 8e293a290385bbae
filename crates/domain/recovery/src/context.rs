use zeroize::Zeroizing;

use crate::limits::{NAME_CHARS_MIN, TRIVIAL_DIGITS_MAX};

/// What everybody can guess of a password because they know whose it is (ASVS 6.1.2, 6.2.11).
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Longest first, and so are the next.
    identifiers: Vec<String>,
    site: Vec<String>,
}

impl Context {
    /// A person's identifiers - usernames and mail addresses, as many as they have - and what
    /// their site is called. Of an address, what stands before the `@` counts.
    #[must_use]
    pub fn new(identifiers: &[&str], site: &str) -> Self {
        let names = identifiers.iter().map(|text| text.rsplit_once('@').map_or(*text, |at| at.0));
        Self { identifiers: words(names), site: words([site]) }
    }

    /// Whether a password is made of identifiers, and at most the site's name, with trivial
    /// additions. Both count as made of identifiers.
    pub(crate) fn is_identifier(&self, password: &str) -> bool {
        let folded = folded(password);
        let left = without(folded.clone(), &self.identifiers);
        left.len() < folded.len() && is_trivial(&without(left, &self.site))
    }

    /// Whether a password is the site's name with trivial additions.
    pub(crate) fn is_site_name(&self, password: &str) -> bool {
        let folded = folded(password);
        let left = without(folded.clone(), &self.site);
        left.len() < folded.len() && is_trivial(&left)
    }
}

/// Names as they may stand in a password: whole, in their parts, and backwards.
fn words<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut words = Vec::new();
    for name in names {
        let parts = name.split(|c: char| !c.is_alphanumeric()).chain([name]);
        let parts = parts.map(|part| folded(part).to_string());
        words.extend(parts.filter(|part| part.chars().count() >= NAME_CHARS_MIN));
    }
    let backwards: Vec<_> = words.iter().map(|word| word.chars().rev().collect()).collect();
    words.extend(backwards);
    words.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words
}

/// Letters and digits alone, in lower case: what people take for the same.
fn folded(text: &str) -> Zeroizing<String> {
    let mut folded = Zeroizing::new(String::with_capacity(3 * text.len()));
    folded.extend(text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
    folded
}

fn without(text: Zeroizing<String>, words: &[String]) -> Zeroizing<String> {
    // What is left of two sides never joins to a new word: a space stays between them.
    let left = words.iter().fold(text, |text, word| Zeroizing::new(text.replace(word, " ")));
    Zeroizing::new(left.replace(' ', ""))
}

/// Whether what is left beside names adds nothing to guess: no letter, and no more digits than a
/// date has.
fn is_trivial(left: &str) -> bool {
    left.chars().all(char::is_numeric) && left.chars().count() <= TRIVIAL_DIGITS_MAX
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn context() -> Context {
        Context::new(&["Jane.Doe", "j.doe-work@example.net", "jo"], "Example Books")
    }

    #[track_caller]
    fn identifier(password: &str, expected: bool) {
        assert_eq!(context().is_identifier(password), expected, "{password}");
    }

    #[track_caller]
    fn site_name(password: &str, expected: bool) {
        assert_eq!(context().is_site_name(password), expected, "{password}");
    }

    #[test]
    fn a_name_with_trivial_additions_is_no_password() {
        identifier("jane.doe", true);
        identifier("JANEDOE!!", true);
        identifier("2026-Jane-Doe", true);
        identifier("DoeJane1987", true);
        identifier("eodenaj1", true);
        identifier("jdoework", true);
        identifier("jane@example-books", true);
        identifier("jane24121987", true);
        site_name("Example Books", true);
        site_name("examplebooks2026!", true);
        site_name("Books-1-Books", true);
    }

    #[test]
    fn a_name_within_a_password_is_none_of_our_business() {
        identifier("jane eats seven plums", false);
        identifier("jane123456789", false);
        identifier("examplebooks", false);
        identifier("jojojojo", false);
        identifier("12345678", false);
        site_name("an example of books", false);
        site_name("jane.doe", false);
        site_name("!!!!!!!!", false);
    }

    #[test]
    fn nothing_known_forbids_nothing() {
        for password in ["", "12345678", "anything else"] {
            assert!(!Context::default().is_identifier(password));
            assert!(!Context::new(&["", "@", "."], "").is_site_name(password));
        }
    }

    proptest! {
        #[test]
        fn digits_and_marks_are_trivial(
            name in "[a-z]{3,12}[0-9]{0,3}",
            before in "[!-/]{0,3}",
            behind in "[0-9]{0,8}[!-/]{0,3}",
        ) {
            let context = Context::new(&[&name], "");
            let upper = name.to_uppercase();
            let password = format!("{before}{upper}{behind}");
            prop_assert!(context.is_identifier(&password));
        }

        #[test]
        fn only_a_name_that_stands_there_is_found(name in "[a-m]{3,9}", password in "[n-z0-9]{8,20}") {
            prop_assert!(!Context::new(&[&name], &name).is_identifier(&password));
            prop_assert!(!Context::new(&[&name], &name).is_site_name(&password));
        }

        #[test]
        fn any_names_and_any_password_can_be_held_together(
            name in "\\PC{0,12}", site in "\\PC{0,12}", password in "\\PC{0,40}",
        ) {
            let context = Context::new(&[&name, &site], &site);
            let _ = (context.is_identifier(&password), context.is_site_name(&password));
        }
    }
}
