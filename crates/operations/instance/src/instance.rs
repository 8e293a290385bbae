use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use ledger::{CheckpointKey, CheckpointVerifier, CheckpointVerifiers, LogEvent};
use model::{Clock, InstanceId, InstanceKind, KeyId, NameError, Randomness, canonical::hex_of};
use store::{InstanceRow, KeyInForce, KeyRotated, RetiredKeyRow, Store, StoreError, Tx};

use crate::{
    DecryptError, InstanceKey,
    append::{LogError, append},
    key_ring::KeyRing,
    proved_log::ProvedLog,
};

/// Everything that an operation on a site's own store needs.
pub struct Instance {
    store: Store,
    keys: KeyRing,
    row: InstanceRow,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    options: InstanceOptions,
    /// Of the key in force: making it takes longer than using it, and every decision does.
    verifier: CheckpointVerifier,
    log: ProvedLog,
}

/// How an instance does its work.
#[derive(Debug, Clone)]
pub struct InstanceOptions {
    /// How long a piece of work stays with a worker that no longer says it is alive.
    pub lease: Duration,
    /// Plain files are screened in pieces of this many bytes.
    pub piece_bytes: u64,
    /// Where encrypted copies of standard input are kept until they are verified.
    pub spool_folder: PathBuf,
}

impl Instance {
    /// Opens an instance whose store has been made and migrated.
    ///
    /// # Errors
    /// [`InstanceError`] if there is none, its tables are out of date, or the key is another's.
    pub fn open<'a>(
        store: Store,
        key: InstanceKey,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        options: InstanceOptions,
    ) -> BoxFuture<'a, Result<Self, InstanceError>> {
        Box::pin(async move {
            require_migrated(&store).await?;
            let mut tx = store.read().await?;
            let (row, keys) = open_keys(&mut tx, key).await?;
            let is_named = tx.key_in_force().await?.is_some();
            let newest = tx.latest_checkpoint().await?;
            drop(tx);
            if newest.is_some_and(|newest| {
                !keys.checkpoint_verifiers(&row.id).know_signers(&newest.note)
            }) {
                return Err(InstanceError::Superseded { held: keys.id() });
            }
            if !is_named {
                name_key(&store, keys.in_force(&row.id)).await?;
            }
            let instance = Self::of(row, store, keys, (clock, randomness), options);
            instance.encrypt_plain_subjects().await?;
            Ok(instance)
        })
    }

    /// The instance that a store's row names, with its keys.
    pub(crate) fn of(
        row: InstanceRow,
        store: Store,
        keys: KeyRing,
        (clock, randomness): (Arc<dyn Clock>, Arc<dyn Randomness>),
        options: InstanceOptions,
    ) -> Self {
        let (store, log) = (store.held_with(keys.id()), ProvedLog::default());
        let verifier = keys.checkpoint_key(&row.id).verifier();
        Self { store, keys, row, clock, randomness, options, verifier, log }
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.row.id
    }

    /// The id as it stands in what operators sign.
    ///
    /// # Errors
    /// [`NameError`] if the store holds another text than `init` wrote.
    pub fn signing_id(&self) -> Result<InstanceId, NameError> {
        self.row.id.parse()
    }

    /// Whether the store was made for a site or for a rehearsal.
    #[must_use]
    pub const fn kind(&self) -> InstanceKind {
        self.row.kind
    }

    /// What Countersign keeps.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The keys that are derived from the instance key.
    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Passes if the key in force is the one that this instance was opened with.
    ///
    /// # Errors
    /// [`StoreError::KeyRotated`].
    pub fn check_key(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.store.read().await?.check_key().await })
    }

    /// This host's clock. Leases and campaigns go by the database's.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Where nonces, keys and names come from.
    #[must_use]
    pub fn randomness(&self) -> &dyn Randomness {
        &*self.randomness
    }

    /// The same, for a thread that outlives the borrow.
    #[must_use]
    pub fn shared_randomness(&self) -> Arc<dyn Randomness> {
        Arc::clone(&self.randomness)
    }

    /// How it does its work.
    #[must_use]
    pub const fn options(&self) -> &InstanceOptions {
        &self.options
    }

    /// Writes events into the audit log, in the transaction that does what they tell of.
    ///
    /// # Errors
    /// [`LogError`] if the log is damaged, or the store fails.
    pub fn record<'a>(
        &'a self,
        tx: &'a mut Tx,
        events: &'a [LogEvent],
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move { append(tx, &self.checkpoint_key(), self.clock.now(), events).await })
    }

    pub(crate) const fn proved_log(&self) -> &ProvedLog {
        &self.log
    }

    pub(crate) fn checkpoint_key(&self) -> CheckpointKey {
        self.keys.checkpoint_key(&self.row.id)
    }

    /// Who checks what the key in force has signed.
    pub(crate) const fn checkpoint_verifier(&self) -> &CheckpointVerifier {
        &self.verifier
    }

    pub(crate) fn checkpoint_verifiers(&self) -> CheckpointVerifiers {
        self.keys.checkpoint_verifiers(&self.row.id)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({})", self.row.id)
    }
}

/// What to do about tables of another version.
pub(crate) const fn way_on(found: i64, needed: i64) -> &'static str {
    if found < needed {
        "run `countersign migrate`"
    } else {
        "a newer version of Countersign has migrated the store, so use that one"
    }
}

/// Whoever broke off before there was an instance has nothing to migrate.
pub(crate) async fn require_migrated(store: &Store) -> Result<(), InstanceError> {
    let needed = Store::schema_version_needed();
    match store.schema_version().await? {
        Some(version) if version == needed => Ok(()),
        Some(found) if found > needed || store.read().await?.instance().await?.is_some() => {
            Err(InstanceError::NotMigrated { found, needed })
        }
        _ => Err(InstanceError::None),
    }
}

/// The key ring of a store, if the key is the one in force there.
pub(crate) async fn open_keys(
    tx: &mut Tx,
    key: InstanceKey,
) -> Result<(InstanceRow, KeyRing), InstanceError> {
    let row = tx.instance().await?.ok_or(InstanceError::None)?;
    let (in_force, retired) = (tx.key_in_force().await?, tx.retired_keys().await?);
    let held = KeyRing::new(key.clone());
    let is_first = held.is_key_of(&row.id, &row.key_check);
    let key_check = in_force.as_ref().map_or(&row.key_check, |key| &key.key_check);
    if !held.is_key_of(&row.id, key_check) {
        return Err(refused(&row, &held, in_force.as_ref(), &retired));
    }
    if !is_first && retired.is_empty() {
        return Err(DecryptError::new("instance key 1").into());
    }
    Ok((row, KeyRing::open(key, &retired)?))
}

/// Stores of before have not said which key is in force: their first one.
async fn name_key(store: &Store, first: KeyInForce) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.name_first_key(first).await?;
    tx.commit().await
}

/// Whoever holds a key of before is told so.
fn refused(
    row: &InstanceRow,
    held: &KeyRing,
    in_force: Option<&KeyInForce>,
    retired: &[RetiredKeyRow],
) -> InstanceError {
    let held = held.id();
    match in_force {
        Some(found) if retired.iter().any(|key| key.id == held) => {
            KeyRotated { in_force: found.id, held }.into()
        }
        _ => InstanceError::OtherKey { instance: row.id.clone() },
    }
}

/// Makes the one instance of an empty, migrated store. Its kind is for ever.
///
/// # Errors
/// [`InstanceError::Exists`] if the store has one already.
pub fn create_instance<'a>(
    store: &'a Store,
    key: &'a InstanceKey,
    kind: InstanceKind,
    clock: &'a dyn Clock,
    randomness: &'a dyn Randomness,
) -> BoxFuture<'a, Result<String, InstanceError>> {
    Box::pin(async move {
        let mut tx = store.begin().await?;
        if let Some(InstanceRow { id, .. }) = tx.instance().await? {
            return Err(InstanceError::Exists { instance: id });
        }
        let keys = KeyRing::new(key.clone());
        let id = hex_of(&randomness.array::<16>());
        let (key_check, created_at) = (keys.key_check(&id), clock.now());
        tx.create_instance(&InstanceRow { id: id.clone(), kind, created_at, key_check }).await?;
        tx.name_first_key(keys.in_force(&id)).await?;
        let made = LogEvent::StoreMade { instance: id.clone(), kind: kind.to_string() };
        append(&mut tx, &keys.checkpoint_key(&id), created_at, &[made]).await?;
        tx.commit().await?;
        Ok(id)
    })
}

/// Why an instance cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// An empty store.
    #[error(
        "the store holds no instance: `countersign init` makes one, and `countersign restore` puts one \
         back out of a backup, also where it was broken off before"
    )]
    None,
    /// A store that is in use.
    #[error("the store holds instance {instance} already")]
    Exists {
        /// Its id.
        instance: String,
    },
    /// Made by an older or newer version of Countersign.
    #[error(
        "the store's tables are of version {found}, this program's are of version {needed}: {}",
        way_on(*found, *needed)
    )]
    NotMigrated {
        /// What the store has.
        found: i64,
        /// What this program needs.
        needed: i64,
    },
    /// The key file or variable belongs elsewhere.
    #[error(
        "the instance key is not the one of store {instance}: \
             look at `instance.key_file` and COUNTERSIGN_INSTANCE_KEY"
    )]
    OtherKey {
        /// The store's instance.
        instance: String,
    },
    /// The key was in force once.
    #[error("{0}")]
    KeyRotated(#[from] KeyRotated),
    /// The key was in force once, and rows of the store bring it back.
    #[error(
        "instance key {held} is not the one that the audit log was signed with last, though the store's \
         rows say that it is in force: somebody else has written to the store, or `key rotate` was \
         broken off. Use the key that `countersign key rotate` has made"
    )]
    Superseded {
        /// The key at hand.
        held: KeyId,
    },
    /// What is kept of keys before this one.
    #[error("what the store keeps of retired keys cannot be read: {0}")]
    Retired(#[from] DecryptError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl InstanceError {
    /// Whether what is kept is not what only Countersign can have written.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Store(error) => error.is_of_strangers(),
            Self::Log(error) => error.is_refusal(),
            Self::Retired(_) | Self::Superseded { .. } => true,
            _ => false,
        }
    }
}
