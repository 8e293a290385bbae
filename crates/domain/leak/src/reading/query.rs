//! Records written as the query of a web address: `email=a%40example.org&password=p%26w`.

use model::Secret;

use super::{
    coded::percent_decoded,
    labels::{LabelRole, role_of},
};

/// The values that are named as passwords in a query one of whose values is this identifier, decoded and as
/// they are written.
pub(super) fn beside(line: &[u8], identifier: &[u8]) -> Vec<Secret> {
    let query = line.rsplit(|byte| matches!(byte, b'?' | b' ')).next().unwrap_or_default();
    let fields = query.split(|byte| *byte == b'&').filter_map(named);
    let fields: Vec<_> = fields.collect();
    let is_it = |(_, value): &(&[u8], &[u8])| {
        decoded(value).expose().eq_ignore_ascii_case(identifier)
            || value.eq_ignore_ascii_case(identifier)
    };
    if fields.len() < 2 || !fields.iter().any(is_it) {
        return Vec::new();
    }
    let is_password = |name: &[u8]| role_of(name) == Some(LabelRole::Password);
    let passwords = fields.iter().filter(|(name, _)| is_password(name));
    passwords.flat_map(|(_, value)| [decoded(value), Secret::from(*value)]).collect()
}

fn named(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = field.iter().position(|byte| *byte == b'=')?;
    Some((&field[..equals], &field[equals + 1..]))
}

/// Only here does a `+` stand for a blank.
fn decoded(value: &[u8]) -> Secret {
    let blanks = value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte });
    Secret::new(percent_decoded(&blanks.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::check_beside;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        check_beside(beside, line, expected);
    }

    #[test]
    fn a_query_is_decoded_after_it_is_parted() {
        check("email=a%40example.org&password=p%26w+1", &["p&w 1", "p%26w+1"]);
        check("https://h/?id=7&email=a@example.org&Pass=x", &["x", "x"]);
        check("email=b@example.org&password=x", &[]);
        check("a@example.org:pw", &[]);
    }
}
