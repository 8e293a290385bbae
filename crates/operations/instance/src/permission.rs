use authority::{LogMark, Roster, RosterDigest};
use futures_util::future::BoxFuture;
use model::InstanceKind;
use store::{StoreError, Tx};

use crate::{DisarmedError, Instance, RosterStateError, SendingGuard, roster_in};

/// What this host may send by: its sending file, and the roster that the configuration names.
#[derive(Debug, Clone)]
pub struct SendingPermission {
    guard: SendingGuard,
    founding: RosterDigest,
}

impl SendingPermission {
    /// `founding` is the digest of the first roster, from the configuration.
    #[must_use]
    pub const fn new(guard: SendingGuard, founding: RosterDigest) -> Self {
        Self { guard, founding }
    }

    /// Refuses unless this host may send from this store now, and says who may sign. It belongs
    /// into the transaction that commits what is about to be sent.
    ///
    /// # Errors
    /// [`PermissionError`] says why nothing may be sent.
    pub fn check<'a>(
        &'a self,
        tx: &'a mut Tx,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<Roster, PermissionError>> {
        Box::pin(async move {
            let roster = roster_in(tx, instance, self.founding).await?;
            self.guard.check(tx, instance, &roster).await?;
            Ok(roster)
        })
    }

    /// As [`SendingPermission::check`], in a transaction of its own; refuses as well where the
    /// store could forget what it has committed.
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
            if instance.kind() == InstanceKind::Site && !tx.is_durable().await? {
                return Err(PermissionError::NotDurable);
            }
            Ok(tx.commit().await?)
        })
    }

    /// Remembers outside the store how far its log has come.
    ///
    /// # Errors
    /// [`DisarmedError`] if the log is not the one that was marked before.
    pub fn mark<'a>(
        &'a self,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<LogMark, DisarmedError>> {
        Box::pin(async move { self.guard.mark(instance).await })
    }
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PermissionError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Disarmed(_) | Self::NotDurable => true,
            Self::Roster(error) => error.is_refusal(),
            Self::Store(_) => false,
        }
    }
}
