//! One line of a leak: where identifiers stand in it, and what may be the password of each.
//!
//! A line can nearly always be read in several ways, and only the account's stored hash can tell which is
//! right. So whatever is plausible is passed on, the likeliest first. Nothing is guessed away: a line that
//! names an account and gives no reading is a reject, never somebody else's.

mod candidates;
mod coded;
mod column_look;
mod columns;
mod json;
mod labels;
mod line_shape;
mod mentions;
mod php;
mod query;
mod web_address;

pub(crate) use candidates::candidates;
pub(crate) use coded::{decoded_lines, is_coded};
pub(crate) use line_shape::{LineShape, shape_of};
pub(crate) use mentions::{Mention, addresses, behind_web_address, mentions, mentions_at};

/// What a form says of `a@example.org` in a line.
#[cfg(test)]
#[track_caller]
fn check_beside(beside: candidates::Beside, line: &str, expected: &[&str]) {
    let found = beside(line.as_bytes(), b"a@example.org");
    let found: Vec<_> =
        found.iter().map(|secret| String::from_utf8_lossy(secret.expose())).collect();
    assert_eq!(found, expected, "{line}");
}
