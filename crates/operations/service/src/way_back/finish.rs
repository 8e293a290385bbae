//! What follows once a password was set by a link, however far whoever set it came.

use directory::Directory;
use ledger::RecoveryEvent;
use model::Account;
use notice::Language;
use store::ResetLink;

use super::letter::{NewLetter, Told, post};
use crate::{
    Site, WorkError, Worker,
    campaigns::{Addressee, watch_account},
};

/// Signs everybody out, uses the link up and writes the confirmation. Doing it again changes
/// nothing.
pub(super) async fn conclude(
    site: &Site,
    directory: &Directory,
    link: &ResetLink,
    account: &Account,
    user_agent: Option<String>,
) -> Result<(), WorkError> {
    let ended = directory.end_sessions(std::slice::from_ref(&account.id)).await?;
    let mut tx = site.store.begin().await?;
    tx.hold_reset_link(link.id).await?;
    let at = tx.now().await?;
    if !tx.use_reset_link(link.id, at).await? {
        return Ok(());
    }
    tx.supersede_other_links(&account.id, link.id).await?;
    let (id, link_id) = (account.id.clone(), link.id.get());
    let mut events = vec![RecoveryEvent::PasswordChosen { account: id, link: link_id }.into()];
    let others_signed_out = directory.ends_sessions() && ended.unreadable == 0;
    let recorded = directory.records_verified();
    if let Some(addressee) = Addressee::of(site, None, account, recorded) {
        let told = Told::Done { at_micros: at.as_micros(), user_agent, others_signed_out };
        let language = tx.language_of_link(link.id).await?.parse().unwrap_or(Language::English);
        let (addressee, link) = (&addressee, Some(link.id));
        let new = NewLetter { account, addressee, told, language, link, source: None };
        events.push(post(site, &mut tx, new).await?.into());
    }
    site.record(&mut tx, &events).await?;
    Ok(tx.commit().await?)
}

impl Worker<'_> {
    /// Finishes what somebody was doing with a link when they were interrupted: the site's row
    /// tells whether their password was set.
    pub(crate) async fn finish_resets(&self) -> Result<(), WorkError> {
        let left = self.site.store.read().await?.reset_links_left().await?;
        for link in left {
            self.finish_reset(&link).await?;
        }
        Ok(())
    }

    async fn finish_reset(&self, link: &ResetLink) -> Result<(), WorkError> {
        let directory = &self.means.directory;
        let accounts = directory.by_ids(std::slice::from_ref(&link.account)).await?;
        let account = accounts.into_iter().next();
        let hash = account.as_ref().and_then(|account| account.hash.clone());
        let version = hash.as_ref().map(|hash| self.site.vault.credential_version(hash));
        match (account, hash) {
            (Some(account), Some(hash)) if version == link.intended => {
                conclude(self.site, directory, link, &account, None).await?;
                watch_account(self.site, &self.means.verifier, &account.id, &hash).await
            }
            _ => {
                let mut tx = self.site.store.begin().await?;
                tx.release_reset_link(link.id).await?;
                Ok(tx.commit().await?)
            }
        }
    }
}
