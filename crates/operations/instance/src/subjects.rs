//! Rows and log name a subject, a number, and only here an account becomes one. What tells whose
//! number it is stands in one row, encrypted under a key of its own: whoever destroys that key has
//! forgotten the person everywhere.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    slice,
};

use futures_util::future::BoxFuture;
use ledger::{FoldRefusal, subject_of};
use model::{AccountId, SubjectId};
use store::{KeptAccount, LogEntry, NewSubject, Subject, Tx};

use crate::{
    DecryptError, Instance, InstanceFault, LogError,
    limits::{LOG_ENTRIES_PER_READ, SUBJECTS_PER_TRANSACTION},
    purpose::of_subject,
};

/// The accounts that some subjects stand for. Those of forgotten ones are missing.
#[derive(Debug, Default)]
pub struct Accounts(BTreeMap<SubjectId, AccountId>);

impl Accounts {
    /// Whose number it is.
    ///
    /// # Errors
    /// [`InstanceFault::Forgotten`] if nobody can tell any more.
    pub fn of(&self, subject: SubjectId) -> Result<&AccountId, InstanceFault> {
        self.0.get(&subject).ok_or(InstanceFault::Forgotten(subject))
    }

    /// Every account.
    pub fn iter(&self) -> impl Iterator<Item = (SubjectId, &AccountId)> {
        self.0.iter().map(|(subject, account)| (*subject, account))
    }
}

/// The subjects that stand for some accounts.
pub type Subjects = BTreeMap<AccountId, SubjectId>;

impl Instance {
    /// The accounts that these subjects stand for.
    ///
    /// # Errors
    /// [`InstanceFault`] if a row was changed by somebody else, or the store fails.
    pub fn accounts_of<'a>(
        &'a self,
        tx: &'a mut Tx,
        subjects: impl IntoIterator<Item = SubjectId>,
    ) -> BoxFuture<'a, Result<Accounts, InstanceFault>> {
        let subjects = subjects.into_iter().collect();
        Box::pin(self.accounts_among(tx, subjects))
    }

    async fn accounts_among(
        &self,
        tx: &mut Tx,
        subjects: Vec<SubjectId>,
    ) -> Result<Accounts, InstanceFault> {
        let mut accounts = BTreeMap::new();
        for Subject { id, subject_key, account } in tx.subjects(&subjects).await? {
            if let (Some(key), Some(account)) = (subject_key, account) {
                accounts.insert(id, self.decrypt_account(id, &key, &account)?);
            }
        }
        Ok(Accounts(accounts))
    }

    /// The account that one subject stands for.
    ///
    /// # Errors
    /// As [`Instance::accounts_of`], and [`InstanceFault::Forgotten`].
    pub fn account_of<'a>(
        &'a self,
        tx: &'a mut Tx,
        subject: SubjectId,
    ) -> BoxFuture<'a, Result<AccountId, InstanceFault>> {
        Box::pin(async move { Ok(self.accounts_of(tx, [subject]).await?.of(subject)?.clone()) })
    }

    /// The subjects of those accounts that rows or log have ever named.
    ///
    /// # Errors
    /// [`LogError::Row`] if somebody else has put one in another's place, or the store fails.
    pub fn subjects_of<'a>(
        &'a self,
        tx: &'a mut Tx,
        accounts: &'a [AccountId],
    ) -> BoxFuture<'a, Result<Subjects, InstanceFault>> {
        Box::pin(async move {
            let hash = |account: &AccountId| self.keys().account_hash(account);
            let hashes: BTreeMap<_, _> = accounts.iter().map(|id| (hash(id), id)).collect();
            let wanted: Vec<_> = hashes.keys().copied().collect();
            let found = tx.find_subjects(&wanted).await?.into_iter();
            let named = found.filter_map(|(subject, hash)| Some((hashes.get(&hash)?, subject)));
            let named: Subjects =
                named.map(|(account, subject)| ((*account).clone(), subject)).collect();
            self.check_named(tx, &named).await?;
            Ok(named)
        })
    }

    /// Whoever can write to the store may have exchanged the hashes by which two people are found. What
    /// tells whose row it is, is encrypted under its number.
    async fn check_named(&self, tx: &mut Tx, named: &Subjects) -> Result<(), InstanceFault> {
        let accounts = self.accounts_of(tx, named.values().copied()).await?;
        let is_theirs = |account: &AccountId, subject: SubjectId| {
            accounts.of(subject).is_ok_and(|of| of == account)
        };
        match named.iter().find(|(account, subject)| !is_theirs(account, **subject)) {
            Some((_, subject)) => {
                Err(LogError::Row(FoldRefusal::Subject { subject: *subject }).into())
            }
            None => Ok(()),
        }
    }

    /// The subject of one account; `None` if neither rows nor log have ever named it.
    ///
    /// # Errors
    /// As [`Instance::subjects_of`].
    pub fn subject_of<'a>(
        &'a self,
        tx: &'a mut Tx,
        account: &'a AccountId,
    ) -> BoxFuture<'a, Result<Option<SubjectId>, InstanceFault>> {
        Box::pin(async move {
            Ok(self.subjects_of(tx, slice::from_ref(account)).await?.into_values().next())
        })
    }

    /// The subjects of all these accounts, which get one if they have none. Call it before anything
    /// is logged in the transaction.
    ///
    /// # Errors
    /// As [`Instance::subjects_of`].
    pub fn name_accounts<'a>(
        &'a self,
        tx: &'a mut Tx,
        accounts: &'a [AccountId],
    ) -> BoxFuture<'a, Result<Subjects, InstanceFault>> {
        Box::pin(async move {
            let mut named = self.subjects_of(tx, accounts).await?;
            if accounts.iter().all(|account| named.contains_key(account)) {
                return Ok(named);
            }
            // Somebody else may have named some of them before this transaction holds the number.
            let last = tx.hold_subjects().await?;
            named.extend(self.subjects_of(tx, accounts).await?);
            let mut new = Subjects::new();
            let mut numbers = (last.0 + 1..).map(SubjectId);
            for account in accounts.iter().filter(|account| !named.contains_key(account)) {
                if let Entry::Vacant(unnamed) = new.entry(account.clone()) {
                    unnamed.insert(numbers.next().unwrap_or(last));
                }
            }
            let rows = new
                .iter()
                .map(|(account, id)| NewSubject { id: *id, kept: self.keep_account(*id, account) });
            tx.add_subjects(rows.collect()).await?;
            named.extend(new);
            Ok(named)
        })
    }

    fn keep_account(&self, id: SubjectId, account: &AccountId) -> KeptAccount {
        let (key, subject_key) = self.keys().new_data_key(&of_subject(id), self.randomness());
        let encrypted = key.encrypt(&context(id), account.as_str().as_bytes(), self.randomness());
        let account_hash = self.keys().account_hash(account);
        KeptAccount { account_hash, subject_key, account: encrypted }
    }

    fn decrypt_account(
        &self,
        id: SubjectId,
        key: &[u8],
        account: &[u8],
    ) -> Result<AccountId, DecryptError> {
        let plain = self.keys().data_key(&of_subject(id), key)?.decrypt(&context(id), account)?;
        let text = String::from_utf8(plain.to_vec()).ok();
        let account = text.and_then(|text| AccountId::new(text).ok());
        account.ok_or_else(|| DecryptError::new(&context(id)))
    }

    /// Encrypts the accounts that version 0.1.0 named in rows. Whoever opens the store first after
    /// it was migrated does so; it goes on where somebody else was interrupted.
    ///
    /// # Errors
    /// [`LogError::Row`] if that was over before: somebody else has given a number to another account.
    pub(crate) async fn encrypt_plain_subjects(&self) -> Result<(), LogError> {
        loop {
            let plain = self.store().read().await?.plain_subjects(SUBJECTS_PER_TRANSACTION).await?;
            let Some((subject, _)) = plain.first() else { return Ok(()) };
            let mut tx = self.store().begin().await?;
            if names_subjects(&mut tx).await? {
                return Err(LogError::Row(FoldRefusal::Subject { subject: *subject }));
            }
            for (id, account) in plain {
                tx.encrypt_subject(id, self.keep_account(id, &account)).await?;
            }
            tx.commit().await?;
        }
    }
}

/// Whether the log names anybody by a number: nothing does before all accounts are encrypted.
async fn names_subjects(tx: &mut Tx) -> Result<bool, LogError> {
    let mut from = 0;
    loop {
        let entries = tx.log_entries(from, LOG_ENTRIES_PER_READ).await?;
        let Some(last) = entries.last() else { return Ok(false) };
        from = last.position + 1;
        for LogEntry { position, body, .. } in &entries {
            let named = subject_of(body);
            let named =
                named.map_err(|source| LogError::Unreadable { position: *position, source });
            if named?.is_some() {
                return Ok(true);
            }
        }
    }
}

fn context(id: SubjectId) -> String {
    format!("account of subject {id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSite;

    fn accounts(ids: &[&str]) -> Vec<AccountId> {
        ids.iter().map(|id| AccountId::new(*id).unwrap()).collect()
    }

    async fn name(site: &Instance, ids: &[&str]) -> Vec<i64> {
        let (mut tx, accounts) = (site.store().begin().await.unwrap(), accounts(ids));
        let named = site.name_accounts(&mut tx, &accounts).await.unwrap();
        tx.commit().await.unwrap();
        accounts.iter().map(|account| named[account].0).collect()
    }

    /// Whom these numbers stand for, or what is wrong with one of them.
    async fn whose(site: &Instance, numbers: &[i64]) -> Result<Vec<String>, String> {
        let mut tx = site.store().read().await.unwrap();
        let subjects: Vec<_> = numbers.iter().map(|number| SubjectId(*number)).collect();
        let accounts =
            site.accounts_of(&mut tx, subjects.clone()).await.map_err(|e| e.to_string())?;
        let of = |subject| accounts.of(subject).map(ToString::to_string).map_err(|e| e.to_string());
        subjects.into_iter().map(of).collect()
    }

    #[tokio::test]
    async fn an_account_has_one_number_for_ever() {
        let site = TestSite::new().await;
        assert_eq!(name(&site, &["b", "a", "b"]).await, [1, 2, 1]);
        assert_eq!(name(&site, &["c", "a"]).await, [3, 2]);
        assert_eq!(whose(&site, &[3, 1, 2]).await.unwrap(), ["c", "b", "a"]);
        let mut tx = site.store().read().await.unwrap();
        let known = site.subjects_of(&mut tx, &accounts(&["z", "c"])).await.unwrap();
        assert_eq!(known.into_values().collect::<Vec<_>>(), [SubjectId(3)]);
        let unknown = AccountId::new("z").unwrap();
        assert_eq!(site.subject_of(&mut tx, &unknown).await.unwrap(), None);
    }

    #[tokio::test]
    async fn two_who_name_the_same_accounts_agree() {
        let site = TestSite::new().await;
        let (one, other) = tokio::join!(name(&site, &["a", "b"]), name(&site, &["b", "c", "a"]));
        assert_eq!((one[0], one[1]), (other[2], other[0]));
    }

    #[tokio::test]
    async fn the_store_does_not_show_whose_number_it_is() {
        let site = TestSite::new().await;
        name(&site, &["jane@harbour.example"]).await;
        site.store().close().await;
        let holds = |name: &str| {
            let bytes = std::fs::read(site.path(name)).unwrap_or_default();
            bytes.windows(4).any(|part| part == b"jane")
        };
        assert!(!holds("store.db") && !holds("store.db-wal"));
    }

    #[tokio::test]
    async fn whoever_is_forgotten_is_so_and_may_be_named_anew() {
        let site = TestSite::new().await;
        name(&site, &["a", "b"]).await;
        let forget = "UPDATE subject SET account_hash = NULL, subject_key = NULL, account = NULL \
                      WHERE id = 1";
        site.meddle(forget).await;
        assert_eq!(whose(&site, &[2]).await.unwrap(), ["b"]);
        let forgotten = whose(&site, &[2, 1]).await.unwrap_err();
        assert_eq!(forgotten, "subject 1 is forgotten: nothing tells whose account it is");
        assert_eq!(name(&site, &["a"]).await, [3]);
    }

    /// Whoever can write to the store cannot make one account's rows another's.
    #[tokio::test]
    async fn a_row_that_was_moved_names_nobody() {
        let site = TestSite::new().await;
        name(&site, &["a", "b"]).await;
        site.meddle("DROP TRIGGER subject_stays").await;
        let moved = "UPDATE subject SET subject_key = other.subject_key, account = other.account \
                     FROM subject AS other WHERE subject.id = 1 AND other.id = 2";
        site.meddle(moved).await;
        let refused = whose(&site, &[1]).await.unwrap_err();
        assert!(refused.contains("`subject 1` cannot be decrypted"), "{refused}");
    }

    #[tokio::test]
    async fn whom_an_earlier_version_named_in_the_open_is_encrypted() {
        let site = TestSite::new().await;
        site.meddle("INSERT INTO subject (id, plain) VALUES (1, 'a'), (2, 'b')").await;
        site.meddle("UPDATE subject_head SET last = 2").await;
        for _ in 0..2 {
            site.encrypt_plain_subjects().await.unwrap();
            assert_eq!(whose(&site, &[1, 2]).await.unwrap(), ["a", "b"]);
        }
        assert_eq!(name(&site, &["b", "c"]).await, [2, 3]);
        let mut tx = site.store().read().await.unwrap();
        assert!(tx.plain_subjects(9).await.unwrap().is_empty());
    }
}
