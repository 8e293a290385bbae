use std::collections::{BTreeMap, HashMap};

use model::{HashFormat, LeakId, OutcomeCount, RecordRef, SubjectId, Unverified};

use crate::{FindingRecord, JobId, StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO unverified (leak, subject, reason, hash_format, head) VALUES {rows}"];
    ADD_RECORDS = ["INSERT INTO unverified_record (leak, subject, file, line, byte_offset)
        VALUES {rows} ON CONFLICT DO NOTHING"];
    OF_LEAK = ["SELECT subject, reason, hash_format, head FROM unverified
        WHERE leak = $1 ORDER BY subject"];
    BY_REASON = ["SELECT reason, COUNT(*) FROM unverified WHERE leak = $1
        GROUP BY reason ORDER BY reason"];
    RECORDS = ["SELECT unverified_record.subject, leak_file.path, unverified_record.line,
            unverified_record.byte_offset
        FROM unverified_record JOIN leak_file ON leak_file.id = unverified_record.file
        WHERE unverified_record.leak = $1
        ORDER BY unverified_record.subject, unverified_record.file, unverified_record.byte_offset"];
    ADD_OUTCOMES = ["INSERT INTO batch_outcome (job, outcome, hash_format, accounts)
        VALUES {rows}"];
}

/// An account whose stored hash could not be tried, as verification found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUnverified {
    /// The account.
    pub subject: SubjectId,
    /// Why.
    pub reason: Unverified,
    /// How its password is stored, where that is known.
    pub hash_format: Option<HashFormat>,
    /// How its hash begins.
    pub head: String,
    /// The records that could not be tried.
    pub records: Vec<FindingRecord>,
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
    /// How its hash begins; an earlier version did not note it.
    pub head: Option<String>,
    /// The records that could not be tried, in the order of the files.
    pub records: Vec<RecordRef>,
}

struct UnverifiedRow {
    subject: SubjectId,
    reason: Unverified,
    hash_format: Option<HashFormat>,
    head: Option<String>,
}

record!(UnverifiedRow { subject, reason, hash_format, head });

struct UntriedRecord {
    subject: SubjectId,
    path: String,
    line: u64,
    offset: u64,
}

record!(UntriedRecord { subject, path, line, offset = "byte_offset" });

impl Tx {
    /// Records accounts that could not be verified. The schema refuses an account twice.
    pub fn add_unverified<'c>(
        &'c mut self,
        leak: LeakId,
        accounts: &'c [NewUnverified],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            self.0
                .insert_all(&ADD, accounts.iter().cloned(), |query, account| {
                    let query = query.bind(Cell(leak)).bind(Cell(account.subject));
                    let query = query.bind(Cell(account.reason));
                    query.bind(account.hash_format.map(Cell)).bind(account.head)
                })
                .await?;
            let records = accounts.iter().flat_map(|account| {
                account.records.iter().map(move |record| (account.subject, record.clone()))
            });
            self.0
                .insert_all(&ADD_RECORDS, records, |query, (subject, record)| {
                    let query = query.bind(Cell(leak)).bind(Cell(subject)).bind(Cell(record.file));
                    query.bind(Cell(record.line)).bind(Cell(record.offset))
                })
                .await?;
            Ok(())
        })
    }

    /// The accounts that could not be verified, by subject.
    pub fn unverified(&mut self, leak: LeakId) -> StoreFuture<'_, Vec<UnverifiedAccount>> {
        Box::pin(async move {
            let mut records = self.untried_records(leak).await?;
            let rows: Vec<UnverifiedRow> = self.0.run(&OF_LEAK).bind(Cell(leak)).all().await?;
            let account = |UnverifiedRow { subject, reason, hash_format, head }| {
                let records = records.remove(&subject).unwrap_or_default();
                UnverifiedAccount { subject, reason, hash_format, head, records }
            };
            Ok(rows.into_iter().map(account).collect())
        })
    }

    /// How many accounts could not be verified, by why.
    pub fn unverified_by_reason(
        &mut self,
        leak: LeakId,
    ) -> StoreFuture<'_, BTreeMap<Unverified, u64>> {
        Box::pin(async move {
            type Counted = (Cell<Unverified>, Cell<u64>);
            let rows = self.0.run(&BY_REASON).bind(Cell(leak)).all::<Counted>().await?;
            Ok(rows.into_iter().map(|(Cell(reason), Cell(count))| (reason, count)).collect())
        })
    }

    async fn untried_records(
        &mut self,
        leak: LeakId,
    ) -> Result<HashMap<SubjectId, Vec<RecordRef>>, StoreError> {
        let rows: Vec<UntriedRecord> = self.0.run(&RECORDS).bind(Cell(leak)).all().await?;
        let mut records: HashMap<_, Vec<_>> = HashMap::new();
        for UntriedRecord { subject, path, line, offset } in rows {
            let record = RecordRef { file: path, member: None, line, offset };
            records.entry(subject).or_default().push(record);
        }
        Ok(records)
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
