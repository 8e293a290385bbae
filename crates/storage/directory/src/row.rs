use std::fmt;

use model::{Account, AccountId, AccountIdError, Credential, StoredHash, Timestamp};
use sql::{Record, Row, SqlError};

use crate::{
    limits::SHOWN_CHARS_MAX,
    value::{self, Expected},
};

/// An account as a foreign table or file holds it: text, or nothing.
///
/// It may hold a hash, so it has no `Debug`.
#[derive(Default)]
pub(crate) struct RawRow([Option<String>; MappedField::ALL.len()]);

impl RawRow {
    pub(crate) fn set(&mut self, field: MappedField, text: Option<String>) {
        self.0[field as usize] = text;
    }

    /// Reads the texts for what they mean.
    pub(crate) fn account(mut self) -> Result<Account, RowFault> {
        let id = self.take(MappedField::Id).ok_or(RowFault::NoId)?;
        let id = AccountId::new(id)?;
        Ok(Account {
            email: self.take(MappedField::Email),
            username: self.take(MappedField::Username),
            credential: StoredHash::from_column(self.take(MappedField::Hash)).map(Credential::from),
            hash_changed_at: self.parse(&id, MappedField::HashChangedAt, value::moment)?,
            email_verified: self.parse(&id, MappedField::EmailVerified, value::truth)?,
            locale: self.take(MappedField::Locale),
            last_login_at: self.parse(&id, MappedField::LastLoginAt, value::moment)?,
            second_factor: self.parse(&id, MappedField::SecondFactor, value::truth)?,
            id,
        })
    }

    /// When it last changed, and how the column says so; `None` for never.
    pub(crate) fn changed_at(mut self) -> Result<Option<(Timestamp, String)>, RowFault> {
        let id = self.take(MappedField::Id).ok_or(RowFault::NoId)?;
        let text = self.0[MappedField::ChangedAt as usize].clone().unwrap_or_default();
        let at = self.parse(&AccountId::new(id)?, MappedField::ChangedAt, value::moment)?;
        Ok(at.map(|at| (at, text)))
    }

    /// An empty text says no more than a missing one.
    fn take(&mut self, field: MappedField) -> Option<String> {
        self.0[field as usize].take().filter(|text| !text.is_empty())
    }

    fn parse<T>(
        &mut self,
        id: &AccountId,
        field: MappedField,
        read: fn(&str) -> Result<Option<T>, Expected>,
    ) -> Result<Option<T>, RowFault> {
        let Some(text) = self.take(field) else {
            return Ok(None);
        };
        read(&text).map_err(|expected| RowFault::Value {
            id: id.clone(),
            field,
            found: shown(&text),
            expected,
        })
    }
}

/// The columns stand in the order of [`MappedField::ALL`].
impl Record for RawRow {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        let mut raw = Self::default();
        for &field in MappedField::ALL {
            raw.set(field, row.at(field as usize)?);
        }
        Ok(raw)
    }
}

/// One thing that a site may record of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MappedField {
    /// The site's own key.
    Id,
    /// The address that mail goes to.
    Email,
    /// The name that the person signs in with.
    Username,
    /// The stored password hash.
    Hash,
    /// When the hash was last replaced.
    HashChangedAt,
    /// Whether the person has proved to own the address.
    EmailVerified,
    /// The person's language.
    Locale,
    /// When the person last signed in.
    LastLoginAt,
    /// Whether the site asks the person for a second factor.
    SecondFactor,
    /// When the account last changed.
    ChangedAt,
}

impl MappedField {
    /// All of them, in the order of their definition.
    pub const ALL: &'static [Self] = &[
        Self::Id,
        Self::Email,
        Self::Username,
        Self::Hash,
        Self::HashChangedAt,
        Self::EmailVerified,
        Self::Locale,
        Self::LastLoginAt,
        Self::SecondFactor,
        Self::ChangedAt,
    ];

    /// Its name: below `directory.columns` in the configuration, and in the head of an export.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Username => "username",
            Self::Hash => "hash",
            Self::HashChangedAt => "hash_changed_at",
            Self::EmailVerified => "email_verified",
            Self::Locale => "locale",
            Self::LastLoginAt => "last_login_at",
            Self::SecondFactor => "second_factor",
            Self::ChangedAt => "changed_at",
        }
    }
}

impl fmt::Display for MappedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a row of a table or a file is no account. It never shows a hash.
#[derive(Debug, thiserror::Error)]
pub enum RowFault {
    /// Nothing could be recorded about an account without a key.
    #[error("an account has no id")]
    NoId,
    /// The key is longer than any that can be kept.
    #[error("{0}")]
    Id(#[from] AccountIdError),
    /// A text that says something else than its column should.
    #[error("{field} of account {id} is `{found}`, which is not {expected}")]
    Value {
        /// Whose.
        id: AccountId,
        /// Which column.
        field: MappedField,
        /// What stands there, shortened.
        found: String,
        /// What should stand there.
        expected: Expected,
    },
}

impl RowFault {
    /// The column at fault.
    #[must_use]
    pub const fn field(&self) -> MappedField {
        match self {
            Self::NoId | Self::Id(_) => MappedField::Id,
            Self::Value { field, .. } => *field,
        }
    }
}

/// Foreign text that can stand in a terminal.
pub(crate) fn shown(text: &str) -> String {
    let head = text.chars().take(SHOWN_CHARS_MAX);
    let mut shown: String = head.flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push_str("..");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[(MappedField, &str)]) -> RawRow {
        let mut row = RawRow::default();
        for (field, value) in values {
            row.set(*field, Some((*value).to_owned()));
        }
        row
    }

    #[test]
    fn an_empty_text_says_nothing() {
        let empty = MappedField::ALL.iter().map(|field| (*field, ""));
        let mut row = row(&empty.collect::<Vec<_>>());
        row.set(MappedField::Id, Some("7".into()));
        let account = row.account().unwrap();
        assert!(account.email.is_none() && account.credential.is_none());
        assert!(account.email_verified.is_none() && account.last_login_at.is_none());
    }

    #[test]
    fn a_fault_names_account_column_and_value() {
        let fault = row(&[(MappedField::Id, "7"), (MappedField::LastLoginAt, "yester\nday")]);
        assert_eq!(
            fault.account().unwrap_err().to_string(),
            "last_login_at of account 7 is `yester\\nday`, which is not a moment (ISO 8601, or \
             seconds, milliseconds or microseconds since 1970, from 1990 to 2200)"
        );
        let nobody = row(&[(MappedField::Id, ""), (MappedField::Hash, "x")]);
        assert_eq!(nobody.account().unwrap_err().to_string(), "an account has no id");
    }
}
