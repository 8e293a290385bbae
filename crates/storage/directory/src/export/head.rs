use super::fault::HeaderFault;
use crate::row::MappedField;

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
        let existing: Vec<_> = columns.iter().map(|name| crate::row::shown(name)).collect();
        Err(HeaderFault::Missing { known: known.join(", "), existing: existing.join(", ") })
    }
}

/// How many of these columns have a name that we know.
pub(super) fn known_columns(columns: &[&str]) -> usize {
    let known = |column: &&&str| MappedField::ALL.iter().any(|field| is_named(*field, column));
    columns.iter().filter(known).count()
}

/// The column of this field. Its own name wins over its other names.
fn find(field: MappedField, columns: &[&str]) -> Result<Option<usize>, HeaderFault> {
    let own = |column: &&str| is(column, field.name());
    if let Some(column) = columns.iter().position(own) {
        return Ok(Some(column));
    }
    let mut named = (0..columns.len()).filter(|column| is_named(field, columns[*column]));
    match (named.next(), named.next()) {
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
        MappedField::EmailVerified
        | MappedField::Locale
        | MappedField::SecondFactor
        | MappedField::ChangedAt => &[],
    };
    std::iter::once(field.name()).chain(others.iter().copied())
}
