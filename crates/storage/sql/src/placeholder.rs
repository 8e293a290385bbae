//! `$1`, `$2` and so on where a database knows `?` alone: each stands for the next value.

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use crate::{SqlError, value::Value};

/// The text with `?` for each placeholder, and a value for each of them: one that is named twice
/// comes twice.
pub(crate) fn in_order(text: &SqlStr, values: &[Value]) -> Result<(SqlStr, Vec<Value>), SqlError> {
    let Translated { text, numbers } = translate(text.as_str());
    let value = |number: &usize| number.checked_sub(1).and_then(|place| values.get(place)).cloned();
    let named: Option<Vec<_>> = numbers.iter().map(value).collect();
    let named = named.ok_or_else(|| SqlError::Value {
        reason: format!("the statement names ${} and has {} values", max(&numbers), values.len())
            .into(),
    })?;
    Ok((AssertSqlSafe(text).into_sql_str(), named))
}

/// The same text without any values, to be described.
pub(crate) fn unbound(text: &SqlStr) -> SqlStr {
    AssertSqlSafe(translate(text.as_str()).text).into_sql_str()
}

fn max(numbers: &[usize]) -> usize {
    numbers.iter().copied().max().unwrap_or_default()
}

/// A text with `?`, and the numbers that stood there.
#[derive(Debug, PartialEq, Eq)]
struct Translated {
    text: String,
    numbers: Vec<usize>,
}

/// What stands in quotes or in a comment is no placeholder, nor is the end of a name.
fn translate(text: &str) -> Translated {
    let mut translated =
        Translated { text: String::with_capacity(text.len()), numbers: Vec::new() };
    let (mut rest, mut is_in_name) = (text, false);
    while let Some(first) = rest.chars().next() {
        let taken = match (numbered(rest), opaque(rest)) {
            (Some((number, length)), _) if !is_in_name => {
                translated.text.push('?');
                translated.numbers.push(number);
                length
            }
            (_, Some(length)) => {
                translated.text.push_str(&rest[..length]);
                length
            }
            _ => {
                translated.text.push(first);
                first.len_utf8()
            }
        };
        is_in_name = first.is_alphanumeric() || matches!(first, '_' | '$');
        rest = &rest[taken..];
    }
    translated
}

/// The number of the placeholder that a text begins with, and its length.
fn numbered(text: &str) -> Option<(usize, usize)> {
    let digits = text.strip_prefix('$')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    Some((digits[..end].parse().ok()?, end + 1))
}

/// The length of the quoted text or the comment that a text begins with. MySQL takes `--` for the
/// beginning of a comment only where a space follows, and then it is the length of the line.
fn opaque(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    match (chars.next()?, chars.next()) {
        (quote @ ('\'' | '"' | '`'), _) => Some(quoted(text, quote)),
        ('#', _) => Some(until(text, "\n")),
        ('-', Some('-')) if chars.next().is_none_or(char::is_whitespace) => Some(until(text, "\n")),
        ('/', Some('*')) => Some(until(text, "*/")),
        _ => None,
    }
}

fn until(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

/// A doubled quote ends one quoted text and begins the next, which comes to the same.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let end = text[1..].find(|c: char| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && quote != '`' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(text: &str) -> (String, Vec<usize>) {
        let Translated { text, numbers } = translate(text);
        (text, numbers)
    }

    #[test]
    fn placeholders_come_in_the_order_of_the_text() {
        let (text, numbers) = translated("UPDATE t SET a = $2 WHERE b = $1 OR c IN ($10, $2)");
        assert_eq!(text, "UPDATE t SET a = ? WHERE b = ? OR c IN (?, ?)");
        assert_eq!(numbers, [2, 1, 10, 2]);
    }

    #[test]
    fn quoted_texts_comments_and_names_stay() {
        for text in [
            "SELECT '$2y$10', \"$1\", `$1`",
            "SELECT 'it''s $1', 'it\\'s $1', '\\\\', `a\\`",
            "SELECT a$1, 1 -- $1",
            "SELECT 1 # $1\n, /* $1 */ 2",
            "SELECT '$1",
            "SELECT $, '$.a' -> b$1",
        ] {
            assert_eq!(translated(text), (text.to_owned(), Vec::new()));
        }
        assert_eq!(translated("'\\'' = $1 -- it's\n+$2").1, [1, 2]);
        assert_eq!(translated("1--$1").1, [1]);
        assert_eq!(translated("é$1é").1, [0; 0]);
    }

    #[test]
    fn a_value_that_is_named_twice_comes_twice() {
        let values = [7, 8].map(|number| Value::Integer(Some(number)));
        let text = AssertSqlSafe("$2, $1, $2".to_owned()).into_sql_str();
        let (_, named) = in_order(&text, &values).unwrap();
        assert_eq!(named, [values[1].clone(), values[0].clone(), values[1].clone()]);
        let missing = AssertSqlSafe("$3".to_owned()).into_sql_str();
        let error = in_order(&missing, &values).unwrap_err();
        assert!(error.to_string().ends_with("names $3 and has 2 values"), "{error}");
    }
}
