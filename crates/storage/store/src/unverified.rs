use model::{HashFormat, LeakId, OutcomeCount, SubjectId, Unverified};

use crate::{JobId, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO unverified (leak, subject, reason, hash_format) VALUES {rows}"];
    OF_LEAK = ["SELECT subject, reason, hash_format FROM unverified
        WHERE leak = $1 ORDER BY subject"];
    ADD_OUTCOMES = ["INSERT INTO batch_outcome (job, outcome, hash_format, accounts)
        VALUES {rows}"];
}

/// An account whose stored hash could not be tried: neither exposed nor cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedAccount {
    /// The account.
    pub subject: SubjectId,
    /// Why.
    pub reason: Unverified,
    /// How its password is stored, where that is known.
    pub hash_format: Option<HashFormat>,
}

impl Tx {
    /// Records accounts that could not be verified. The schema refuses an account twice.
    pub fn add_unverified<'c>(
        &'c mut self,
        leak: LeakId,
        accounts: &'c [(SubjectId, Unverified, Option<HashFormat>)],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            self.0
                .insert_all(&ADD, accounts.iter().copied(), |query, (subject, reason, format)| {
                    let query = query.bind(Cell(leak)).bind(Cell(subject));
                    query.bind(Cell(reason)).bind(format.map(Cell))
                })
                .await?;
            Ok(())
        })
    }

    /// The accounts that could not be verified, by id.
    pub fn unverified(&mut self, leak: LeakId) -> StoreFuture<'_, Vec<UnverifiedAccount>> {
        Box::pin(async move {
            let query = self.0.run(&OF_LEAK).bind(Cell(leak));
            let rows = query.all::<(Cell<SubjectId>, Cell<Unverified>, Option<Cell<HashFormat>>)>();
            let accounts = rows.await?.into_iter();
            Ok(accounts
                .map(|(Cell(subject), Cell(reason), format)| UnverifiedAccount {
                    subject,
                    reason,
                    hash_format: format.map(|Cell(format)| format),
                })
                .collect())
        })
    }

    /// Counts what came of a batch. Nothing is recorded for a count of 0.
    pub fn add_outcomes<'c>(
        &'c mut self,
        batch: JobId,
        outcomes: &'c [OutcomeCount],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let counted = outcomes.iter().copied().filter(|(_, _, accounts)| *accounts > 0);
            self.0
                .insert_all(&ADD_OUTCOMES, counted, |query, (outcome, format, accounts)| {
                    let query = query.bind(Cell(batch)).bind(Cell(outcome));
                    query.bind(format.map(Cell)).bind(Cell(accounts))
                })
                .await?;
            Ok(())
        })
    }
}
