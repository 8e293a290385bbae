//! Replayable stand-ins for the clock and the source of randomness, and a site to work on.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "it serves tests alone, and a test that cannot be set up must fail"
)]

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use authority::{OperatorKey, RosterDocument, SignedRoster};
use futures_util::future::BoxFuture;
use model::{Clock, InstanceKind, Randomness, Timestamp};
use sha2::{Digest, Sha256};
#[cfg(test)]
use sql::{Access, Db, OpenOptions, QueryText};
use store::{Store, StoreOptions};
use tempfile::TempDir;

use crate::{
    Instance, InstanceError, InstanceKey, InstanceOptions, WitnessAnswer, WitnessAway, WitnessLine,
    Witnesses, create_instance, limits::LEASE,
};

/// Small, so that tests see files in several pieces.
const PIECE_BYTES: u64 = 64 * 1024;

/// Counts instead of drawing: every run draws the same, and never the same twice.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Randomness for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let drawn = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&Sha256::digest(drawn)[..chunk.len()]);
        }
    }
}

/// The key of somebody: the same for the same name.
pub fn key(name: &str) -> OperatorKey {
    let start = name.bytes().fold(0, |sum, byte| sum * 256 + u64::from(byte));
    OperatorKey::generate(name.parse().unwrap(), &Counter(AtomicU64::new(start)))
}

/// The first roster of a site, signed by everybody in it.
pub fn founding(site: &Instance, names: &[&str]) -> SignedRoster {
    let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
    let operators = keys.iter().map(OperatorKey::public).collect();
    let document = RosterDocument::founding(site.signing_id().unwrap(), operators, NOW);
    keys.iter().fold(SignedRoster::new(document), SignedRoster::signed_by)
}

/// The moment at which everything in the tests happens.
pub const NOW: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);

/// A clock that stands still until somebody moves it.
#[derive(Debug)]
pub struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// An instance with a store and a folder of its own.
pub struct TestSite {
    site: Instance,
    clock: Arc<StoppedClock>,
    folder: TempDir,
    url: String,
    key: InstanceKey,
}

impl TestSite {
    /// Made, migrated, and opened; with an embedded store.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        Self::made(&url, folder).await
    }

    /// The same in an empty database.
    pub async fn at(url: &str) -> Self {
        Self::made(url, tempfile::tempdir().unwrap()).await
    }

    async fn made(url: &str, folder: TempDir) -> Self {
        let store = Store::open(url, StoreOptions { connections_max: 2 }).await.unwrap();
        store.migrate().await.unwrap();
        let (clock, randomness) =
            (Arc::new(StoppedClock(AtomicI64::new(NOW.as_micros()))), Arc::new(Counter::default()));
        let key = InstanceKey::generate(&*randomness);
        let kind = InstanceKind::Rehearsal;
        create_instance(&store, &key, kind, &*clock, &*randomness).await.unwrap();
        let opened =
            Instance::open(store, key.clone(), clock.clone(), randomness, options(&folder));
        let site = opened.await.unwrap();
        Self { site, clock, folder, url: url.to_owned(), key }
    }

    /// Changes rows behind the program's back.
    #[cfg(test)]
    pub(crate) async fn meddle(&self, text: &str) {
        let options = OpenOptions { access: Access::Create, connections_max: 1 };
        let db = Db::open(&self.url, options).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.run(&QueryText::composed(text.to_owned())).execute().await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The key that its store was made with.
    pub fn first_key(&self) -> InstanceKey {
        self.key.clone()
    }

    /// The same store, as another process opens it.
    ///
    /// # Errors
    /// [`InstanceError`] as [`Instance::open`].
    pub async fn opened_with(&self, key: InstanceKey) -> Result<Instance, InstanceError> {
        let store = Store::open(&self.url, StoreOptions { connections_max: 2 }).await.unwrap();
        let (clock, randomness) = (self.clock.clone(), self.site.shared_randomness());
        Instance::open(store, key, clock, randomness, options(&self.folder)).await
    }

    /// Where a file of this name would be, in the folder of the store.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets time pass on the host; the database has a clock of its own.
    pub fn wait(&self, time: Duration) {
        let now = self.clock.now().after(time);
        self.clock.0.store(now.as_micros(), Ordering::Relaxed);
    }

    /// The whole audit log as text.
    pub async fn log(&self) -> String {
        let entries = crate::log_entries(&self.site, 0).await.unwrap();
        let lines = entries.into_iter().map(|entry| String::from_utf8(entry.body).unwrap());
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn options(folder: &TempDir) -> InstanceOptions {
    InstanceOptions { lease: LEASE, piece_bytes: PIECE_BYTES, spool_folder: folder.path().into() }
}

impl Deref for TestSite {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.site
    }
}

/// Nobody is asked where no arming names a witness.
#[derive(Debug)]
struct NoLine;

impl WitnessLine for NoLine {
    fn ask<'a>(
        &'a self,
        url: &'a str,
        _: String,
    ) -> BoxFuture<'a, Result<WitnessAnswer, WitnessAway>> {
        Box::pin(async move { panic!("{url} was asked") })
    }
}

/// For armings that name none.
pub fn no_witnesses() -> Witnesses {
    Witnesses::new(Box::new(NoLine))
}
