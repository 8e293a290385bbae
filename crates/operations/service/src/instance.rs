use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use data_encoding::HEXLOWER;
use ledger::{CheckpointKey, Event};
use model::{Clock, Randomness};
use store::{Instance, InstanceKind, Store, StoreError};

use crate::{
    InstanceKey,
    audit::{self, LogError},
    vault::Vault,
};

/// Everything that an operation on a site's own store needs.
pub struct Site {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) instance: Instance,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) options: SiteOptions,
}

/// How an instance does its work.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// How long a piece of work stays with a worker that no longer says it is alive.
    pub lease: Duration,
    /// Plain files are screened in pieces of this many bytes.
    pub piece_bytes: u64,
    /// Where encrypted copies of standard input are kept until they are verified.
    pub spool_folder: PathBuf,
}

impl Site {
    /// Opens an instance whose store has been made and migrated.
    ///
    /// # Errors
    /// [`InstanceError`] if there is none, its tables are out of date, or the key is another's.
    pub async fn open(
        store: Store,
        key: InstanceKey,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        options: SiteOptions,
    ) -> Result<Self, InstanceError> {
        require_migrated(&store).await?;
        let instance = store.read().await?.instance().await?.ok_or(InstanceError::None)?;
        let vault = Vault::new(key);
        if !vault.is_key_of(&instance.id, &instance.key_check) {
            return Err(InstanceError::OtherKey { instance: instance.id });
        }
        Ok(Self { store, vault, instance, clock, randomness, options })
    }

    /// The instance's id: 32 hexadecimal digits.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.instance.id
    }

    /// Whether the store was made for a site or for a rehearsal.
    #[must_use]
    pub fn kind(&self) -> InstanceKind {
        self.instance.kind
    }

    pub(crate) fn checkpoint_key(&self) -> CheckpointKey {
        self.vault.checkpoint_key(&self.instance.id)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({})", self.instance.id)
    }
}

async fn require_migrated(store: &Store) -> Result<(), InstanceError> {
    let needed = Store::schema_version_needed();
    match store.schema_version().await? {
        Some(version) if version == needed => Ok(()),
        found => Err(InstanceError::NotMigrated { found: found.unwrap_or(0), needed }),
    }
}

/// Makes the one instance of an empty, migrated store. Its kind is for ever.
///
/// # Errors
/// [`InstanceError::Exists`] if the store has one already.
pub async fn create_instance(
    store: &Store,
    key: &InstanceKey,
    kind: InstanceKind,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<String, InstanceError> {
    let mut tx = store.begin().await?;
    if let Some(Instance { id, .. }) = tx.instance().await? {
        return Err(InstanceError::Exists { instance: id });
    }
    let vault = Vault::new(key.clone());
    let id = HEXLOWER.encode(&randomness.array::<16>());
    let (key_check, created_at) = (vault.key_check(&id), clock.now());
    tx.create_instance(&Instance { id: id.clone(), kind, created_at, key_check }).await?;
    let made = Event::StoreMade { instance: id.clone(), kind: kind.to_string() };
    audit::append(&mut tx, &vault.checkpoint_key(&id), created_at, &[made]).await?;
    tx.commit().await?;
    Ok(id)
}

/// Why an instance cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// An empty store.
    #[error("the store holds no instance: `countersign init` makes one")]
    None,
    /// A store that is in use.
    #[error("the store holds instance {instance} already")]
    Exists {
        /// Its id.
        instance: String,
    },
    /// Made by an older or newer version of Countersign.
    #[error(
        "the store's tables are of version {found}, this program's are of version {needed}: \
             run `countersign migrate`, or this version's successor"
    )]
    NotMigrated {
        /// What the store has.
        found: i64,
        /// What this program needs.
        needed: i64,
    },
    /// The key file or variable belongs elsewhere.
    #[error(
        "the instance key is not the one that store {instance} was made with: \
             look at `instance.key_file` and COUNTERSIGN_INSTANCE_KEY"
    )]
    OtherKey {
        /// The store's instance.
        instance: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}
