use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Timestamp, limits::LEAK_NAME_BYTES_MAX};

/// What a leak is called, by operators and in notices.
///
/// Printable text without line breaks or terminal controls, so that it cannot repaint a screen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LeakName(String);

impl LeakName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LeakName {
    type Err = LeakNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        if name.is_empty() {
            return Err(LeakNameError::Empty);
        }
        if name.len() > LEAK_NAME_BYTES_MAX {
            return Err(LeakNameError::TooLong { length: name.len() });
        }
        match name.chars().find(|c| c.is_control() || is_bidi_control(*c)) {
            Some(found) => Err(LeakNameError::Control { found: u32::from(found) }),
            None => Ok(Self(name.to_owned())),
        }
    }
}

/// Characters that reorder the text around them: they could disguise what an operator signs.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl TryFrom<String> for LeakName {
    type Error = LeakNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LeakName> for String {
    fn from(name: LeakName) -> Self {
        name.0
    }
}

impl fmt::Display for LeakName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no leak name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeakNameError {
    /// Nothing but white space.
    #[error("a leak's name is empty")]
    Empty,
    /// Would not fit on a line.
    #[error("a leak's name has {length} bytes, at most {LEAK_NAME_BYTES_MAX} are taken")]
    TooLong {
        /// Bytes found.
        length: usize,
    },
    /// Could repaint a terminal.
    #[error("a leak's name holds the control character U+{found:04X}")]
    Control {
        /// Its code point.
        found: u32,
    },
}

/// When a leak happened, as exactly as it is known: a year, a month or a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LeakDate(String);

impl LeakDate {
    /// ISO 8601: `2016`, `2016-05` or `2016-05-17`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it begins after this moment, wherever on earth.
    #[must_use]
    pub fn is_after(&self, moment: Timestamp) -> bool {
        let tomorrow = moment.after(DAY).to_string();
        self.0.as_str() > tomorrow.get(..self.0.len()).unwrap_or_default()
    }
}

/// Some clocks are ahead of UTC by most of a day.
const DAY: Duration = Duration::from_hours(24);

impl FromStr for LeakDate {
    type Err = LeakDateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = match text.len() {
            4 => format!("{text}-01-01"),
            7 => format!("{text}-01"),
            _ => text.to_owned(),
        };
        match day.parse::<jiff::civil::Date>() {
            Ok(date) if day == date.to_string() => Ok(Self(text.to_owned())),
            _ => Err(LeakDateError { found: text.escape_debug().to_string() }),
        }
    }
}

impl TryFrom<String> for LeakDate {
    type Error = LeakDateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LeakDate> for String {
    fn from(date: LeakDate) -> Self {
        date.0
    }
}

impl fmt::Display for LeakDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no date.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no date: write 2016, 2016-05 or 2016-05-17")]
pub struct LeakDateError {
    found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_repaint_a_terminal() {
        assert!("Example Books 2016".parse::<LeakName>().is_ok());
        let escape = "a\u{1b}[2J".parse::<LeakName>();
        assert_eq!(escape, Err(LeakNameError::Control { found: 0x1b }));
        let reversed = "a\u{202e}b".parse::<LeakName>();
        assert_eq!(reversed, Err(LeakNameError::Control { found: 0x202e }));
    }

    #[test]
    fn a_date_in_the_future_is_told() {
        // 8 November 2012.
        let now = Timestamp::from_micros(1_352_332_800_000_000);
        let is_after = |date: &str| date.parse::<LeakDate>().unwrap().is_after(now);
        for past in ["2011", "2012", "2012-11", "2012-11-08", "2012-11-09"] {
            assert!(!is_after(past), "{past}");
        }
        for future in ["2013", "2012-12", "2012-11-10"] {
            assert!(is_after(future), "{future}");
        }
    }

    #[test]
    fn a_date_is_as_exact_as_it_is_known() {
        for known in ["2016", "2016-05", "2016-05-17"] {
            assert_eq!(known.parse::<LeakDate>().unwrap().as_str(), known);
        }
        for wrong in ["", "16", "2016-13", "2016-02-30", "17.05.2016", "2016-5"] {
            assert!(wrong.parse::<LeakDate>().is_err(), "{wrong}");
        }
    }
}
