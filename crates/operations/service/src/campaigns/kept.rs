use model::{AccountId, CampaignId, StoredHash};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Site, vault::VaultError};

/// What its data key is wrapped for.
const RESET_LINE: &str = "reset line";

/// What is kept, encrypted, of an account that is sealed: enough to give its password back, and to
/// tell its owner. It is written before the site's row is.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Kept {
    /// The hash that was replaced.
    replaced: String,
    /// The hash that replaced it: the same whoever tries, so that it is recognised as ours.
    sealed: String,
    /// Where the notice goes: the address that was verified when the account was sealed.
    pub(super) address: String,
    /// What the person calls the account.
    pub(super) username: Option<String>,
    /// The person's language.
    pub(crate) locale: Option<String>,
}

impl Kept {
    pub(super) fn new(
        replaced: &StoredHash,
        sealed: &StoredHash,
        address: String,
        username: Option<String>,
        locale: Option<String>,
    ) -> Self {
        let (replaced, sealed) = (replaced.expose().to_owned(), sealed.expose().to_owned());
        Self { replaced, sealed, address, username, locale }
    }

    /// The hash that was replaced.
    pub(crate) fn replaced(&self) -> Option<StoredHash> {
        StoredHash::from_column(Some(self.replaced.clone()))
    }

    /// The hash that replaces the old one.
    pub(super) fn sealed(&self) -> Option<StoredHash> {
        StoredHash::from_column(Some(self.sealed.clone()))
    }

    /// The wrapped key, and what it opens.
    pub(super) fn encrypt(
        &self,
        site: &Site,
        campaign: CampaignId,
        account: &AccountId,
    ) -> Result<(Vec<u8>, Vec<u8>), serde_json::Error> {
        let plain = Zeroizing::new(serde_json::to_vec(self)?);
        let (key, wrapped) = site.vault.new_data_key(RESET_LINE, &*site.randomness);
        let kept = key.encrypt(&context(campaign, account), &plain, &*site.randomness);
        Ok((wrapped, kept))
    }

    pub(crate) fn decrypt(
        site: &Site,
        campaign: CampaignId,
        account: &AccountId,
        wrapped: &[u8],
        kept: &[u8],
    ) -> Result<Self, VaultError> {
        let context = context(campaign, account);
        let key = site.vault.data_key(RESET_LINE, wrapped)?;
        let plain = key.decrypt(&context, kept)?;
        serde_json::from_slice(&plain).map_err(|_| VaultError::new(&context))
    }
}

fn context(campaign: CampaignId, account: &AccountId) -> String {
    format!("reset line of campaign {campaign} for account {account}")
}
