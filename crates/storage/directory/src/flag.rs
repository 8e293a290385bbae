//! What the text of a foreign column says of something that is so or is not: by a flag, or by the moment
//! since when it is.

use model::Timestamp;

use crate::{
    limits::MOMENT_SECONDS_MIN,
    value::{Expected, MICROS_PER_SECOND, NO_DATE, calendar, is_beyond_calendar, number},
};

const FLAG: Expected = Expected(
    "a flag (t, true, 1, yes, y, on, active, enabled, or their opposites) nor the moment since when it is \
     set",
);
const ACTIVITY: Expected = Expected(
    "known to mean whether the site lets the account in (t, true, 1, yes, y, on, active, enabled, or \
     their opposites, or banned, blocked, deactivated, deleted, suspended, or the moment since when it \
     does); a view or a generated column can say it so",
);

/// Whether it is so at this moment; `None` where nothing is said.
pub(crate) fn is_so(text: &str, now: Timestamp) -> Result<Option<bool>, Expected> {
    match FlagText::of(text) {
        FlagText::Nothing => Ok(None),
        _ => judged(text, now).map(Some).ok_or(FLAG),
    }
}

/// Whether a site lets an account in at this moment.
pub(crate) fn activity(text: &str, now: Timestamp) -> Result<Option<bool>, Expected> {
    judged(text, now).map(Some).ok_or(ACTIVITY)
}

/// Whether a site has shut an account out: by a flag, a moment, whichever, or a reason.
pub(crate) fn is_out(text: &str) -> bool {
    match standing(text) {
        Some(is_in) => !is_in,
        None => !matches!(FlagText::of(text), FlagText::Nothing | FlagText::No),
    }
}

/// Whether an address is proved to be the person's at this moment. Any word says so but those that say the
/// opposite.
pub(crate) fn verified(text: &str, now: Timestamp) -> bool {
    match FlagText::of(text) {
        FlagText::Nothing | FlagText::No => false,
        FlagText::Yes => true,
        FlagText::Since(micros) => micros <= now.as_micros(),
        FlagText::Else => !NOT_VERIFIED.contains(&text.trim().to_ascii_lowercase().as_str()),
    }
}

/// What sites write for "not verified", besides what says false.
const NOT_VERIFIED: [&str; 3] = ["unverified", "unconfirmed", "pending"];

/// `None` where nobody can tell.
fn judged(text: &str, now: Timestamp) -> Option<bool> {
    standing(text).or_else(|| match FlagText::of(text) {
        FlagText::Nothing | FlagText::Else => None,
        FlagText::No => Some(false),
        FlagText::Yes => Some(true),
        FlagText::Since(micros) => Some(micros <= now.as_micros()),
    })
}

/// What words say of an account, or of a part of it.
fn standing(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "active" | "enabled" => Some(true),
        "inactive" | "disabled" | "deactivated" | "banned" | "blocked" | "suspended"
        | "deleted" => Some(false),
        _ => None,
    }
}

/// What a text says of whatever it is about.
enum FlagText {
    Nothing,
    No,
    Yes,
    /// In microseconds since 1970.
    Since(i64),
    Else,
}

impl FlagText {
    fn of(text: &str) -> Self {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "" => Self::Nothing,
            "t" | "true" | "1" | "yes" | "y" | "on" => Self::Yes,
            "f" | "false" | "0" | "no" | "n" | "off" | "null" | "none" | "never" | "-infinity" => {
                Self::No
            }
            "infinity" => Self::Since(i64::MAX),
            _ => Self::of_number(text).unwrap_or_else(|| Self::of_moment(text)),
        }
    }

    /// A truth value in a column of fractions.
    fn of_number(text: &str) -> Option<Self> {
        match text.parse::<f64>() {
            Ok(0.0) => Some(Self::No),
            Ok(1.0) => Some(Self::Yes),
            _ => None,
        }
    }

    /// No account can have seen a moment before 1990: it stands for none.
    fn of_moment(text: &str) -> Self {
        match number(text).or_else(|| calendar(text)) {
            Some(micros) if micros < MOMENT_SECONDS_MIN * MICROS_PER_SECOND => Self::No,
            Some(micros) => Self::Since(micros),
            None if text.starts_with(NO_DATE) || text.ends_with(" BC") => Self::No,
            None if is_beyond_calendar(text) => Self::Since(i64::MAX),
            None => Self::Else,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2016-06-08T12:30:00Z.
    const NOW: Timestamp = Timestamp::from_micros(1_465_389_000 * MICROS_PER_SECOND);

    const COME: [&str; 5] = [
        "2016-06-08 12:30:00",
        "2016-06-08T12:29:59.120Z",
        "1465389000",
        "1465389000000",
        "2016-06-08",
    ];
    const TO_COME: [&str; 5] = [
        "2016-06-08 12:30:01",
        "1465389001",
        "infinity",
        "12024-01-01 00:00:00",
        "9999-12-31 23:59:59",
    ];
    const NOT: [&str; 9] = [
        "f",
        "0",
        "no",
        "0.0",
        "0000-00-00 00:00:00",
        "1970-01-01",
        "-infinity",
        "NULL",
        "0044-03-15 BC",
    ];

    #[test]
    fn an_address_is_verified_by_a_flag_or_by_a_moment_that_has_come() {
        let yes = ["t", "1", "1.0", "2", "yes", "verified", "20160608123000"];
        for told in yes.into_iter().chain(COME) {
            assert!(verified(told, NOW), "{told}");
        }
        for told in ["", "unverified"].into_iter().chain(NOT).chain(TO_COME) {
            assert!(!verified(told, NOW), "{told}");
        }
    }

    #[test]
    fn every_flag_may_be_a_moment() {
        for told in ["T", "Yes", "1.0", "enabled"].into_iter().chain(COME) {
            let found = (is_so(told, NOW), activity(told, NOW));
            assert_eq!(found, (Ok(Some(true)), Ok(Some(true))), "{told}");
        }
        for told in ["disabled"].into_iter().chain(NOT).chain(TO_COME) {
            let found = (is_so(told, NOW), activity(told, NOW));
            assert_eq!(found, (Ok(Some(false)), Ok(Some(false))), "{told}");
        }
        assert_eq!(is_so(" ", NOW), Ok(None));
    }

    #[test]
    fn what_is_neither_is_not_guessed() {
        for told in ["2", "-1", "2016", "pending", "totp", "JBSWY3DPEHPK3PXP", "?"] {
            assert_eq!(is_so(told, NOW), Err(FLAG), "{told}");
            assert_eq!(activity(told, NOW), Err(ACTIVITY), "{told}");
        }
        assert_eq!(activity(" ", NOW), Err(ACTIVITY));
    }

    #[test]
    fn whoever_is_shut_out_by_anything_is_out() {
        for told in ["1", "t", "banned", "spam", "9"].into_iter().chain(COME).chain(TO_COME) {
            assert!(is_out(told), "{told}");
        }
        for told in ["", " ", "active", "none"].into_iter().chain(NOT) {
            assert!(!is_out(told), "{told}");
        }
    }
}
