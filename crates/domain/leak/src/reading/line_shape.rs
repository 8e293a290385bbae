//! What a line looks like: its form, and its columns by their kinds.

use model::Tier;

use super::{
    candidates::{Candidates, candidates},
    column_look::ColumnLook,
    columns::{columns, is_delimiter},
    labels::role_of,
    mentions::addresses,
    web_address::length_at_start,
};
use crate::line_form::LineForm;

/// What a line shows of itself to whoever must not see what stands in it.
pub(crate) struct LineShape {
    pub(crate) form: LineForm,
    /// Each column by its kind, with the delimiters between them: `<address>:<text>`.
    pub(crate) layout: String,
    /// What may be the password of the first address in it.
    pub(crate) candidates: Candidates,
}

/// Looks at a line that is not blank.
pub(crate) fn shape_of(line: &[u8]) -> LineShape {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let first = addresses(line).find(|mention| {
        mention.best_tier == Tier::Exact
            && ColumnLook::of(&line[mention.place.clone()]) == ColumnLook::Address
    });
    let place = first.map(|mention| mention.place);
    let found = place.as_ref().map(|place| candidates(line, place)).unwrap_or_default();
    let address_at = place.as_ref().map(|place| place.start);
    let form = form_of(line, address_at, &found);
    let delimiter = delimiter_of(line, place.map_or(0, |place| place.end));
    LineShape { form, layout: layout_of(line, delimiter), candidates: found }
}

fn form_of(line: &[u8], address_at: Option<usize>, found: &Candidates) -> LineForm {
    if let Some(form) = form_by_beginning(line.trim_ascii_start()) {
        return form;
    }
    match address_at {
        Some(0) if found.secrets.is_empty() => LineForm::NoRecord,
        Some(0) if has_hash_behind(line) => LineForm::AddressHash,
        Some(0) => LineForm::AddressSecret,
        Some(_) => LineForm::ColumnsAddress,
        None if line.iter().any(|byte| is_delimiter(*byte)) => LineForm::NameSecret,
        None => LineForm::NoRecord,
    }
}

/// Forms that a line's first characters tell.
fn form_by_beginning(line: &[u8]) -> Option<LineForm> {
    let is_sql = [&b"INSERT INTO "[..], b"COPY ", b"CREATE TABLE ", b"('", b"(1,"];
    let label_end = line.iter().position(|byte| matches!(byte, b':' | b'='));
    Some(match line.first()? {
        b'{' | b'[' if line.contains(&b'"') => LineForm::Json,
        b'"' if line[1..].contains(&b'"') => LineForm::Csv,
        _ if is_sql.iter().any(|begin| line.starts_with(begin)) => LineForm::Sql,
        _ if length_at_start(line, b':') > 0 => LineForm::WebLoginSecret,
        _ if label_end.is_some_and(|end| role_of(&line[..end]).is_some()) => LineForm::Labelled,
        _ => return None,
    })
}

fn has_hash_behind(line: &[u8]) -> bool {
    let delimiter = delimiter_of(line, 0);
    let second = columns(line, delimiter).into_iter().nth(1);
    second.is_some_and(|column| ColumnLook::of(&line[column]) == ColumnLook::Hash)
}

/// The first delimiter from a place on, or of the line.
fn delimiter_of(line: &[u8], from: usize) -> u8 {
    let behind = line[from..].iter().find(|byte| is_delimiter(**byte));
    *behind.or_else(|| line.iter().find(|byte| is_delimiter(**byte))).unwrap_or(&b' ')
}

fn layout_of(line: &[u8], delimiter: u8) -> String {
    let found = columns(line, delimiter);
    let shown = found.iter().take(COLUMNS_SHOWN_MAX).map(|column| shown_as(&line[column.clone()]));
    let separator =
        if delimiter == b'\t' { "<tab>".to_owned() } else { char::from(delimiter).into() };
    let more = if found.len() > COLUMNS_SHOWN_MAX { ".." } else { "" };
    shown.collect::<Vec<_>>().join(&separator) + more
}

const COLUMNS_SHOWN_MAX: usize = 8;

fn shown_as(field: &[u8]) -> &'static str {
    let trimmed = field.trim_ascii();
    match ColumnLook::of(field) {
        ColumnLook::Null => "<nothing>",
        ColumnLook::WebAddress => "<web address>",
        ColumnLook::Address => "<address>",
        ColumnLook::IpAddress => "<ip address>",
        ColumnLook::Date => "<date>",
        ColumnLook::Hash => "<hash>",
        ColumnLook::Uuid => "<uuid>",
        ColumnLook::Code => "<code>",
        ColumnLook::Other if trimmed.iter().all(u8::is_ascii_digit) => "<number>",
        ColumnLook::Other => "<text>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, form: LineForm, layout: &str) {
        let found = shape_of(line.as_bytes());
        assert_eq!((found.form, found.layout.as_str()), (form, layout), "{line}");
    }

    #[test]
    fn each_form_is_known_by_its_look() {
        check("a@example.org:pa:ss", LineForm::AddressSecret, "<address>:<text>:<text>");
        check("a@example.org\tpw", LineForm::AddressSecret, "<address><tab><text>");
        check("a@example.org", LineForm::NoRecord, "<address>");
        check(
            "a@example.org:5f4dcc3b5aa765d61d8327deb882cf99:pw",
            LineForm::AddressHash,
            "<address>:<hash>:<text>",
        );
        check("pw;a@example.org", LineForm::ColumnsAddress, "<text>;<address>");
        check(
            "https://h.example:8443/p:a@example.org:pw",
            LineForm::WebLoginSecret,
            "<web address>:<address>:<text>",
        );
        check("joe:1234", LineForm::NameSecret, "<text>:<number>");
        check("\"7\",\"a@example.org\",\"p,w\"", LineForm::Csv, "<text>,<address>,<text>");
        check("{\"email\":\"a@example.org\"}", LineForm::Json, "<text>:<text>");
        check("USER: a@example.org", LineForm::Labelled, "<text>:<address>");
        check("Пароль: pw", LineForm::Labelled, "<text>:<text>");
        check("some words", LineForm::NoRecord, "<text> <text>");
        let insert = shape_of(b"INSERT INTO `u` VALUES (1,'a@example.org','pw');");
        assert_eq!(insert.form, LineForm::Sql);
    }
}
