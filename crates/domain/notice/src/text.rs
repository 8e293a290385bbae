use std::{fmt, str::FromStr};

use crate::limits::{
    MENU_LABEL_CHARS_MAX, MENU_LABELS_MAX, SITE_NAME_CHARS_MAX, USERNAME_CHARS_MAX,
};

/// Endings that mail programs make links of, even without `www.` before them.
const LINKED_ENDINGS: &[&str] = &[
    "app", "at", "biz", "ch", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "info", "io",
    "me", "net", "online", "org", "ru", "shop", "site", "tv", "uk", "us", "xyz",
];

/// What stands between the labels of a menu path, where an operator writes one.
const MENU_ARROW: char = '>';

/// What the site is called, in the subject and wherever a notice speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteName(String);

impl SiteName {
    /// One line, which shows nothing that mail programs make a link of.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SiteName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        own_words(text, SITE_NAME_CHARS_MAX).map(Self)
    }
}

/// Where on the site something is, as labels that a person follows: never a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuPath(Vec<String>);

impl MenuPath {
    /// The labels, in the order in which a person follows them.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.0
    }

    /// The labels, each in the given quotes, the steps joined by the given word.
    pub(crate) fn quoted(&self, open: &str, close: &str, then: &str) -> String {
        let labels = self.0.iter().map(|label| format!("{open}{label}{close}"));
        labels.collect::<Vec<_>>().join(then)
    }
}

impl FromStr for MenuPath {
    type Err = TextError;

    /// Labels with `>` between them: `Help > Check a notice`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let labels = text.split(MENU_ARROW).map(|label| own_words(label, MENU_LABEL_CHARS_MAX));
        let labels = labels.collect::<Result<Vec<_>, _>>()?;
        if labels.len() > MENU_LABELS_MAX {
            return Err(TextError::Labels { found: labels.len() });
        }
        Ok(Self(labels))
    }
}

impl fmt::Display for MenuPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" > "))
    }
}

/// Why a text of the site's own may not stand in a notice.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("a name or label is empty")]
    Empty,
    /// Would not fit where it stands.
    #[error("`{text}` has {found} characters, at most {limit} are taken")]
    TooLong {
        /// The text, escaped.
        text: String,
        /// Its characters.
        found: usize,
        /// The bound.
        limit: usize,
    },
    /// Could break a header or repaint a page.
    #[error("a name or label holds the control character U+{found:04X}")]
    Control {
        /// Its code point.
        found: u32,
    },
    /// A notice holds nothing that can be clicked.
    #[error("mail programs make a link of `{text}`: write it without a dot, slash or @")]
    Link {
        /// The text, escaped.
        text: String,
    },
    /// More than a person follows.
    #[error("a path has {found} labels, at most {MENU_LABELS_MAX} are taken")]
    Labels {
        /// How many there are.
        found: usize,
    },
}

/// What strangers wrote, made fit to be shown: one line, bounded, and nothing to click.
///
/// `None` if nothing readable is left. It never fails: a notice must not fail to go out because of
/// somebody's odd username.
pub(crate) fn shown(foreign: &str) -> Option<String> {
    let visible = foreign.chars().map(|c| if is_hidden(c) { ' ' } else { c });
    let visible: String = visible.collect();
    let words = visible.split_whitespace().map(harmless).collect::<Vec<_>>();
    let line = cut(&words.join(" "));
    (!line.is_empty()).then_some(line)
}

/// Whether a mail program makes a link of this word, or somebody else's address stands in it.
pub(crate) fn looks_like_link(word: &str) -> bool {
    let word = word.to_lowercase();
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let ending = word.split(['/', ':', '?', '#']).next().unwrap_or_default().rsplit_once('.');
    let ends_like_host = ending.is_some_and(|(_, last)| LINKED_ENDINGS.contains(&last));
    let known_scheme = word.contains("://") || word.contains("mailto:");
    known_scheme || word.contains("www.") || word.contains('@') || ends_like_host
}

/// A word that is no link: addresses keep their first letters, other links lose their punctuation.
fn harmless(word: &str) -> String {
    if !looks_like_link(word) {
        return word.to_owned();
    }
    let harmless = match word.split_once('@') {
        Some((name, host)) => format!("{}***@{}***", first(name), first(host)),
        None => word.to_owned(),
    };
    // A mail program may see a new link in what is left of a hostile name.
    let parts = harmless.split(['.', ':', '/', '\\']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ").replace("@***", "***")
}

fn first(text: &str) -> String {
    text.chars().take(1).filter(|c| c.is_alphanumeric()).collect()
}

fn cut(line: &str) -> String {
    if line.chars().count() <= USERNAME_CHARS_MAX {
        return line.to_owned();
    }
    let start: String = line.chars().take(USERNAME_CHARS_MAX - 1).collect();
    format!("{}\u{2026}", start.trim_end())
}

fn own_words(text: &str, limit: usize) -> Result<String, TextError> {
    let text = text.trim();
    let found = text.chars().count();
    let escaped = || text.escape_debug().take(2 * limit).collect::<String>();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if found > limit {
        return Err(TextError::TooLong { text: escaped(), found, limit });
    }
    if let Some(found) = text.chars().find(|c| is_hidden(*c)) {
        return Err(TextError::Control { found: u32::from(found) });
    }
    if text.split_whitespace().any(looks_like_link) {
        return Err(TextError::Link { text: escaped() });
    }
    Ok(text.to_owned())
}

/// Characters that end lines, reorder the text around them, or are not to be seen.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(foreign: &str, expected: &str) {
        assert_eq!(shown(foreign).as_deref().unwrap_or_default(), expected);
    }

    #[test]
    fn a_stranger_cannot_write_a_notice_of_their_own() {
        check("janedoe", "janedoe");
        check("john.doe", "john.doe");
        check("Zoë  von\tÖ", "Zoë von Ö");
        check("a\r\nBcc: everybody", "a Bcc: everybody");
        check("evil\u{202e}moc", "evil moc");
        check("http://evil.test/login", "http evil test login");
        check("paypal.com", "paypal com");
        check("WWW.PAYPAL.COM/x", "WWW PAYPAL COM x");
        check("jane@example.org", "j***@e***");
        check("\u{200b}\r\n", "");
        check(&"x".repeat(100), &format!("{}\u{2026}", "x".repeat(USERNAME_CHARS_MAX - 1)));
    }

    #[test]
    fn the_site_is_told_what_cannot_stand() {
        let error = |name: &str| name.parse::<SiteName>().unwrap_err().to_string();
        assert_eq!(error(" "), "a name or label is empty");
        assert_eq!(error("a\nb"), "a name or label holds the control character U+000A");
        assert!(error("shop.com").starts_with("mail programs make a link of `shop.com`"));
        let path = "Help > Check a notice".parse::<MenuPath>().unwrap();
        assert_eq!(path.quoted("\"", "\"", ", then "), "\"Help\", then \"Check a notice\"");
        assert_eq!("Help > ".parse::<MenuPath>(), Err(TextError::Empty));
    }

    proptest! {
        #[test]
        fn whatever_is_shown_is_one_harmless_line(foreign in "\\PC*|[a-z.@:/ \r\n]{0,80}") {
            let line = shown(&foreign).unwrap_or_default();
            prop_assert!(!line.chars().any(is_hidden));
            prop_assert!(line.chars().count() <= USERNAME_CHARS_MAX);
            let masked = line.contains("***");
            prop_assert!(masked || !line.split_whitespace().any(looks_like_link), "{}", line);
        }
    }
}
