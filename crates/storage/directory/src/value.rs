//! What the text of a foreign column means.

use std::fmt;

use jiff::{SignedDuration, civil, tz::TimeZone};
use model::Timestamp;

use crate::{
    engine::Literal,
    limits::{MOMENT_SECONDS_MAX, MOMENT_SECONDS_MIN},
};

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;

/// Seconds, milliseconds, microseconds. No number is a likely moment in two of them.
const MICROS_PER_UNIT: [i64; 3] = [MICROS_PER_SECOND, 1_000, 1];

/// What a text should have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(pub(crate) &'static str);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const MOMENT: Expected = Expected(
    "a moment (ISO 8601, or seconds, milliseconds or microseconds since 1970, from 1990 to 2200)",
);
const ADDRESS: Expected = Expected(
    "one e-mail address as it is written: neither a list of them, a name with one or a link, nor encrypted \
     or hashed",
);
const ADDRESSES: Expected = Expected(
    "e-mail addresses with blanks, commas or line breaks between them, or an array of them",
);

/// What sites write for never, besides moments that no account can have seen.
const NEVER: [&str; 4] = ["0", "0.0", "-infinity", "infinity"];

/// What a date begins with that MySQL has none for, in whichever form.
pub(crate) const NO_DATE: &str = "0000-00-00";

/// A moment; `None` for never.
///
/// A date outside 1990 to 2200 means never, such as 1970-01-01 or 9999-12-31. A number outside
/// does not: it may be a date without its hyphens.
pub(crate) fn moment(text: &str) -> Result<Option<Timestamp>, Expected> {
    let text = text.trim();
    if NEVER.contains(&text) || text.starts_with(NO_DATE) || is_beyond_calendar(text) {
        return Ok(None);
    }
    if let Some(micros) = number(text) {
        return Ok(Some(Timestamp::from_micros(micros)));
    }
    let micros = calendar(text).ok_or(MOMENT)?;
    Ok(is_likely(micros).then_some(Timestamp::from_micros(micros)))
}

/// A date before our era or beyond the year 9999, as PostgreSQL writes it: none that an account can
/// have seen.
pub(crate) fn is_beyond_calendar(text: &str) -> bool {
    let year = text.find('-').map_or("", |end| &text[..end]);
    let has_long_year = year.len() > 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let date = text.strip_suffix(" BC").unwrap_or(text);
    (has_long_year || date != text) && date.get(..10).is_some_and(|date| date.contains('-'))
}

/// Several addresses: a text with something between them, or an array of PostgreSQL or JSON. What is none is
/// refused, so that nobody is missed without a word.
pub(crate) fn addresses(text: &str) -> Result<Option<Vec<String>>, Expected> {
    let found: Vec<String> = match serde_json::from_str::<Vec<Option<String>>>(text) {
        Ok(found) => found.into_iter().flatten().collect(),
        Err(_) => text.split(is_between).map(str::to_owned).collect(),
    };
    let told = |address: &String| !address.is_empty() && !address.eq_ignore_ascii_case("null");
    let found: Vec<_> = found.into_iter().filter(told).collect();
    if found.iter().all(|address| is_address(address)) { Ok(Some(found)) } else { Err(ADDRESSES) }
}

/// The one address of an account, as it stands there; `None` where there is none. What no leak could name
/// the account by is refused.
pub(crate) fn address(text: &str) -> Result<Option<String>, Expected> {
    match text {
        blank if blank.trim().is_empty() => Ok(None),
        text if is_address(text) => Ok(Some(text.to_owned())),
        _ => Err(ADDRESS),
    }
}

/// Whether a leak could name it. Lists, names and links hold addresses, and are none.
fn is_address(text: &str) -> bool {
    let bare = model::address::unquoted(text);
    let is_part = |c: char| is_between(c) || c.is_control() || "\\[]<>:()".contains(c);
    let is_whole = bare.matches('@').count() == 1 && !bare.ends_with('.');
    is_whole && !bare.contains(is_part) && model::address::exact(bare).is_some()
}

/// Whether it stands between two addresses, or around one.
fn is_between(c: char) -> bool {
    c.is_whitespace() || ",;{}\"".contains(c)
}

/// A moment so many seconds before another one, in the form of that one, so that databases compare
/// both alike: as numbers, moments or text. `None` for what is no moment.
pub(crate) fn earlier(text: &str, seconds: i64) -> Option<Literal> {
    let text = text.trim();
    match counted(text) {
        Some((whole, unit, _)) => {
            Some(Literal::Number(whole - seconds * (MICROS_PER_SECOND / unit)))
        }
        None => earlier_in_text(text, seconds).map(Literal::Text),
    }
}

/// The fraction of a second goes: without it a text sorts no later.
fn earlier_in_text(text: &str, seconds: i64) -> Option<String> {
    let date = text.get(..10)?;
    let after_date = |c: char| matches!(c, '.' | 'Z' | 'z' | '+' | '-');
    let end = text[10..].find(after_date).map_or(text.len(), |at| at + 10);
    let (civil, offset) = text.split_at(end);
    let fraction = |c: char| c == '.' || c.is_ascii_digit();
    let offset = if offset.starts_with('.') { offset.trim_start_matches(fraction) } else { offset };
    let moment: civil::DateTime = civil.parse().ok()?;
    let earlier = moment.checked_sub(SignedDuration::from_secs(seconds)).ok()?;
    let between = civil.get(10..11).unwrap_or_default();
    let form = match civil.len() {
        10 if date.contains('-') => "%Y-%m-%d".to_owned(),
        16 => format!("%Y-%m-%d{between}%H:%M"),
        19 => format!("%Y-%m-%d{between}%H:%M:%S"),
        _ => return None,
    };
    Some(format!("{}{offset}", earlier.strftime(&form)))
}

/// Microseconds, from a number in whichever unit makes it likely.
pub(crate) fn number(text: &str) -> Option<i64> {
    counted(text).map(|(_, _, micros)| micros)
}

/// The whole number, the microseconds of its unit, and the microseconds altogether.
fn counted(text: &str) -> Option<(i64, i64, i64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    let fraction = millionths(fraction)?;
    let mut units = MICROS_PER_UNIT.into_iter();
    units.find_map(|unit| {
        let micros = whole.checked_mul(unit)? + fraction * unit / MICROS_PER_SECOND;
        is_likely(micros).then_some((whole, unit, micros))
    })
}

fn is_likely(micros: i64) -> bool {
    let likely = MOMENT_SECONDS_MIN * MICROS_PER_SECOND..MOMENT_SECONDS_MAX * MICROS_PER_SECOND;
    likely.contains(&micros)
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
pub(crate) fn calendar(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_microsecond());
    }
    let naive: civil::DateTime = text.parse().ok()?;
    // The last day that can be written is later than the last moment that can be counted.
    let moment = naive.to_zoned(TimeZone::UTC);
    Some(moment.map_or(i64::MAX, |moment| moment.timestamp().as_microsecond()))
}

/// Eight, four, four, four and twelve digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    lengths.eq([8, 4, 4, 4, 12]) && groups.iter().all(digits)
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
        assert_eq!(shown("20160608"), "2016-06-08T00:00:00Z");
        assert_eq!(shown("2016-06-08 12:30:00.25+00"), "2016-06-08T12:30:00.25Z");
        assert_eq!(shown("1465389000.25"), "2016-06-08T12:30:00.25Z");
    }

    #[test]
    fn placeholders_mean_never() {
        let no_dates = ["0000-00-00", "0000-00-00 00:00:00", "0000-00-00 00:00:00.000000"];
        let others = [
            "0",
            "1970-01-01",
            "0001-01-01T00:00:00Z",
            "9999-12-31",
            "infinity",
            "0044-03-15 BC",
            "0044-03-15 12:00:00+00 BC",
            "12024-01-01 00:00:00+00",
        ];
        for text in no_dates.into_iter().chain(others) {
            assert_eq!(shown(text), "never", "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        let dates_as_numbers = ["2016", "201606081230", "20160608123000"];
        let others = ["", "yesterday", "2016-13-01", "-1465389000", "1e9", "1.2.3"];
        for text in dates_as_numbers.into_iter().chain(others) {
            assert_eq!(moment(text), Err(MOMENT), "{text}");
        }
    }

    #[test]
    fn an_earlier_moment_keeps_the_form() {
        let text = |text: &str| earlier(text, 90);
        let expect = |text: &str| Some(Literal::Text(text.to_owned()));
        assert_eq!(text("2016-06-08 12:30:00"), expect("2016-06-08 12:28:30"));
        assert_eq!(text("2016-06-08T12:30:00.25Z"), expect("2016-06-08T12:28:30Z"));
        assert_eq!(text("2016-06-08 00:01:00.5+02"), expect("2016-06-07 23:59:30+02"));
        assert_eq!(text("2016-06-08T12:30-05:00"), expect("2016-06-08T12:28-05:00"));
        assert_eq!(text("2016-06-08"), expect("2016-06-07"));
        assert_eq!(text("1465389000.5"), Some(Literal::Number(1_465_388_910)));
        assert_eq!(text("1465389000000"), Some(Literal::Number(1_465_388_910_000)));
        for unknown in ["", "20160608", "yesterday", "infinity", "2016-06-08 12"] {
            assert_eq!(text(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn several_addresses_are_told_apart() {
        let both = Ok(Some(vec!["a@x.example".to_owned(), "müller@y.example".to_owned()]));
        for text in [
            "a@x.example müller@y.example",
            "a@x.example, müller@y.example;\n",
            "{a@x.example,NULL,müller@y.example}",
            "{\"a@x.example\",müller@y.example}",
            r#"["a@x.example", null, "m\u00fcller@y.example"]"#,
        ] {
            assert_eq!(addresses(text), both, "{text}");
        }
        assert_eq!(addresses("{}"), Ok(Some(Vec::new())));
        assert_eq!(addresses("[]"), Ok(Some(Vec::new())));
        for text in [
            "a@x.example jane",
            r#"["m\u00fcller@y.example"#,
            "J <a@x.example>",
            "[1]",
            "a@x.example|b@x.example",
            "a@x.example/b@x.example",
            "a@x.example.",
            "a@x.example\0",
        ] {
            assert_eq!(addresses(text), Err(ADDRESSES), "{text}");
        }
    }

    #[test]
    fn one_address_is_told_from_what_holds_some() {
        for text in
            ["jane@example.org", " j.d+x@sub.example.org ", "müller@exämple.org", "'o@x.org'"]
        {
            assert_eq!(address(text), Ok(Some(text.to_owned())), "{text}");
        }
        assert_eq!((address(""), address(" \t")), (Ok(None), Ok(None)));
        for text in [
            "eyJpdiI6Ik1pZ2h0eSIsInZhbHVlIjoiIn0=",
            "User <u@x.org>",
            "a@x.org,b@x.org",
            "a@x.org;b@x.org",
            "a@x.org|b@x.org",
            "mailto:u@x.org",
            "{u@x.org}",
            "[\"u@x.org\"]",
            "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99",
            "\\x7540782e6f7267",
            "=\"u@x.org\"",
            "u@x.org.",
            "u@x.org\0",
            "jane",
        ] {
            assert_eq!(address(text), Err(ADDRESS), "{text}");
        }
    }
}
