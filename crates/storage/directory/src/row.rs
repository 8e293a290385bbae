use model::{Account, AccountId, AccountIdError, Credential, Timestamp};
use sql::{Record, Row, SqlError};

use crate::{
    flag,
    hash_layout::HashLayout,
    limits::SHOWN_CHARS_MAX,
    mapped_field::MappedField,
    value::{self, Expected},
};

/// Marks an account as unreadable whose address no leak could name, as it was where the account was read:
/// for accounts that were kept without that mark.
pub fn doubt_address(account: &mut Account) {
    if account.email.as_deref().is_some_and(|email| value::address(email).is_err()) {
        account.unreadable.get_or_insert(MappedField::Email.name());
    }
}

/// An account as a foreign table or file holds it: text, or nothing.
///
/// It may hold a hash, so it has no `Debug`.
#[derive(Default)]
pub(crate) struct RawRow {
    fields: [Option<String>; MappedField::ALL.len()],
    /// Further columns that belong to the hash.
    beside: Vec<Option<String>>,
    /// What holds no text.
    undecodable: Option<MappedField>,
}

/// Stands for a text that cannot be decoded. It is no hash that anything verifies.
const UNDECODABLE: &str = "\u{fffd}";

/// What a server says instead of such a text, in whichever encoding it has: the control character for it.
pub(crate) const SUBSTITUTE: &str = "\u{1a}";

impl RawRow {
    /// What a column that is there holds. One that should say whether somebody is let in, and says
    /// nothing, is told from none.
    pub(crate) fn set(&mut self, field: MappedField, text: Option<String>) {
        let is_told = field == MappedField::Active;
        self.fields[field as usize] = text.or_else(|| is_told.then(String::new));
    }

    /// What some columns hold; `None` for one that the site does not have.
    pub(crate) fn recorded<const N: usize>(columns: [(MappedField, Option<String>); N]) -> Self {
        let mut row = Self::default();
        for (field, text) in columns {
            row.fields[field as usize] = text;
        }
        row
    }

    /// The same without the blanks that fill columns of fixed length up.
    pub(crate) fn unpadded(mut self) -> Self {
        for text in self.fields.iter_mut().flatten() {
            text.truncate(text.trim_end_matches(' ').len());
        }
        self
    }

    /// Reads the texts for what they mean, at this moment, as far as they can be read: a fault is only told
    /// of, unless nobody knows whose it is.
    pub(crate) fn read(
        mut self,
        shape: &HashLayout,
        now: Timestamp,
    ) -> Result<(Account, Option<RowFault>), RowFault> {
        let mut faults = Faults(None);
        let id = self.take(MappedField::Id).filter(|_| self.undecodable != Some(MappedField::Id));
        let id = AccountId::new(id.ok_or(RowFault::NoId)?)?;
        if let Some(field) = self.undecodable {
            faults.0 = Some(RowFault::Undecodable { account: shown_id(&id), field });
        }
        let is_so = |text: &str| flag::is_so(text, now);
        let verified = |text: &str| Ok(Some(flag::verified(text, now)));
        let account = Account {
            other_emails: faults
                .pass(self.parse(&id, MappedField::OtherEmails, value::addresses))
                .unwrap_or_default(),
            username: self.take(MappedField::Username),
            credential: shape.read(&self.hash_columns()).map(Credential::from),
            hash_changed_at: faults.pass(self.parse(
                &id,
                MappedField::HashChangedAt,
                value::moment,
            )),
            email_verified: faults.pass(self.parse(&id, MappedField::EmailVerified, verified)),
            locale: self.take(MappedField::Locale),
            last_login_at: faults.pass(self.parse(&id, MappedField::LastLoginAt, value::moment)),
            second_factor: faults.pass(self.parse(&id, MappedField::SecondFactor, is_so)),
            active: self.activity(&id, now).unwrap_or_else(|fault| {
                faults.take(fault);
                Some(false)
            }),
            // Last, since exports are refused for the other faults alone.
            email: self.email(&id, &mut faults),
            unreadable: faults.0.as_ref().map(|fault| fault.field().name()),
            id,
        };
        Ok((account, faults.0))
    }

    /// What is no address stays, so that others can show it.
    fn email(&mut self, id: &AccountId, faults: &mut Faults) -> Option<String> {
        let held = self.fields[MappedField::Email as usize].clone();
        self.parse(id, MappedField::Email, value::address).unwrap_or_else(|fault| {
            faults.take(fault);
            held
        })
    }

    fn hash_columns(&mut self) -> Vec<Option<String>> {
        let hash = self.take(MappedField::Hash);
        [hash].into_iter().chain(std::mem::take(&mut self.beside)).collect()
    }

    /// Whether the site lets the account in at this moment; `None` where it has no column for it.
    pub(crate) fn activity(
        &mut self,
        id: &AccountId,
        now: Timestamp,
    ) -> Result<Option<bool>, RowFault> {
        let active = match &self.fields[MappedField::Active as usize] {
            Some(text) if text.is_empty() => Some(false),
            _ => self.parse(id, MappedField::Active, |text| flag::activity(text, now))?,
        };
        let is_out = self.take(MappedField::Inactive).map(|text| flag::is_out(&text));
        Ok(match (active, is_out) {
            (active, Some(is_out)) => Some(active.unwrap_or(true) && !is_out),
            (active, None) => active,
        })
    }

    /// When it last changed, and how the column says so; `None` for never.
    pub(crate) fn changed_at(mut self) -> Result<Option<(Timestamp, String)>, RowFault> {
        let id = self.take(MappedField::Id).ok_or(RowFault::NoId)?;
        let text = self.fields[MappedField::ChangedAt as usize].clone().unwrap_or_default();
        let at = self.parse(&AccountId::new(id)?, MappedField::ChangedAt, value::moment)?;
        Ok(at.map(|at| (at, text)))
    }

    /// An empty text says no more than a missing one.
    fn take(&mut self, field: MappedField) -> Option<String> {
        self.fields[field as usize].take().filter(|text| !text.is_empty())
    }

    fn parse<T>(
        &mut self,
        id: &AccountId,
        field: MappedField,
        read: impl FnOnce(&str) -> Result<Option<T>, Expected>,
    ) -> Result<Option<T>, RowFault> {
        let Some(text) = self.take(field) else {
            return Ok(None);
        };
        read(&text).map_err(|expected| RowFault::Value {
            account: shown_id(id),
            field,
            found: shown_value(&text),
            expected,
        })
    }
}

/// The first of a row's faults.
struct Faults(Option<RowFault>);

impl Faults {
    fn take(&mut self, fault: RowFault) {
        self.0.get_or_insert(fault);
    }

    fn pass<T>(&mut self, read: Result<Option<T>, RowFault>) -> Option<T> {
        read.unwrap_or_else(|fault| {
            self.take(fault);
            None
        })
    }
}

/// The columns stand in the order of [`MappedField::ALL`], and then those that belong to the hash.
impl Record for RawRow {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        Ok(Self::of_texts((0..row.width()).map(|place| told(row, place)).collect()))
    }
}

/// What a column of a row holds.
pub(crate) enum CellText {
    Null,
    Text(String),
    /// What is no text.
    Undecodable,
}

impl CellText {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Undecodable => None,
        }
    }

    const fn is_undecodable(&self) -> bool {
        matches!(self, Self::Undecodable)
    }
}

impl RawRow {
    /// A row of these columns.
    pub(crate) fn of_texts(mut columns: Vec<CellText>) -> Self {
        let beside = columns.split_off(columns.len().min(MappedField::ALL.len()));
        let mut raw = Self::default();
        let undecodable =
            MappedField::ALL.iter().zip(&columns).find(|(_, cell)| cell.is_undecodable());
        raw.undecodable = undecodable.map(|(field, _)| *field);
        if beside.iter().any(CellText::is_undecodable) {
            raw.undecodable.get_or_insert(MappedField::Hash);
        }
        for (&field, cell) in MappedField::ALL.iter().zip(columns) {
            let stands_for = cell.is_undecodable() && field == MappedField::Hash;
            let text = cell.text();
            raw.fields[field as usize] =
                if stands_for { Some(UNDECODABLE.to_owned()) } else { text };
        }
        raw.beside = beside.into_iter().map(CellText::text).collect();
        raw
    }
}

fn told(row: &Row, place: usize) -> CellText {
    match row.at::<Option<String>>(place) {
        Ok(None) => CellText::Null,
        Ok(Some(text)) if text != SUBSTITUTE => CellText::Text(text),
        Ok(Some(_)) | Err(_) => CellText::Undecodable,
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
    #[error("{field} of account {account} is `{found}`, which is not {expected}")]
    Value {
        /// Whose, unless that may be a hash.
        account: String,
        /// Which column.
        field: MappedField,
        /// What stands there, shortened.
        found: String,
        /// What should stand there.
        expected: Expected,
    },
    /// Bytes that are no text.
    #[error("{field} of account {account} holds bytes that are no text in its encoding")]
    Undecodable {
        /// Whose, unless that may be a hash.
        account: String,
        /// Which column.
        field: MappedField,
    },
}

impl RowFault {
    /// The column at fault.
    #[must_use]
    pub const fn field(&self) -> MappedField {
        match self {
            Self::NoId | Self::Id(_) => MappedField::Id,
            Self::Value { field, .. } | Self::Undecodable { field, .. } => *field,
        }
    }
}

/// Whether a hash may have come into a column that is none, as when a header has its names in another
/// order: all have a mark of their own, or are long.
fn may_be_hash(text: &str) -> bool {
    text.contains(['$', '{', '*', '=']) || text.len() > PLAIN_VALUE_BYTES_MAX
}

/// A moment with its offset and its zone is shorter.
const PLAIN_VALUE_BYTES_MAX: usize = 40;

const HIDDEN: &str = "(not shown, since it may be a hash)";

/// Where columns have come into another order, an id may be a hash, too.
pub(crate) fn shown_id(id: &AccountId) -> String {
    shown_value(id.as_str())
}

fn shown_value(text: &str) -> String {
    if may_be_hash(text) { HIDDEN.to_owned() } else { shown(text) }
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

    fn read(row: RawRow) -> Result<Account, RowFault> {
        match row.read(&HashLayout::plain("hash"), Timestamp::from_micros(0))? {
            (_, Some(fault)) => Err(fault),
            (account, None) => Ok(account),
        }
    }

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
        let account = read(row).unwrap();
        assert!(account.email.is_none() && account.credential.is_none());
        assert!(account.email_verified.is_none() && account.last_login_at.is_none());
    }

    /// Whether an account is let in by what these columns hold.
    fn active(values: &[(MappedField, &str)]) -> Result<Option<bool>, String> {
        let mut row = row(values);
        row.set(MappedField::Id, Some("7".into()));
        read(row).map(|account| account.active).map_err(|fault| fault.to_string())
    }

    #[test]
    fn whoever_a_column_does_not_let_in_is_out() {
        use MappedField::{Active, Inactive};
        assert_eq!(active(&[]), Ok(None));
        for (told, expected) in [("t", true), ("1.0", true), ("Active", true), ("", false)] {
            assert_eq!(active(&[(Active, told)]), Ok(Some(expected)), "{told}");
        }
        for told in ["0", "off", "banned", "DEACTIVATED", "suspended"] {
            assert_eq!(active(&[(Active, told)]), Ok(Some(false)), "{told}");
        }
        for told in ["0", "", "f", "0.0", "0000-00-00 00:00:00", "1970-01-01 00:00:00+00"] {
            assert_ne!(active(&[(Inactive, told)]), Ok(Some(false)), "{told}");
        }
        for told in ["1", "t", "2024-05-01", "1714521600", "infinity", "spam", "9"] {
            assert_eq!(active(&[(Inactive, told)]), Ok(Some(false)), "{told}");
        }
        assert_eq!(active(&[(Active, "yes"), (Inactive, "2024-05-01")]), Ok(Some(false)));
        assert_eq!(active(&[(Active, "yes"), (Inactive, "")]), Ok(Some(true)));
        let mut null = row(&[(MappedField::Id, "7")]);
        null.set(Active, None);
        assert_eq!(read(null).unwrap().active, Some(false));
    }

    #[test]
    fn nobody_counts_as_let_in_by_a_word_that_is_not_understood() {
        let fault = active(&[(MappedField::Active, "pending")]).unwrap_err();
        assert!(fault.starts_with("active of account 7 is `pending`, which is not "), "{fault}");
        for told in ["2", "-1", "10", "?", " "] {
            assert!(active(&[(MappedField::Active, told)]).is_err(), "{told}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_the_least() {
        use MappedField::{Active, EmailVerified, Hash, Id, LastLoginAt};
        let row = row(&[(Id, "7"), (Hash, "x"), (LastLoginAt, "?"), (Active, "?")]);
        let (account, fault) =
            row.read(&HashLayout::plain("hash"), Timestamp::from_micros(0)).unwrap();
        assert_eq!(fault.unwrap().field(), LastLoginAt);
        assert_eq!(account.unreadable, Some("last_login_at"));
        assert_eq!((account.last_login_at, account.active), (None, Some(false)));
        assert_eq!(account.credential.unwrap().hash().expose(), "x");
        let mut garbled = self::row(&[(Id, "7"), (EmailVerified, "1"), (Hash, UNDECODABLE)]);
        garbled.undecodable = Some(Hash);
        let (account, fault) =
            garbled.read(&HashLayout::plain("hash"), Timestamp::from_micros(0)).unwrap();
        assert_eq!(fault.unwrap().field(), Hash);
        assert!(account.credential.is_some() && account.unreadable == Some("hash"));
    }

    /// No leak names the account by it.
    #[test]
    fn an_address_that_is_none_makes_a_row_unreadable() {
        let now = Timestamp::from_micros(0);
        let read = |email: &str| {
            let row = row(&[(MappedField::Id, "7"), (MappedField::Email, email)]);
            row.read(&HashLayout::plain("hash"), now).unwrap().0
        };
        assert_eq!(read("jane@x.org").email.as_deref(), Some("jane@x.org"));
        for (email, expected) in [("", None), (" ", None), ("Jane <jane@x.org>", Some("email"))] {
            assert_eq!(read(email).unreadable, expected, "{email}");
        }
    }

    #[test]
    fn a_fault_names_account_column_and_value() {
        let fault = row(&[(MappedField::Id, "7"), (MappedField::LastLoginAt, "yester\nday")]);
        assert_eq!(
            read(fault).unwrap_err().to_string(),
            "last_login_at of account 7 is `yester\\nday`, which is not a moment (ISO 8601, or \
             seconds, milliseconds or microseconds since 1970, from 1990 to 2200)"
        );
        for hash in ["$2b$12$Zm9vYmFyYmF6", "{SSHA}qdIbXpmwVYZdsZqjRqzKcQ", &"5f4dcc3b5a".repeat(5)]
        {
            let fault = row(&[(MappedField::Id, "7"), (MappedField::LastLoginAt, hash)]);
            assert!(!read(fault).unwrap_err().to_string().contains(&hash[..8]), "{hash}");
        }
        let nobody = row(&[(MappedField::Id, ""), (MappedField::Hash, "x")]);
        assert_eq!(read(nobody).unwrap_err().to_string(), "an account has no id");
    }
}
