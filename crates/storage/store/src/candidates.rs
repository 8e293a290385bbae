use futures_util::{StreamExt as _, stream::BoxStream};
use model::{AccountId, FileId, LeakId, Tier};

use crate::{JobId, StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO candidate
        (leak, job, account, tier, line, byte_offset, byte_length, sealed) VALUES {rows}"];
    ACCOUNTS = ["SELECT DISTINCT account FROM candidate WHERE leak = $1 ORDER BY account"];
    BETWEEN = ["SELECT candidate.account, candidate.tier, piece.file,
            piece.first_line + candidate.line - 1 AS line,
            candidate.byte_offset, candidate.byte_length, candidate.sealed
        FROM candidate JOIN piece ON piece.job = candidate.job
        WHERE candidate.leak = $1 AND candidate.account >= $2 AND candidate.account <= $3
        ORDER BY candidate.account, piece.file, candidate.byte_offset"];
    DROP_BETWEEN = ["DELETE FROM candidate WHERE leak = $1 AND account >= $2 AND account <= $3"];
    COUNT = ["SELECT COUNT(*) FROM candidate WHERE leak = $1"];
}

/// A record whose identifier is one of our accounts', as screening found it.
#[derive(Debug, Clone)]
pub struct NewCandidate {
    /// The account.
    pub account: AccountId,
    /// By which of its identifiers.
    pub tier: Tier,
    /// The line's number within the piece, from 1.
    pub line: u64,
    /// Bytes from the start of the (decompressed) file to the start of the line.
    pub offset: u64,
    /// The line's length in bytes.
    pub length: u32,
    /// Its plausible secrets, encrypted.
    pub sealed: Vec<u8>,
}

/// A record to be tried on its account's stored hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The account.
    pub account: AccountId,
    /// By which of its identifiers.
    pub tier: Tier,
    /// The file.
    pub file: FileId,
    /// The line's number in the file, from 1.
    pub line: u64,
    /// Bytes from the start of the (decompressed) file to the start of the line.
    pub offset: u64,
    /// The line's length in bytes.
    pub length: u32,
    /// Its plausible secrets, encrypted.
    pub sealed: Vec<u8>,
}

record!(Candidate { account, tier, file, line, offset = "byte_offset", length = "byte_length", sealed });

impl Tx {
    /// Adds what screening a piece has found. The schema refuses the same account twice by one
    /// line.
    ///
    /// Candidates may be committed before their piece is done, if the same transaction renews its
    /// lease: [`Tx::take_job`] destroys what an attempt that came to nothing has left.
    pub fn add_candidates<'c>(
        &'c mut self,
        leak: LeakId,
        piece: JobId,
        candidates: impl IntoIterator<Item = NewCandidate, IntoIter: Send + 'c>,
    ) -> StoreFuture<'c, ()> {
        let written = self.0.insert_all(&ADD, candidates, move |query, candidate| {
            let query = query.bind(Cell(leak)).bind(Cell(piece));
            let query = query.bind(Cell(candidate.account)).bind(Cell(candidate.tier));
            let query = query.bind(Cell(candidate.line)).bind(Cell(candidate.offset));
            query.bind(Cell(candidate.length)).bind(candidate.sealed)
        });
        Box::pin(async move {
            written.await?;
            Ok(())
        })
    }

    /// The accounts that have candidates, each once, in the order of their ids' bytes.
    pub fn candidate_accounts(
        &mut self,
        leak: LeakId,
    ) -> BoxStream<'_, Result<AccountId, StoreError>> {
        let rows = self.0.run(&ACCOUNTS).bind(Cell(leak)).stream::<(Cell<AccountId>,)>();
        rows.map(|row| Ok(row.map(|(Cell(account),)| account)?)).boxed()
    }

    /// The candidates of a range of accounts, both ends included, those of one account together.
    ///
    /// # Errors
    /// What the database reports. Lines that are not numbered yet are an error, too.
    pub fn candidates_between<'c>(
        &'c mut self,
        leak: LeakId,
        from: &'c AccountId,
        to: &'c AccountId,
    ) -> StoreFuture<'c, Vec<Candidate>> {
        Box::pin(async move {
            let query = self.0.run(&BETWEEN).bind(Cell(leak));
            Ok(query.bind(Cell(from.clone())).bind(Cell(to.clone())).all().await?)
        })
    }

    /// Destroys the candidates of a range of accounts, both ends included; returns how many.
    pub fn drop_candidates_between<'c>(
        &'c mut self,
        leak: LeakId,
        from: &'c AccountId,
        to: &'c AccountId,
    ) -> StoreFuture<'c, u64> {
        Box::pin(async move {
            let query = self.0.run(&DROP_BETWEEN).bind(Cell(leak));
            Ok(query.bind(Cell(from.clone())).bind(Cell(to.clone())).execute().await?)
        })
    }

    /// How many candidates there are now: those already verified are gone.
    pub fn candidate_count(&mut self, leak: LeakId) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&COUNT).bind(Cell(leak))).await?) })
    }
}
