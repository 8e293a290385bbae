use std::collections::BTreeMap;

use crate::mapped_field::MappedField;

/// How the site keeps its accounts. Start from a preset and override what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Where the accounts are.
    pub source: Source,
    /// Which column holds what.
    pub columns: Columns,
    /// Fields whose columns only some installations have: those that are not there are left out.
    pub optional: Vec<MappedField>,
    /// What the hash column holds where there is no password, besides nothing at all and what Django,
    /// `shadow` and crypt(3) write then.
    pub no_password: Vec<String>,
    /// Where hashes are replaced, if that is not the table that is read.
    pub write: Option<WriteTable>,
    /// How a person is signed out everywhere.
    pub sessions: Sessions,
}

/// Where the accounts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A table or view, `name` or `schema.name`, in the spelling of the database's catalogue.
    Table(String),
    /// The operator's own `SELECT`. It can be read; writing takes a [`WriteTable`].
    Query(String),
}

/// A table whose rows hold the hashes, under the names that the columns of the hash have where they
/// are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTable {
    /// `name` or `schema.name`.
    pub table: String,
    /// The column that holds the account's id.
    pub id: String,
    /// What else holds for the one row of an account that holds its hash, in SQL.
    pub condition: Option<String>,
}

/// Which column holds what. `None` where the site does not record it.
///
/// Any type will do, since every column is read as text. Text may say true as `t`, `true`, `1`,
/// `yes`, `y` or `on`, and a moment as ISO 8601 (UTC unless it names an offset) or as seconds,
/// milliseconds or microseconds since 1970. An empty text says nothing, and neither does a moment
/// that no account can have seen: 0, or a date before 1990 or after 2200. `active` and `inactive`
/// have rules of their own, so that nobody counts as let in by mistake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The site's own key: unique, and indexed if the site is large.
    pub id: String,
    /// The address that mail goes to. This or `username` is needed.
    pub email: Option<String>,
    /// The name that the person signs in with.
    pub username: Option<String>,
    /// The stored password hash: a column, or the path of a text in the JSON document that a column
    /// holds, such as `config.hashed_password`.
    pub hash: String,
    /// What belongs to the hash and stands beside it, such as its salt: the name that the hash's form
    /// has for it, and the column or path.
    pub beside: BTreeMap<String, String>,
    /// When the hash was last replaced.
    pub hash_changed_at: Option<String>,
    /// Whether the person has proved to own the address.
    pub email_verified: Option<String>,
    /// The person's language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// When the person last signed in.
    pub last_login_at: Option<String>,
    /// Whether the site asks the person for a second factor: a flag, or the moment since when.
    pub second_factor: Option<String>,
    /// Whether the site lets the account in. Besides what says true and false elsewhere, `active`,
    /// `enabled` and their opposites are read, and `banned`, `blocked`, `deactivated`, `deleted`,
    /// `suspended`, and a moment since when it does. NULL and an empty text mean no; anything else is an
    /// error.
    pub active: Option<String>,
    /// What is set once the site no longer lets the account in: a moment, a flag, a reason. It
    /// means so unless it is NULL, empty, false, or a zero of its type.
    pub inactive: Option<String>,
    /// Further addresses that the site knows the person by: looked for in leaks, and never written to.
    /// Blanks, commas or line breaks stand between several, or it is an array.
    pub other_emails: Option<String>,
    /// When the row last changed: a moment in UTC, set whenever the hash is, by the same
    /// transaction. Index it if the site is large.
    pub changed_at: Option<String>,
}

/// How a person is signed out everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sessions {
    /// Not at all: the site does it itself, or its sessions hold no longer than the hash.
    Untouched,
    /// The site's own SQL, run once for each account; several statements end in `;` at the end of a
    /// line. `{id}` stands for the id, of the type of its column; `$1` for the same as text, which
    /// PostgreSQL compares with nothing else; `{table}` for the table whose hashes are replaced,
    /// `{token}` for 32 random hexadecimal digits, `{seconds}` for now, in seconds since 1970.
    Statement(String),
    /// The account's rows in the table of Django's database sessions, found by decoding them.
    Django {
        /// The table, `name` or `schema.name`.
        table: String,
    },
}

impl Columns {
    /// The name of the column that holds this field.
    #[must_use]
    pub fn of(&self, field: MappedField) -> Option<&str> {
        match field {
            MappedField::Id => Some(&self.id),
            MappedField::Email => self.email.as_deref(),
            MappedField::Username => self.username.as_deref(),
            MappedField::Hash => Some(&self.hash),
            MappedField::HashChangedAt => self.hash_changed_at.as_deref(),
            MappedField::EmailVerified => self.email_verified.as_deref(),
            MappedField::Locale => self.locale.as_deref(),
            MappedField::LastLoginAt => self.last_login_at.as_deref(),
            MappedField::SecondFactor => self.second_factor.as_deref(),
            MappedField::ChangedAt => self.changed_at.as_deref(),
            MappedField::Active => self.active.as_deref(),
            MappedField::Inactive => self.inactive.as_deref(),
            MappedField::OtherEmails => self.other_emails.as_deref(),
        }
    }

    /// The fields that have a column, with its name.
    pub fn mapped(&self) -> impl Iterator<Item = (MappedField, &str)> {
        let named = |field: &MappedField| Some((*field, self.of(*field)?));
        MappedField::ALL.iter().filter_map(named)
    }

    /// Names the column of a field, or none where it need not have one.
    pub fn set(&mut self, field: MappedField, name: Option<String>) {
        match (self.place(field), name) {
            (FieldName::Optional(place), name) => *place = name,
            (FieldName::Needed(place), Some(name)) => *place = name,
            (FieldName::Needed(_), None) => {}
        }
    }

    const fn place(&mut self, field: MappedField) -> FieldName<'_> {
        FieldName::Optional(match field {
            MappedField::Id => return FieldName::Needed(&mut self.id),
            MappedField::Hash => return FieldName::Needed(&mut self.hash),
            MappedField::Email => &mut self.email,
            MappedField::Username => &mut self.username,
            MappedField::HashChangedAt => &mut self.hash_changed_at,
            MappedField::EmailVerified => &mut self.email_verified,
            MappedField::Locale => &mut self.locale,
            MappedField::LastLoginAt => &mut self.last_login_at,
            MappedField::SecondFactor => &mut self.second_factor,
            MappedField::ChangedAt => &mut self.changed_at,
            MappedField::Active => &mut self.active,
            MappedField::Inactive => &mut self.inactive,
            MappedField::OtherEmails => &mut self.other_emails,
        })
    }
}

/// Where the name of a field's column is kept.
enum FieldName<'c> {
    Needed(&'c mut String),
    Optional(&'c mut Option<String>),
}

impl Source {
    /// The setting that this came from.
    pub(crate) const fn setting(&self) -> &'static str {
        match self {
            Self::Table(_) => "directory.table",
            Self::Query(_) => "directory.query",
        }
    }
}
