/// What browsers call themselves, and what people call them. Most claim to be others as well, so
/// the first that is found counts.
const NAMES: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same for what they run on.
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// Which kind of browser somebody used: one of those that everybody has heard of.
///
/// Whoever takes over an account chooses the header that this is read from. So no word of it is
/// repeated: a notice can say `Firefox on Linux`, and nothing that they wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Browser {
    name: &'static str,
    system: Option<&'static str>,
}

impl Browser {
    /// By the header `User-Agent`; `None` if it is none that we know.
    #[must_use]
    pub fn of_user_agent(header: &str) -> Option<Self> {
        Some(Self { name: first_in(header, NAMES)?, system: first_in(header, SYSTEMS) })
    }

    pub(crate) const fn name(self) -> &'static str {
        self.name
    }

    pub(crate) const fn system(self) -> Option<&'static str> {
        self.system
    }
}

fn first_in(header: &str, known: &[(&str, &'static str)]) -> Option<&'static str> {
    known.iter().find(|(mark, _)| header.contains(mark)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[track_caller]
    fn check(header: &str, expected: Option<&str>) {
        let browser = Browser::of_user_agent(header);
        let text = browser.map(|browser| Language::English.browser(browser));
        assert_eq!(text.as_deref(), expected);
    }

    #[test]
    fn browsers_are_known_by_what_they_add_to_the_others() {
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            Some("Firefox on Linux"),
        );
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            Some("Edge on Windows"),
        );
        check(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/131.0.0.0 Mobile Safari/537.36",
            Some("Chrome on Android"),
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
             (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            Some("Safari on iOS"),
        );
        check("Firefox/1", Some("Firefox"));
    }

    #[test]
    fn a_stranger_puts_no_word_into_a_notice() {
        check("call 555-0100 now, your account is locked", None);
        check("", None);
        check("Firefox/1\r\nBcc: x <script>Linux", Some("Firefox on Linux"));
    }
}
