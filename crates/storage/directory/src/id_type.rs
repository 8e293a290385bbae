use std::fmt;

use model::AccountId;

use crate::text::quoted;

/// The type of the id column, as its database calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdType(String);

impl IdType {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The type as PostgreSQL takes it in a `CAST`. SQLite never sees it.
    pub(crate) fn in_sql(&self) -> String {
        match self.0.as_str() {
            // A bare CHAR is one character long.
            "CHAR" => "bpchar".to_owned(),
            "INT2" | "INT4" | "INT8" | "NUMERIC" | "TEXT" | "UUID" | "VARCHAR" => {
                self.0.to_lowercase()
            }
            // Named by its extension or its site, such as citext.
            name => quoted(name),
        }
    }

    /// Whether this text can be an id of this type: nobody has any other, and PostgreSQL would
    /// refuse the whole look-up for its sake.
    pub(crate) fn holds(&self, id: &AccountId) -> bool {
        let text = id.as_str();
        match self.0.as_str() {
            "INT2" => text.parse::<i16>().is_ok(),
            "INT4" => text.parse::<i32>().is_ok(),
            "INT8" => text.parse::<i64>().is_ok(),
            "NUMERIC" => is_decimal(text),
            "UUID" => is_uuid(text),
            _ => !text.contains('\0'),
        }
    }
}

impl fmt::Display for IdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_lowercase())
    }
}

fn is_decimal(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    text.bytes().all(plain) && text.parse::<f64>().is_ok()
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

    fn holds(type_name: &str, text: &str) -> bool {
        IdType::new(type_name).holds(&AccountId::new(text).unwrap())
    }

    #[test]
    fn what_cannot_be_an_id_is_not_asked_for() {
        assert!(holds("INT4", "2147483647"));
        assert!(!holds("INT4", "2147483648"));
        assert!(!holds("INT8", "7x"));
        assert!(holds("NUMERIC", "10.50"));
        assert!(!holds("NUMERIC", "inf"));
        assert!(holds("UUID", "6f1c2b1e-0d5c-4b7e-9a4e-3f6f0a1b2c3d"));
        assert!(!holds("UUID", "6f1c2b1e0d5c4b7e9a4e3f6f0a1b2c3d"));
        assert!(holds("TEXT", "anything"));
    }

    #[test]
    fn a_type_of_the_sites_own_is_quoted() {
        assert_eq!(IdType::new("citext").in_sql(), "\"citext\"");
        assert_eq!(IdType::new("CHAR").in_sql(), "bpchar");
        assert_eq!(IdType::new("INT8").in_sql(), "int8");
    }
}
