//! What the text of a foreign column means.

use std::fmt;

use jiff::{civil, tz::TimeZone};
use model::Timestamp;

use crate::limits::{MILLISECONDS_MAX, SECONDS_MAX};

/// What a text should have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(&'static str);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const MOMENT: Expected =
    Expected("a moment (ISO 8601, or seconds, milliseconds or microseconds since 1970)");
const TRUTH: Expected = Expected("a truth value (t, true, 1, yes, y, on, or their opposites)");

/// A moment; `None` for 0, which sites write for never.
pub(crate) fn moment(text: &str) -> Result<Option<Timestamp>, Expected> {
    let text = text.trim();
    let micros = number(text).or_else(|| calendar(text)).ok_or(MOMENT)?;
    Ok((micros != 0).then_some(Timestamp::from_micros(micros)))
}

/// Whether something is so.
pub(crate) fn truth(text: &str) -> Result<Option<bool>, Expected> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "1" | "yes" | "y" | "on" => Ok(Some(true)),
        "f" | "false" | "0" | "no" | "n" | "off" => Ok(Some(false)),
        _ => Err(TRUTH),
    }
}

/// Microseconds, from a number whose size tells its unit.
fn number(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    let whole: i64 = whole.parse().ok()?;
    let unit = micros_per_unit(whole.unsigned_abs());
    let rest = millionths(fraction)? * unit / 1_000_000;
    let rest = if negative { -rest } else { rest };
    whole.checked_mul(unit)?.checked_add(rest)
}

const fn micros_per_unit(size: u64) -> i64 {
    match size {
        0..SECONDS_MAX => 1_000_000,
        SECONDS_MAX..MILLISECONDS_MAX => 1_000,
        _ => 1,
    }
}

/// The first six digits behind the point.
fn millionths(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// Microseconds, from a date with or without time and offset.
fn calendar(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_microsecond());
    }
    let naive: civil::DateTime = text.parse().ok()?;
    let moment = naive.to_zoned(TimeZone::UTC).ok()?;
    Some(moment.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let moment = moment(text).unwrap();
        moment.map_or_else(|| "never".to_owned(), |moment| moment.to_string())
    }

    #[test]
    fn moments_of_both_databases_are_read() {
        for text in [
            "2016-06-08T12:30:00Z",
            "2016-06-08 12:30:00",
            "2016-06-08 12:30:00+00",
            "2016-06-08 14:30:00+02",
            "2016-06-08 18:00:00+05:30",
            "2016-06-08T12:30",
            "1465389000",
            "1465389000000",
            "1465389000000000",
            "1465389000.0",
        ] {
            assert_eq!(shown(text), "2016-06-08T12:30:00Z", "{text}");
        }
        assert_eq!(shown("2016-06-08"), "2016-06-08T00:00:00Z");
        assert_eq!(shown("2016-06-08 12:30:00.25+00"), "2016-06-08T12:30:00.25Z");
        assert_eq!(shown("1465389000.25"), "2016-06-08T12:30:00.25Z");
        assert_eq!(shown("-0.5"), "1969-12-31T23:59:59.5Z");
        assert_eq!(shown("0"), "never");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["infinity", "yesterday", "2016-13-01", "1e9", "1.2.3", "99999999999999999999"]
        {
            assert_eq!(moment(text), Err(MOMENT), "{text}");
        }
    }

    #[test]
    fn truth_has_many_spellings() {
        assert_eq!(truth("T"), Ok(Some(true)));
        assert_eq!(truth("Yes"), Ok(Some(true)));
        assert_eq!(truth("0"), Ok(Some(false)));
        assert_eq!(truth("2"), Err(TRUTH));
    }
}
