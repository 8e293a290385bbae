use directory::{
    Ability, AccountCounts, AccountStream, Capabilities, ChangeMark, Changes, Directory,
    DirectoryReport, EndedSessions, LockedRow, MappedField, ReadError, Reading, RowNow,
    TransactionFate, WriteError, WriteGrant, Writing, doubt_address,
};
use futures_util::{Stream, StreamExt, TryStreamExt, future};
use model::{Account, AccountId, Credential, InstanceKind, SiteTransaction, StoredHash};
use store::{HeldAccount, Store, StoreError, Tx};

/// The accounts in the store itself, where `account import` has put them: a copy of the site's.
///
/// They can be searched, and plans be made for them. Nobody signs in with what stands here, so only
/// a rehearsal writes to it.
#[derive(Debug, Clone)]
pub struct EmbeddedDirectory {
    store: Store,
    kind: InstanceKind,
}

impl EmbeddedDirectory {
    /// The accounts of a store of this kind.
    #[must_use]
    pub const fn new(store: Store, kind: InstanceKind) -> Self {
        Self { store, kind }
    }

    const fn is_rehearsal(&self) -> bool {
        matches!(self.kind, InstanceKind::Rehearsal)
    }

    const fn grant(&self) -> WriteGrant {
        if self.is_rehearsal() { WriteGrant::Rehearsed } else { WriteGrant::Copy }
    }

    async fn counted(&self) -> Result<u64, StoreError> {
        self.store.read().await?.account_count().await
    }

    async fn found(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let mut found = self.store.read().await?.embedded_accounts(ids).await?;
        found.iter_mut().for_each(doubt_address);
        Ok(found)
    }

    async fn meant(&self, names: &[String]) -> Result<Vec<Account>, StoreError> {
        let mut meant = self.store.read().await?.embedded_accounts_by_name(names).await?;
        meant.iter_mut().for_each(doubt_address);
        Ok(meant)
    }

    fn all(&self) -> impl Stream<Item = Result<Account, StoreError>> + Send + '_ {
        self.store.stream_accounts().map_ok(|mut account| {
            doubt_address(&mut account);
            account
        })
    }

    async fn held(&self, account: &AccountId) -> Result<Box<dyn LockedRow>, StoreError> {
        let mut tx = self.store.begin().await?;
        let held = tx.lock_embedded_hash(account).await?;
        let (now, active) = match held {
            None => (RowNow::Gone, None),
            Some(HeldAccount { hash, active }) => (RowNow::of(hash), active),
        };
        let is_active = active != Some(false);
        Ok(Box::new(EmbeddedRow { tx, id: account.clone(), now, is_active }))
    }

    /// The store itself keeps ids unique and lets its owner write.
    async fn report(&self) -> Result<DirectoryReport, StoreError> {
        let counts = AccountCounts::default();
        let counts = self.all().try_fold(counts, async |mut counts, account| {
            counts.add(&account);
            Ok(counts)
        });
        let accounts = counts.await?;
        let not_kept = [MappedField::ChangedAt, MappedField::Inactive];
        let columns = MappedField::ALL.iter().filter(|field| !not_kept.contains(field));
        Ok(DirectoryReport {
            database: self.store.version().await?,
            accounts,
            repeated_ids: 0,
            columns: columns.map(|field| (field.name(), field.name().to_owned())).collect(),
            id_type: "text".to_owned(),
            write: self.grant(),
        })
    }
}

impl Directory for EmbeddedDirectory {
    fn capabilities(&self) -> Capabilities {
        Capabilities::READ
            .with_if(self.is_rehearsal(), Ability::Seal)
            .with_if(true, Ability::Tell)
            .with_if(true, Ability::RecordVerified)
            .with_if(self.store.has_one_writer(), Ability::SharesStore)
    }

    fn count(&self) -> Reading<'_, u64> {
        Box::pin(async { self.counted().await.map_err(unread) })
    }

    fn scan(&self) -> AccountStream<'_> {
        self.all().map_err(unread).boxed()
    }

    fn changed_since<'a>(&'a self, _mark: Option<&'a ChangeMark>) -> Reading<'a, Changes<'a>> {
        Box::pin(future::ready(Err(ReadError::NoChanges)))
    }

    fn by_ids<'a>(&'a self, ids: &'a [AccountId]) -> Reading<'a, Vec<Account>> {
        Box::pin(async { self.found(ids).await.map_err(unread) })
    }

    fn by_names<'a>(&'a self, names: &'a [String]) -> Reading<'a, Vec<Account>> {
        Box::pin(async { self.meant(names).await.map_err(unread) })
    }

    fn lock<'a>(&'a self, account: &'a AccountId) -> Writing<'a, Box<dyn LockedRow>> {
        Box::pin(async {
            if !self.is_rehearsal() {
                return Err(WriteError::Copy);
            }
            self.held(account).await.map_err(unwritten)
        })
    }

    /// The store is its own primary.
    fn look<'a>(&'a self, account: &'a AccountId) -> Reading<'a, RowNow> {
        Box::pin(async {
            let found = self.found(std::slice::from_ref(account)).await.map_err(unread)?.pop();
            let row = |account: Account| RowNow::of(account.credential.map(Credential::into_hash));
            Ok(found.map_or(RowNow::Gone, row))
        })
    }

    fn fate<'a>(&'a self, _of: &'a SiteTransaction) -> Reading<'a, TransactionFate> {
        Box::pin(future::ready(Ok(TransactionFate::Unknown)))
    }

    /// Nobody is signed in to a copy.
    fn end_sessions<'a>(&'a self, ids: &'a [AccountId]) -> Writing<'a, EndedSessions> {
        let ended =
            if ids.is_empty() { Err(WriteError::Nobody) } else { Ok(EndedSessions::default()) };
        Box::pin(future::ready(ended))
    }

    fn try_write(&self) -> Reading<'_, WriteGrant> {
        Box::pin(future::ready(Ok(self.grant())))
    }

    fn check(&self) -> Reading<'_, DirectoryReport> {
        Box::pin(async { self.report().await.map_err(unread) })
    }
}

/// An account of the store, in a transaction that holds it.
struct EmbeddedRow {
    tx: Tx,
    id: AccountId,
    now: RowNow,
    is_active: bool,
}

impl LockedRow for EmbeddedRow {
    fn now(&self) -> &RowNow {
        &self.now
    }

    fn is_active(&self) -> bool {
        self.is_active
    }

    fn replace<'a>(&'a mut self, new: &'a StoredHash) -> Writing<'a, ()> {
        Box::pin(async move {
            let Self { tx, id, now, .. } = self;
            let RowNow::Holds(old) = now else { return Err(WriteError::NoHash { id: id.clone() }) };
            let replaced = tx.replace_embedded_hash(id, old, new).await.map_err(unwritten)?;
            if replaced { Ok(()) } else { Err(WriteError::Untouched { id: id.clone() }) }
        })
    }

    fn transaction(&self) -> Option<SiteTransaction> {
        None
    }

    fn commit(self: Box<Self>) -> Writing<'static, ()> {
        Box::pin(async move { self.tx.commit().await.map_err(unwritten) })
    }

    fn roll_back(self: Box<Self>) -> Writing<'static, ()> {
        Box::pin(async move { self.tx.roll_back().await.map_err(unwritten) })
    }
}

fn unwritten(error: StoreError) -> WriteError {
    WriteError::Keeper(Box::new(error))
}

/// A database that does not answer is told from a row that cannot be read.
fn unread(error: StoreError) -> ReadError {
    match error {
        StoreError::Sql(error) => ReadError::Database(error),
        other => ReadError::Keeper(Box::new(other)),
    }
}
