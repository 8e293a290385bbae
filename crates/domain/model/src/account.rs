use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Credential, Timestamp, limits::ACCOUNT_ID_BYTES_MAX};

/// One user account of the site, as its directory shows it at one moment.
///
/// What the site does not record is `None`, never a guess.
#[derive(Debug, Clone)]
pub struct Account {
    /// The site's own key of the account.
    pub id: AccountId,
    /// The address that the site has stored. Mail goes here and nowhere else.
    pub email: Option<String>,
    /// Further addresses that the site knows the person by. A leak may name them by one; no mail goes
    /// there.
    pub other_emails: Vec<String>,
    /// The name that the person signs in with, where that is not the address.
    pub username: Option<String>,
    /// `None` for accounts without a password (single sign-on): they are `no_password`.
    pub credential: Option<Credential>,
    /// When the credential was last replaced.
    pub hash_changed_at: Option<Timestamp>,
    /// Whether the person has proved to own the address.
    pub email_verified: Option<bool>,
    /// The person's language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// When the person last signed in.
    pub last_login_at: Option<Timestamp>,
    /// Whether the site asks the person for a second factor.
    pub second_factor: Option<bool>,
    /// Whether the site still lets the person in.
    pub active: Option<bool>,
    /// The name of the first field whose value could not be read. The field then says the least: an
    /// address is not verified, an account not let in. That a leaked password is not the account's is
    /// not concluded.
    pub unreadable: Option<&'static str>,
}

impl Account {
    /// Whether the site says that it no longer lets the person in: nobody signs in there, so no
    /// password is taken out of use and no mail is sent.
    #[must_use]
    pub const fn is_deactivated(&self) -> bool {
        matches!(self.active, Some(false))
    }
}

/// The site's own key of an account: opaque text of 1 to 255 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(Box<str>);

impl AccountId {
    /// Takes any text that is neither empty nor overlong, and that every database can hold.
    ///
    /// # Errors
    /// [`AccountIdError`] names the length found and the bound.
    pub fn new(text: impl Into<String>) -> Result<Self, AccountIdError> {
        let text = text.into();
        match text.len() {
            0 => Err(AccountIdError::Empty),
            length if length > ACCOUNT_ID_BYTES_MAX => Err(AccountIdError::TooLong { length }),
            _ if text.contains('\0') => Err(AccountIdError::Nul),
            _ => Ok(Self(text.into_boxed_str())),
        }
    }

    /// The id as the site wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl TryFrom<String> for AccountId {
    type Error = AccountIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0.into()
    }
}

/// Why a text is no account id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountIdError {
    /// Nothing at all would stand for everybody somewhere.
    #[error("an account id is empty")]
    Empty,
    /// Longer than any key we can store and index.
    #[error("an account id has {length} bytes, at most {ACCOUNT_ID_BYTES_MAX} are taken")]
    TooLong {
        /// Bytes found.
        length: usize,
    },
    /// PostgreSQL holds no text with a NUL.
    #[error("an account id holds a NUL character")]
    Nul,
}
