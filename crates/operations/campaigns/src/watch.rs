//! Watching who came back.

use std::{collections::BTreeMap, sync::Arc};

use directory::{Ability, ChangeMark, Directory, ReadError};
use futures_util::{TryStreamExt as _, future::BoxFuture, stream::TryChunksError};
use instance::{Accounts, Instance};
use model::{Account, CampaignId, CampaignState, SubjectId};
use password::Verifier;
use store::{SealedLine, Shares};

use crate::{
    WatchError,
    limits::{ACCOUNTS_PER_LOOK_UP, CHANGES_PER_ROUND_MAX},
    resets::{OwnPassword, own_passwords, record_all},
    rota::{Rota, Telling},
};

/// How far a worker's watch has come: up to where it has seen changes, and whose turn it is.
///
/// It lives as long as its process. The first round of a process reads everybody, and so finds what
/// happened while none ran; a mark in the store would have to be as old to be safe, and would save
/// no more than that one round. Every worker has a watch of its own: they share nothing, and what
/// two of them see is recorded once.
#[derive(Debug, Default)]
pub struct ResetWatch {
    mark: Option<ChangeMark>,
    rota: Rota,
}

/// One round of the watch: sees who has chosen a new password among the accounts that the directory
/// says have changed, and among those whose turn it is. Returns how many there were.
///
/// # Errors
/// [`WatchError`] if store or directory fail: then the next round begins where this one did.
pub fn watch_round<'a>(
    instance: &'a Instance,
    directory: &'a dyn Directory,
    verifier: &'a Arc<Verifier>,
    watch: &'a mut ResetWatch,
) -> BoxFuture<'a, Result<u64, WatchError>> {
    Box::pin(async move {
        let now = instance.clock().now();
        let Watched { campaigns, sealed } = watched(instance).await?;
        if sealed == 0 {
            // By the time that anybody is, this mark would lie far back.
            *watch = ResetWatch::default();
            return Ok(0);
        }
        let told = told(instance, directory, watch.mark.as_ref(), sealed).await?;
        let shares = watch.rota.due(now, sealed, told.telling);
        let resets = record_all(instance, verifier, told.own).await?
            + read_shares(instance, directory, verifier, &campaigns, shares).await?;
        *watch = ResetWatch { mark: told.mark, rota: Rota::after(shares, now) };
        Ok(resets)
    })
}

/// Sees who has chosen a new password among all accounts that a campaign has sealed: a hash that is
/// neither ours nor the one that was replaced. Whether it is the leaked password again is tried before
/// its secret is destroyed. Returns how many there were.
///
/// # Errors
/// [`WatchError`] if store or directory fail.
pub fn watch_resets<'a>(
    instance: &'a Instance,
    directory: &'a dyn Directory,
    verifier: &'a Arc<Verifier>,
    name: &'a str,
) -> BoxFuture<'a, Result<u64, WatchError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let started = tx.campaign_names_in(CampaignState::STARTED).await?.into_iter();
        let named = started.filter(|(_, started)| started == name);
        let campaigns: Vec<_> = named.map(|(campaign, _)| campaign).collect();
        drop(tx);
        read_shares(instance, directory, verifier, &campaigns, Shares::ALL).await
    })
}

/// The campaigns with sealed accounts, and how many these are.
#[derive(Default)]
struct Watched {
    campaigns: Vec<CampaignId>,
    sealed: u64,
}

async fn watched(instance: &Instance) -> Result<Watched, WatchError> {
    let mut tx = instance.store().read().await?;
    let mut watched = Watched::default();
    for (campaign, _) in tx.campaign_names_in(CampaignState::STARTED).await? {
        let sealed = tx.sealed_count(campaign).await?;
        if sealed > 0 {
            watched.campaigns.push(campaign);
            watched.sealed += sealed;
        }
    }
    Ok(watched)
}

/// What came of asking the directory what has changed.
struct ToldChanges {
    telling: Telling,
    /// What to ask with in the next round.
    mark: Option<ChangeMark>,
    own: Vec<OwnPassword>,
}

/// A directory that fails to tell is asked for the accounts themselves; if it cannot answer that
/// either, the round fails. So one odd value in the change column blinds nobody.
async fn told(
    instance: &Instance,
    directory: &dyn Directory,
    since: Option<&ChangeMark>,
    sealed: u64,
) -> Result<ToldChanges, WatchError> {
    let unchanged =
        ToldChanges { telling: Telling::Nothing, mark: since.cloned(), own: Vec::new() };
    if !directory.capabilities().can(Ability::TellChanges) {
        return Ok(unchanged);
    }
    match changes(instance, directory, since, sealed.max(CHANGES_PER_ROUND_MAX)).await {
        Err(WatchError::Read(error)) => {
            tracing::warn!(%error, "the directory does not tell what has changed");
            Ok(unchanged)
        }
        told => told,
    }
}

/// Takes in what has changed, up to a bound. Beyond it the mark moves on all the same: the rest is
/// told again for as long as the directory looks back, and until then everybody is read in turn.
async fn changes(
    instance: &Instance,
    directory: &dyn Directory,
    since: Option<&ChangeMark>,
    most: u64,
) -> Result<ToldChanges, WatchError> {
    let changes = directory.changed_since(since).await?;
    let telling = if since.is_some() { Telling::All } else { Telling::Beginning };
    let mut told = ToldChanges { telling, mark: Some(changes.mark), own: Vec::new() };
    let mut accounts = changes.accounts.try_chunks(ACCOUNTS_PER_LOOK_UP);
    let mut read = 0;
    while let Some(changed) = accounts.try_next().await.map_err(unread)? {
        if read >= most {
            tracing::warn!(most, "more accounts have changed than are taken in at once");
            return Ok(ToldChanges { telling: Telling::Some, ..told });
        }
        read += changed.len() as u64;
        // Only collected: passwords are tried once the directory's transaction is over.
        told.own.extend(own_among(instance, changed).await?);
    }
    Ok(told)
}

fn unread(TryChunksError(_, error): TryChunksError<Account, ReadError>) -> WatchError {
    error.into()
}

async fn own_among(
    instance: &Instance,
    accounts: Vec<Account>,
) -> Result<Vec<OwnPassword>, WatchError> {
    let ids: Vec<_> = accounts.iter().map(|account| account.id.clone()).collect();
    let mut tx = instance.store().read().await?;
    let subjects = instance.subjects_of(&mut tx, &ids).await?;
    let sealed = tx.sealed_among(&subjects.values().copied().collect::<Vec<_>>()).await?;
    let named = accounts.into_iter().filter_map(|a| Some((*subjects.get(&a.id)?, a)));
    Ok(own_passwords(instance, sealed, &named.collect()))
}

/// Those of these accounts that the site still has, as they are now.
async fn present(
    directory: &dyn Directory,
    accounts: &Accounts,
) -> Result<BTreeMap<SubjectId, Account>, ReadError> {
    let subjects: BTreeMap<_, _> = accounts.iter().map(|(subject, id)| (id, subject)).collect();
    let ids: Vec<_> = subjects.keys().map(|id| (*id).clone()).collect();
    let present = directory.by_ids(&ids).await?.into_iter();
    Ok(present.filter_map(|account| Some((*subjects.get(&account.id)?, account))).collect())
}

async fn read_shares(
    instance: &Instance,
    directory: &dyn Directory,
    verifier: &Arc<Verifier>,
    campaigns: &[CampaignId],
    shares: Shares,
) -> Result<u64, WatchError> {
    let (mut resets, limit) = (0, ACCOUNTS_PER_LOOK_UP as u64);
    for &campaign in campaigns {
        let mut from = 0;
        loop {
            let mut tx = instance.store().read().await?;
            let lines = tx.sealed_lines(campaign, shares, from, limit).await?;
            let subjects = lines.iter().map(|(_, line)| line.subject);
            let ids = instance.accounts_of(&mut tx, subjects).await?;
            drop(tx);
            let Some((last, _)) = lines.last() else { break };
            from = last + 1;
            let accounts = present(directory, &ids).await?;
            let sealed = lines.into_iter().map(|(_, line)| SealedLine { campaign, line }).collect();
            let own = own_passwords(instance, sealed, &accounts);
            resets += record_all(instance, verifier, own).await?;
        }
    }
    Ok(resets)
}
