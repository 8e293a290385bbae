use jiff::civil::Date;
use model::LeakDate;

use crate::{Browser, MenuPath, german, moment::Moment};

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Digits between two marks in a long number.
const DIGITS_PER_GROUP: usize = 3;

model::text_enum! {
    /// The languages that notices are written in.
    pub enum Language {
        /// English.
        English = "en",
        /// German.
        German = "de",
    }
}

impl Language {
    /// The language of a BCP 47 tag as directories hold it (`de-AT`, `de_CH`), if we write it.
    #[must_use]
    pub fn of_locale(locale: &str) -> Option<Self> {
        let primary = locale.split(['-', '_']).next()?.to_ascii_lowercase();
        primary.parse().ok()
    }

    /// A day, as people write it.
    #[must_use]
    pub fn day(self, date: Date) -> String {
        let (day, year) = (date.day(), date.year());
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        match self {
            Self::English => format!("{day} {} {year}", MONTHS_EN[month]),
            Self::German => format!("{day}. {} {year}", german::MONTHS[month]),
        }
    }

    /// A minute of a day, in UTC.
    pub(crate) fn moment(self, moment: Moment) -> String {
        let (day, time) = (self.day(moment.date()), moment.time());
        match self {
            Self::English => format!("{day} at {time} UTC"),
            Self::German => format!("{day} um {time} Uhr (UTC)"),
        }
    }

    /// A browser, and what it runs on if that is known.
    pub(crate) fn browser(self, browser: Browser) -> String {
        let on = match self {
            Self::English => "on",
            Self::German => "unter",
        };
        match browser.system() {
            Some(system) => format!("{} {on} {system}", browser.name()),
            None => browser.name().to_owned(),
        }
    }

    /// A long number as people write it: 32,888,300 or 32.888.300.
    #[must_use]
    pub fn number(self, number: u64) -> String {
        let mark = match self {
            Self::English => ',',
            Self::German => '.',
        };
        let digits = number.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(DIGITS_PER_GROUP) {
                text.push(mark);
            }
            text.push(digit);
        }
        text
    }

    /// The date of a leak, as exactly as it is known: 2016, May 2016 or 17 May 2016. What is no
    /// date stays as it is.
    #[must_use]
    pub fn leak_date(self, text: &str) -> String {
        let day = |text: &str| text.parse::<Date>().map(|date| self.day(date));
        let known = match text.split('-').count() {
            // What follows the day is the month and the year.
            2 => day(&format!("{text}-01"))
                .map(|first| first.split_once(' ').unwrap_or_default().1.into()),
            _ => day(text),
        };
        known.unwrap_or_else(|_| text.to_owned())
    }

    /// When a leak happened, with its preposition.
    pub(crate) fn when(self, date: &LeakDate) -> String {
        let text = date.as_str();
        let preposition = match (self, text.split('-').count()) {
            (Self::German, 1) => "",
            (Self::English, 1 | 2) => "in ",
            (Self::German, 2) => "im ",
            (Self::English, _) => "on ",
            (Self::German, _) => "am ",
        };
        format!("{preposition}{}", self.leak_date(text))
    }

    /// A path through menus, in this language's quotes.
    pub(crate) fn path(self, path: &MenuPath) -> String {
        match self {
            Self::English => path.quoted("\"", "\"", ", then "),
            Self::German => path.quoted("\u{201e}", "\u{201c}", ", dann "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: Language, date: &str, expected: &str) {
        assert_eq!(language.when(&date.parse().unwrap()), expected);
    }

    #[test]
    fn a_leaks_date_reads_naturally() {
        check(Language::English, "2016", "in 2016");
        check(Language::English, "2016-05", "in May 2016");
        check(Language::English, "2016-05-17", "on 17 May 2016");
        check(Language::German, "2016", "2016");
        check(Language::German, "2016-03", "im März 2016");
        check(Language::German, "2016-05-17", "am 17. Mai 2016");
    }

    #[test]
    fn a_leaks_date_is_no_more_exact_than_it_is_known() {
        let cases = [
            ("2016", "2016", "2016"),
            ("2016-03", "March 2016", "März 2016"),
            ("2016-05-17", "17 May 2016", "17. Mai 2016"),
            ("long ago", "long ago", "long ago"),
        ];
        for (date, english, german) in cases {
            assert_eq!(Language::English.leak_date(date), english);
            assert_eq!(Language::German.leak_date(date), german);
        }
    }

    #[test]
    fn long_numbers_are_cut_into_groups() {
        let cases = [
            (0, "0", "0"),
            (999, "999", "999"),
            (1204, "1,204", "1.204"),
            (32_888_300, "32,888,300", "32.888.300"),
        ];
        for (count, english, german) in cases {
            assert_eq!(Language::English.number(count), english);
            assert_eq!(Language::German.number(count), german);
        }
    }

    #[test]
    fn a_locale_names_its_language() {
        assert_eq!(Language::of_locale("de-AT"), Some(Language::German));
        assert_eq!(Language::of_locale("EN_us"), Some(Language::English));
        assert_eq!(Language::of_locale("den"), None);
        assert_eq!(Language::of_locale(""), None);
    }
}
