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

    /// When a leak happened, with its preposition and as exactly as it is known.
    pub(crate) fn when(self, date: &LeakDate) -> String {
        let text = date.as_str();
        let parts: Vec<&str> = text.split('-').collect();
        match (self, parts.as_slice()) {
            (Self::English, [year]) => format!("in {year}"),
            (Self::German, [year]) => (*year).to_owned(),
            (Self::English, [year, month]) => format!("in {} {year}", month_of(&MONTHS_EN, month)),
            (Self::German, [year, month]) => {
                format!("im {} {year}", month_of(&german::MONTHS, month))
            }
            _ => self.on_day(text),
        }
    }

    fn on_day(self, text: &str) -> String {
        let day = text.parse().map_or_else(|_| text.to_owned(), |date| self.day(date));
        match self {
            Self::English => format!("on {day}"),
            Self::German => format!("am {day}"),
        }
    }

    /// A path through menus, in this language's quotes.
    pub(crate) fn path(self, path: &MenuPath) -> String {
        match self {
            Self::English => path.quoted("\"", "\"", ", then "),
            Self::German => path.quoted("\u{201e}", "\u{201c}", ", dann "),
        }
    }
}

fn month_of(names: &[&'static str; 12], number: &str) -> &'static str {
    let number = number.parse::<usize>().unwrap_or_default();
    names.get(number.saturating_sub(1)).copied().unwrap_or_default()
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
    fn a_locale_names_its_language() {
        assert_eq!(Language::of_locale("de-AT"), Some(Language::German));
        assert_eq!(Language::of_locale("EN_us"), Some(Language::English));
        assert_eq!(Language::of_locale("den"), None);
        assert_eq!(Language::of_locale(""), None);
    }
}
