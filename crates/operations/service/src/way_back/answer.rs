use model::Account;
use store::{Finding, PastReset, Tx};

use super::letter::Found;
use crate::{Site, WorkError, Worker};

impl Worker<'_> {
    /// What is known of an account's password, as it is at this moment.
    pub(super) async fn what_is_found(
        &self,
        tx: &mut Tx,
        account: &Account,
    ) -> Result<Found, WorkError> {
        let resets = tx.resets_of_account(&account.id).await?;
        let findings = tx.open_findings_of(&account.id).await?;
        let until_micros = tx.now().await?.as_micros();
        let found = found(self.site, account, resets.last(), &findings);
        Ok(found.unwrap_or(Found::Nothing { until_micros }))
    }
}

/// A password that is switched off and not replaced comes first, then one that still opens the
/// account, then what is over.
fn found(
    site: &Site,
    account: &Account,
    last: Option<&PastReset>,
    open: &[Finding],
) -> Option<Found> {
    let version = account.hash.as_ref().map(|hash| site.vault.credential_version(hash));
    let is_sealed = last.is_some_and(|reset| version == Some(reset.line.sealed));
    let is_open = open.iter().any(|finding| version == Some(finding.version));
    match last {
        None | Some(_) if is_open && !is_sealed => Some(Found::Open),
        None => None,
        Some(PastReset { campaign, at, .. }) => Some(Found::SwitchedOff {
            campaign: *campaign,
            at_micros: at.as_micros(),
            chosen_since: !is_sealed,
        }),
    }
}
