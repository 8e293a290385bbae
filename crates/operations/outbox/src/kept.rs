use instance::{DecryptError, Encrypted, Instance, purpose::RESET_LINE};
use model::{AccountId, CampaignId, FoundIn, StoredHash};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What is kept, encrypted, of an account that is sealed: enough to give its password back, and to
/// tell its owner. It is written before the instance's row is.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Kept {
    /// The hash that was replaced; empty where nobody knows it any more.
    replaced: String,
    /// The hash that replaced it: the same whoever tries, so that it is recognised as ours.
    sealed: String,
    /// Where the notice goes: the address that was verified when the account was sealed.
    pub address: String,
    /// What the person calls the account.
    pub username: Option<String>,
    /// The person's language.
    pub locale: Option<String>,
    /// Where their password was found; nothing in lines that version 0.1.0 wrote.
    #[serde(default)]
    #[zeroize(skip)]
    pub found: Vec<FoundIn>,
}

impl Kept {
    /// What is to be kept of an account that is about to be sealed.
    #[must_use]
    pub fn new(
        replaced: Option<&StoredHash>,
        sealed: &StoredHash,
        address: String,
        username: Option<String>,
        locale: Option<String>,
        found: Vec<FoundIn>,
    ) -> Self {
        let replaced = replaced.map(|hash| hash.expose().to_owned()).unwrap_or_default();
        let sealed = sealed.expose().to_owned();
        Self { replaced, sealed, address, username, locale, found }
    }

    /// The hash that was replaced.
    #[must_use]
    pub fn replaced(&self) -> Option<StoredHash> {
        StoredHash::kept(self.replaced.clone())
    }

    /// The hash that replaces the old one.
    #[must_use]
    pub fn sealed(&self) -> Option<StoredHash> {
        StoredHash::kept(self.sealed.clone())
    }

    /// Encrypts it, for the reset line of an account in a campaign and no other.
    ///
    /// # Errors
    /// [`serde_json::Error`] if it cannot be written down.
    pub fn encrypt(
        &self,
        instance: &Instance,
        campaign: CampaignId,
        account: &AccountId,
    ) -> Result<Encrypted, serde_json::Error> {
        instance.encrypt(RESET_LINE, &context(campaign, account), self)
    }

    /// The reverse of [`Kept::encrypt`].
    ///
    /// # Errors
    /// [`DecryptError`] if it is another line's, or damaged.
    pub fn decrypt(
        instance: &Instance,
        campaign: CampaignId,
        account: &AccountId,
        wrapped_key: &[u8],
        body: &[u8],
    ) -> Result<Self, DecryptError> {
        instance.decrypt(RESET_LINE, &context(campaign, account), wrapped_key, body)
    }
}

fn context(campaign: CampaignId, account: &AccountId) -> String {
    format!("reset line of campaign {campaign} for account {account}")
}
