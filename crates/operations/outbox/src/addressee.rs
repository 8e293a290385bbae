use campaign::AddressKey;
use instance::{Instance, KeyRing};
use model::{Account, AccountId, CampaignId};
use notice::Address;

/// Whom to tell about an account: an address that the site holds for theirs.
#[derive(Debug, Clone)]
pub struct Addressee {
    /// Where the mail goes.
    pub address: Address,
    /// By which the address is recognised in a campaign.
    pub key: AddressKey,
}

impl Addressee {
    /// `None` where there is no address, none that mail can go to, or none that is proved.
    ///
    /// A site that does not record who has proved to own an address mails its own password resets
    /// to the address as it is, so it counts.
    #[must_use]
    pub fn of(
        instance: &Instance,
        campaign: Option<CampaignId>,
        account: &Account,
        verified_is_recorded: bool,
    ) -> Option<Self> {
        if verified_is_recorded && account.email_verified != Some(true) {
            return None;
        }
        let email = account.email.as_deref()?;
        let (address, exact) = (email.trim().parse().ok()?, model::address::exact(email)?);
        Some(Self { address, key: address_key(instance.keys(), campaign, &exact) })
    }
}

/// Fixes who comes first, so it differs from campaign to campaign.
fn address_key(keys: &KeyRing, campaign: Option<CampaignId>, exact: &str) -> AddressKey {
    AddressKey::from_bytes(keys.address_key(campaign, exact))
}

/// Part of an account's id or address, enough for its operators to recognise and for nobody else.
fn masked(text: &str) -> String {
    let shown: String = text.chars().take(1).collect();
    format!("{shown}…")
}

/// An address as operators see it: `j…@e….com`.
#[must_use]
pub fn masked_address(address: &Address) -> String {
    let text = address.as_str();
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
    let (host, ending) = domain.rsplit_once('.').unwrap_or((domain, ""));
    format!("{}@{}.{ending}", masked(local), masked(host))
}

/// The last characters tell accounts apart where ids are numbers that grow.
#[must_use]
pub fn masked_id(id: &AccountId) -> String {
    let text = id.as_str();
    let tail: Vec<char> = text.chars().rev().take(2).collect();
    format!("…{}", tail.into_iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_what_an_operator_recognises_and_no_more() {
        let address: Address = "jane.doe@mail.example.com".parse().unwrap();
        assert_eq!(masked_address(&address), "j…@m….com");
        assert_eq!(masked_id(&AccountId::new("123456").unwrap()), "…56");
    }
}
