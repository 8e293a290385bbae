use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use authority::{Roster, RosterDigest};
use futures_util::future::BoxFuture;
use ledger::WitnessPolicy;
use model::InstanceKind;
use store::{StoreError, Tx};

use failpoint::mutant;

use crate::{
    DisarmedError, Instance, RosterStateError, SendingGuard, WitnessError, Witnesses,
    arming::{policy_of, witness_policy},
    roster::KeptRoster,
    roster_in,
};

/// What this host may send by: its sending file, the roster that the configuration names, and the
/// witnesses that the arming names.
#[derive(Debug)]
pub struct SendingPermission {
    guard: SendingGuard,
    founding: RosterDigest,
    witnesses: Witnesses,
    /// Whether the log could not be marked when it was last to be.
    is_unmarked: AtomicBool,
    /// How many of its entries were to be marked then.
    tried: AtomicU64,
}

/// That this host may send from this store, as it was found in the transaction that asks.
#[derive(Debug)]
pub struct Permit {
    /// Who may sign.
    pub roster: Roster,
    /// Whether witnesses sign for the log before anything is sealed or sent.
    pub is_witnessed: bool,
}

impl SendingPermission {
    /// `founding` is the digest of the first roster, from the configuration.
    #[must_use]
    pub const fn new(guard: SendingGuard, founding: RosterDigest, witnesses: Witnesses) -> Self {
        let (is_unmarked, tried) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { guard, founding, witnesses, is_unmarked, tried }
    }

    /// Refuses unless this host may send from this store now. It belongs into the transaction that
    /// commits what is about to be sent.
    ///
    /// # Errors
    /// [`PermissionError`] says why nothing may be sent.
    pub fn check<'a>(
        &'a self,
        tx: &'a mut Tx,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<Permit, PermissionError>> {
        Box::pin(async move {
            let kept = KeptRoster::read(tx, instance, self.founding).await?;
            let found = match kept.unchecked() {
                Some(roster) => self.guard.found(tx, instance, roster).await,
                None => Err(DisarmedError::Never),
            };
            let log = instance.proved(tx).await.map_err(RosterStateError::from)?;
            let roster = kept.checked(&log)?.ok_or(RosterStateError::None)?;
            let (armed, _) = found?.checked(&log, instance.clock().now())?;
            let policy = policy_of(armed.document()).map_err(DisarmedError::Policy)?;
            Ok(Permit { roster, is_witnessed: policy.is_some() })
        })
    }

    /// As [`SendingPermission::check`], in a transaction of its own, and then as
    /// [`SendingPermission::mark`].
    ///
    /// # Errors
    /// [`PermissionError`] says why nothing may be sent.
    pub fn confirm<'a>(
        &'a self,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<(), PermissionError>> {
        Box::pin(async move {
            let mut tx = instance.store().begin().await?;
            self.check(&mut tx, instance).await?;
            tx.commit().await?;
            self.mark(instance).await
        })
    }

    /// Remembers outside the store how far its log has come: in this host's file, and with the
    /// witnesses. It comes after what is to be done is committed, and before it is done.
    ///
    /// # Errors
    /// [`PermissionError`] if the log is not the one that was marked before, if it does not hold what
    /// this process has committed, if the store could forget that, or if too few witnesses sign for it.
    pub fn mark<'a>(
        &'a self,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<(), PermissionError>> {
        Box::pin(async move {
            let grown = instance.store().log_growths().committed();
            self.tried.fetch_max(grown, Ordering::Relaxed);
            let marked = self.mark_all(instance).await;
            self.is_unmarked.store(marked.is_err(), Ordering::Relaxed);
            marked
        })
    }

    async fn mark_all(&self, instance: &Instance) -> Result<(), PermissionError> {
        self.guard.mark(instance, &self.witnesses).await?;
        match policy_for(instance, self.founding).await? {
            Some(policy) if !mutant::is_on("witness_unasked") => {
                self.witnesses.sign(instance, &policy).await?;
                Ok(self.guard.remember(instance, &self.witnesses)?)
            }
            _ => Ok(()),
        }
    }

    /// Marks what was committed after the last time, such as a halt that nobody has asked for: there is
    /// nothing else to be done, and so nobody would. It is tried once; [`SendingPermission::ready`]
    /// tries again.
    ///
    /// # Errors
    /// As [`SendingPermission::mark`].
    pub fn keep_up<'a>(
        &'a self,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<(), PermissionError>> {
        Box::pin(async move {
            let grown = instance.store().log_growths().committed();
            if self.tried.fetch_max(grown, Ordering::Relaxed) < grown {
                self.mark(instance).await
            } else {
                Ok(())
            }
        })
    }

    /// Tries again if the log could not be marked when it was last to be: then nothing is begun that
    /// could not be done.
    ///
    /// # Errors
    /// As [`SendingPermission::mark`].
    pub fn ready<'a>(
        &'a self,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<(), PermissionError>> {
        Box::pin(async move {
            if self.is_unmarked.load(Ordering::Relaxed) {
                self.mark(instance).await
            } else {
                Ok(())
            }
        })
    }
}

/// Has the witnesses sign for the log, from a host that has no sending file to remember it in; `false`
/// if operators have armed none.
///
/// # Errors
/// [`PermissionError`] if nothing is armed, or too few witnesses sign.
pub fn mark_by_witnesses<'a>(
    instance: &'a Instance,
    founding: RosterDigest,
    witnesses: &'a Witnesses,
) -> BoxFuture<'a, Result<bool, PermissionError>> {
    Box::pin(async move {
        let Some(policy) = policy_for(instance, founding).await? else { return Ok(false) };
        witnesses.sign(instance, &policy).await?;
        Ok(true)
    })
}

/// The witnesses that have to sign for a log that is as this process has left it.
async fn policy_for(
    instance: &Instance,
    founding: RosterDigest,
) -> Result<Option<WitnessPolicy>, PermissionError> {
    // What is read here is compared with the log, which others move on meanwhile.
    let mut tx = instance.store().begin().await?;
    let roster = roster_in(&mut tx, instance, founding).await?;
    let policy = witness_policy(&mut tx, instance, &roster).await?;
    check_memory(instance, &mut tx, policy.is_some()).await?;
    Ok(policy)
}

/// Passes a store that forgets nothing of what it commits, whatever becomes of its server.
///
/// # Errors
/// [`PermissionError::NotDurable`], [`PermissionError::LaggingStandby`].
pub fn check_store_memory(
    instance: &Instance,
    is_witnessed: bool,
) -> BoxFuture<'_, Result<(), PermissionError>> {
    Box::pin(async move {
        check_memory(instance, &mut instance.store().read().await?, is_witnessed).await
    })
}

/// Whatever becomes of the server, what it has committed must be known to whoever goes on. A standby
/// may begin to lag at any time. In a rehearsal no real person is told.
async fn check_memory(
    instance: &Instance,
    tx: &mut Tx,
    is_witnessed: bool,
) -> Result<(), PermissionError> {
    if instance.kind() != InstanceKind::Site {
        return Ok(());
    }
    if !tx.is_durable().await? {
        return Err(PermissionError::NotDurable);
    }
    let standbys = tx.standbys().await?;
    if standbys.may_lag() && !is_witnessed {
        return Err(PermissionError::LaggingStandby { count: standbys.count });
    }
    Ok(())
}

/// Why this host may send nothing.
#[derive(Debug, thiserror::Error)]
pub enum PermissionError {
    /// It is not armed for this store.
    #[error(transparent)]
    Disarmed(#[from] DisarmedError),
    /// Nobody may sign yet, or the roster does not hold.
    #[error(transparent)]
    Roster(#[from] RosterStateError),
    /// What is committed might be forgotten, and then be sent a second time.
    #[error(
        "the store may lose what it has committed, so a mail could go out twice: turn on fsync \
         and synchronous_commit (`countersign doctor` tells which)"
    )]
    NotDurable,
    /// A standby that takes over might not know whom we have told.
    #[error(
        "{count} standbys follow the store's server, and no commit waits for them: if one takes over, \
         it may not know whom we have told. Name them in `synchronous_standby_names`, drop the slots of \
         those that are gone, or arm with a witness (`countersign sending propose --witnesses`)"
    )]
    LaggingStandby {
        /// How many, those that are away and have a slot included.
        count: i64,
    },
    /// Too few witnesses have signed for the log.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PermissionError {
    /// Whether it passes as soon as witnesses answer again.
    #[must_use]
    pub const fn is_for_want_of_witnesses(&self) -> bool {
        matches!(self, Self::Witness(WitnessError::Silent(_)))
    }

    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Disarmed(_) | Self::NotDurable | Self::LaggingStandby { .. } => true,
            Self::Roster(error) => error.is_refusal(),
            Self::Witness(error) => error.is_refusal(),
            Self::Store(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::CampaignEvent;
    use model::{CampaignId, SubjectId};

    use super::*;
    use crate::{
        ArmingTerms, accept_roster, arm, propose_arming,
        testing::{TestSite, founding, key, no_witnesses},
    };

    async fn armed() -> (TestSite, SendingPermission) {
        let site = TestSite::new().await;
        let first = founding(&site, &["ana", "bob", "cleo"]);
        let digest = first.document().digest();
        let roster = accept_roster(&site, &first, digest).await.unwrap();
        let file = site.path("sending.json");
        let arming =
            propose_arming(&site, &file, ArmingTerms::default(), &no_witnesses()).await.unwrap();
        let arming = arming.signed_by(&key("ana")).signed_by(&key("bob"));
        arm(&site, &arming, &roster, &file, &no_witnesses()).await.unwrap();
        let guard = SendingGuard::open(&file).unwrap();
        (site, SendingPermission::new(guard, digest, no_witnesses()))
    }

    async fn record(site: &Instance, account: i64) {
        let (campaign, whom) = (CampaignId(1), SubjectId(account).into());
        let event = CampaignEvent::AccountSealed { campaign, whom, address: 0 };
        let mut tx = site.store().begin().await.unwrap();
        site.record(&mut tx, &[event.into()]).await.unwrap();
        let _ = site.proved(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_log_that_grows_meanwhile_was_not_put_back() {
        let (site, permission) = armed().await;
        let host = Arc::new((site, permission));
        let lanes = (0..4).map(|lane| {
            let host = Arc::clone(&host);
            tokio::spawn(async move {
                let (site, permission) = &*host;
                for turn in 0..25 {
                    record(site, lane * 100 + turn).await;
                    permission.mark(site).await.unwrap();
                }
            })
        });
        for lane in lanes.collect::<Vec<_>>() {
            lane.await.unwrap();
        }
    }
}
