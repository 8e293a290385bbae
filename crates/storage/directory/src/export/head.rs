use super::fault::HeaderFault;
use crate::mapped_field::MappedField;

/// Where in an export's columns each field stands.
pub(super) struct Head(Vec<(MappedField, usize)>);

impl Head {
    /// Tells the columns by their names.
    pub(super) fn new(columns: &[&str]) -> Result<Self, HeaderFault> {
        let mut found = Vec::new();
        for &field in MappedField::ALL {
            if let Some(column) = find(field, columns)? {
                found.push((field, column));
            }
        }
        let head = Self(found);
        head.insist_on(&[MappedField::Id], columns)?;
        head.insist_on(&[MappedField::Hash], columns)?;
        head.insist_on(&[MappedField::Email, MappedField::Username], columns)?;
        Ok(head)
    }

    /// Each field that is there, with its column.
    pub(super) fn columns(&self) -> impl Iterator<Item = (MappedField, usize)> {
        self.0.iter().copied()
    }

    fn insist_on(&self, any_of: &[MappedField], columns: &[&str]) -> Result<(), HeaderFault> {
        if self.columns().any(|(field, _)| any_of.contains(&field)) {
            return Ok(());
        }
        let known = any_of.iter().flat_map(|field| names(*field));
        let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        let known = known.join(", ");
        if !columns.iter().all(|column| may_be_shown(column)) {
            return Err(HeaderFault::NoHeader { known });
        }
        let existing: Vec<_> = columns.iter().map(|name| crate::row::shown(name)).collect();
        Err(HeaderFault::Missing { known, existing: existing.join(", ") })
    }
}

/// Whether this is a column's name rather than a value. Where the header is missing, the first line is
/// somebody's account, and its hash belongs into no message.
fn may_be_shown(column: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '(' | ')');
    let digits = column.chars().filter(char::is_ascii_digit).count();
    column.chars().all(in_name)
        && column.chars().any(char::is_alphabetic)
        && column.chars().count() <= NAME_CHARS_MAX
        && digits <= NAME_DIGITS_MAX
}

/// Longer names of columns are not shown.
const NAME_CHARS_MAX: usize = 40;

/// A digest, written in hexadecimal digits or in letters of any sort, has more.
const NAME_DIGITS_MAX: usize = 2;

/// How many of these columns have a name that we know.
pub(super) fn known_columns(columns: &[&str]) -> usize {
    let known = |column: &&&str| MappedField::ALL.iter().any(|field| is_named(*field, column));
    columns.iter().filter(known).count()
}

/// The column of this field. Its own name wins over its other names.
fn find(field: MappedField, columns: &[&str]) -> Result<Option<usize>, HeaderFault> {
    let own = the_one(field, columns, |column| is(column, field.name()))?;
    if own.is_some() { Ok(own) } else { the_one(field, columns, |column| is_named(field, column)) }
}

fn the_one(
    field: MappedField,
    columns: &[&str],
    may_be: impl Fn(&str) -> bool,
) -> Result<Option<usize>, HeaderFault> {
    let mut found = (0..columns.len()).filter(|column| may_be(columns[*column]));
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(HeaderFault::Ambiguous {
            field,
            first: columns[first].to_owned(),
            second: columns[second].to_owned(),
        }),
        (first, _) => Ok(first),
    }
}

fn is_named(field: MappedField, column: &str) -> bool {
    names(field).any(|name| is(column, name))
}

fn is(column: &str, name: &str) -> bool {
    column.trim().eq_ignore_ascii_case(name)
}

fn names(field: MappedField) -> impl Iterator<Item = &'static str> {
    let others: &[&str] = match field {
        MappedField::Id => &["account_id", "user_id"],
        MappedField::Email => &["e-mail", "mail", "email_address"],
        MappedField::Username => &["user_name", "login"],
        MappedField::Hash => &["password", "password_hash", "encrypted_password", "passwd"],
        MappedField::HashChangedAt => &["password_changed_at"],
        MappedField::LastLoginAt => &["last_login"],
        MappedField::Active => &["is_active", "enabled", "is_enabled"],
        MappedField::Inactive => &[
            "is_inactive",
            "disabled",
            "is_disabled",
            "disabled_at",
            "deactivated_at",
            "deleted_at",
            "banned_at",
        ],
        MappedField::OtherEmails => &["secondary_emails"],
        MappedField::EmailVerified
        | MappedField::Locale
        | MappedField::SecondFactor
        | MappedField::ChangedAt => &[],
    };
    std::iter::once(field.name()).chain(others.iter().copied())
}
