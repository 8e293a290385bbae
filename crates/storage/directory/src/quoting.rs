//! Names and texts inside a statement.

/// `name` or `schema.name`, each part quoted.
pub(crate) fn quoted_path(path: &str) -> String {
    let parts: Vec<_> = path.split('.').map(quoted).collect();
    parts.join(".")
}

/// An identifier that stands for itself, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text that stands for itself.
pub(crate) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(quoted_text("it's"), "'it''s'");
        assert_eq!(quoted("pass\"word"), "\"pass\"\"word\"");
        assert_eq!(quoted_path("site.users"), "\"site\".\"users\"");
    }
}
