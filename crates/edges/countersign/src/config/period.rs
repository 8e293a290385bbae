//! Durations as people write them.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{SignedDuration, Span, SpanRelativeTo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long something takes or lasts: `24h`, `10m`, `30s`, `7d`, or several units as in `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub(crate) struct Period(Duration);

impl Period {
    pub(crate) const fn of(duration: Duration) -> Self {
        Self(duration)
    }

    pub(crate) const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    /// A day has 24 hours, whatever clocks are put forward in it. Months and years have no length
    /// that could be said.
    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let failed = || PeriodError { text: text.to_owned() };
        let span: Span = text.parse().map_err(|_| failed())?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours());
        let length = Duration::try_from(length.map_err(|_| failed())?).map_err(|_| failed())?;
        if length.is_zero() { Err(failed()) } else { Ok(Self(length)) }
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX))
    }
}

/// Why a text is no duration.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is no duration: write a number with a unit, such as \"30s\", \"10m\", \"24h\" or \"7d\"", text.escape_debug())]
pub(crate) struct PeriodError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_written_beside_their_numbers() {
        for (text, seconds) in
            [("30s", 30), ("10m", 600), ("24h", 86_400), ("7d", 604_800), ("1h 30m", 5_400)]
        {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.get(), Duration::from_secs(seconds), "{text}");
            assert_eq!(period.to_string().parse::<Period>().unwrap(), period, "{text}");
        }
        assert_eq!(Period::of(Duration::from_mins(5)).to_string(), "5m");
    }

    #[test]
    fn what_has_no_length_is_refused() {
        for text in ["", "30", "long", "0s", "-10m", "1mo", "2y", "10 parsecs"] {
            let error = text.parse::<Period>().unwrap_err().to_string();
            assert!(error.contains("is no duration: write a number with a unit"), "{error}");
        }
    }
}
