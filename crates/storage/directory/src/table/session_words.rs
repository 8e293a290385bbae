//! The words of statements that end sessions.

use super::text::{Statements, bare};
use crate::mapped_field::MappedField;

/// Several statements in one text: each ends in `;` at the end of a line.
pub(super) fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split(";\n").map(bare).filter(|statement| !statement.trim().is_empty())
}

impl Statements {
    /// A statement about account `$1`, in the words of its database.
    pub(super) fn about_account(&self, statement: &str) -> String {
        let id = self.engine.key(self.types.of(MappedField::Id)).replace("{}", "$1");
        let table = self.written.as_ref().map(|written| self.engine.quoted_path(&written.path));
        statement
            .replace("{id}", &id)
            .replace("{table}", table.as_deref().unwrap_or_default())
            .replace("{token}", self.engine.token())
            .replace("{seconds}", self.engine.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_apart_at_the_ends_of_lines() {
        let text = "DELETE FROM a WHERE b = ';';\nDELETE FROM c;\n;\n";
        let statements: Vec<_> = statements(text).collect();
        assert_eq!(statements, ["DELETE FROM a WHERE b = ';'", "DELETE FROM c"]);
    }
}
