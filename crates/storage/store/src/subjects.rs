//! Whom rows and log name: numbers that stand for accounts, each as long as it is not forgotten.

use model::{AccountId, SubjectId};

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    FIND = ["SELECT id, account_hash FROM subject WHERE account_hash IN {list}"];
    // Whoever names a subject waits for whoever else does: no account is named twice.
    HOLD = ["SELECT last FROM subject_head WHERE only_row = 1" FOR_UPDATE];
    ADVANCE = ["UPDATE subject_head SET last = $1 WHERE only_row = 1"];
    ADD = ["INSERT INTO subject (id, account_hash, subject_key, account) VALUES {rows}"];
    KEPT = ["SELECT id, subject_key, account FROM subject WHERE id IN {list}"];
    PLAIN = ["SELECT id, plain FROM subject WHERE plain IS NOT NULL ORDER BY id LIMIT $1"];
    ENCRYPT = ["UPDATE subject SET account_hash = $1, subject_key = $2, account = $3, plain = NULL
        WHERE id = $4 AND plain IS NOT NULL"];
    BURIED = ["SELECT fingerprint FROM tombstone WHERE fingerprint IN {list}"];
}

/// An account that rows and log name by a number from now on.
#[derive(Debug, Clone)]
pub struct NewSubject {
    /// Its number.
    pub id: SubjectId,
    /// What the store keeps of the account.
    pub kept: KeptAccount,
}

/// What the store keeps of the account that a subject stands for.
#[derive(Debug, Clone)]
pub struct KeptAccount {
    /// A keyed hash of the account's id, by which the subject is found.
    pub account_hash: [u8; 32],
    /// The subject's own key, wrapped.
    pub subject_key: Vec<u8>,
    /// The account's id, encrypted under it.
    pub account: Vec<u8>,
}

/// What tells which account a subject stands for. Both are `None` once it is forgotten.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its number.
    pub id: SubjectId,
    /// Its own key, wrapped.
    pub subject_key: Option<Vec<u8>>,
    /// The account's id, encrypted under it.
    pub account: Option<Vec<u8>>,
}

record!(Subject { id, subject_key, account });

impl Tx {
    /// The subjects of those accounts that have one, each with the keyed hash of its account.
    pub fn find_subjects<'c>(
        &'c mut self,
        account_hashes: &'c [[u8; 32]],
    ) -> StoreFuture<'c, Vec<(SubjectId, [u8; 32])>> {
        Box::pin(async move {
            type Row = (Cell<SubjectId>, Cell<[u8; 32]>);
            let found: Vec<Row> = self.all_among(&FIND, account_hashes).await?;
            Ok(found.into_iter().map(|(Cell(id), Cell(hash))| (id, hash)).collect())
        })
    }

    /// The latest subject's number. Nobody else names a subject until this transaction ends.
    pub fn hold_subjects(&mut self) -> StoreFuture<'_, SubjectId> {
        Box::pin(async move {
            let (Cell(last),) = self.0.run(&HOLD).one().await?;
            Ok(last)
        })
    }

    /// Names accounts by the next numbers. The schema refuses a number and an account twice.
    pub fn add_subjects(&mut self, subjects: Vec<NewSubject>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let Some(last) = subjects.iter().map(|subject| subject.id).max() else { return Ok(()) };
            self.0.run(&ADVANCE).bind(Cell(last)).exactly_one().await?;
            self.0
                .insert_all(&ADD, subjects, |query, NewSubject { id, kept }| {
                    let query = query.bind(Cell(id)).bind(Cell(kept.account_hash));
                    query.bind(kept.subject_key).bind(kept.account)
                })
                .await?;
            Ok(())
        })
    }

    /// What tells which accounts these subjects stand for.
    pub fn subjects<'c>(&'c mut self, ids: &'c [SubjectId]) -> StoreFuture<'c, Vec<Subject>> {
        Box::pin(async move { Ok(self.all_among(&KEPT, ids).await?) })
    }

    /// Subjects whose accounts stand there as an earlier version wrote them: unencrypted.
    pub fn plain_subjects(&mut self, limit: u64) -> StoreFuture<'_, Vec<(SubjectId, AccountId)>> {
        Box::pin(async move {
            let rows = self.0.run(&PLAIN).bind(Cell(limit));
            let rows = rows.all::<(Cell<SubjectId>, Cell<AccountId>)>().await?;
            Ok(rows.into_iter().map(|(Cell(id), Cell(account))| (id, account)).collect())
        })
    }

    /// Encrypts the account of such a subject; `false` if somebody else was quicker.
    pub fn encrypt_subject(&mut self, id: SubjectId, kept: KeptAccount) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&ENCRYPT).bind(Cell(kept.account_hash));
            let query = query.bind(kept.subject_key).bind(kept.account);
            Ok(query.bind(Cell(id)).execute().await? == 1)
        })
    }

    /// Those of these keyed hashes of account and credential version that are left of somebody who
    /// was told and is forgotten.
    pub fn tombstones<'c>(
        &'c mut self,
        fingerprints: &'c [[u8; 32]],
    ) -> StoreFuture<'c, Vec<[u8; 32]>> {
        Box::pin(async move {
            let found = self.all_among::<_, (Cell<[u8; 32]>,)>(&BURIED, fingerprints).await?;
            Ok(found.into_iter().map(|(Cell(fingerprint),)| fingerprint).collect())
        })
    }
}
