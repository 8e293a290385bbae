use model::{LeakId, LeakName};

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    // Rows before those that they refer to.
    REJECT_SAMPLES = ["DELETE FROM reject_sample
        WHERE job IN (SELECT id FROM job WHERE leak = $1)"];
    PIECE_REJECTS = ["DELETE FROM piece_reject WHERE job IN (SELECT id FROM job WHERE leak = $1)"];
    CANDIDATES = ["DELETE FROM candidate WHERE leak = $1"];
    PIECES = ["DELETE FROM piece WHERE job IN (SELECT id FROM job WHERE leak = $1)"];
    SHAPES = ["DELETE FROM batch_shape WHERE job IN (SELECT id FROM job WHERE leak = $1)"];
    OUTCOMES = ["DELETE FROM batch_outcome WHERE job IN (SELECT id FROM job WHERE leak = $1)"];
    BATCHES = ["DELETE FROM batch WHERE job IN (SELECT id FROM job WHERE leak = $1)"];
    JOBS = ["DELETE FROM job WHERE leak = $1"];
    UNVERIFIED_RECORDS = ["DELETE FROM unverified_record WHERE leak = $1"];
    UNVERIFIED = ["DELETE FROM unverified WHERE leak = $1"];
    TRIED = ["DELETE FROM tried WHERE leak = $1"];
    FILES = ["DELETE FROM leak_file WHERE leak = $1"];
    LEAK = ["DELETE FROM leak WHERE id = $1"];
    HAS_CAMPAIGN = ["SELECT COUNT(*) FROM campaign_leak WHERE leak = $1"];
    WITH_FILE = ["SELECT leak.name FROM leak JOIN leak_file ON leak_file.leak = leak.id
        WHERE leak_file.sha256 = $1 ORDER BY leak.id LIMIT 1"];
}

impl Tx {
    /// Takes a leak out, with all that follows from it. The schema refuses one that has findings, or that a
    /// campaign is about.
    pub fn remove_leak(&mut self, leak: LeakId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            for rows in [
                &REJECT_SAMPLES,
                &PIECE_REJECTS,
                &CANDIDATES,
                &PIECES,
                &SHAPES,
                &OUTCOMES,
                &BATCHES,
                &JOBS,
                &UNVERIFIED_RECORDS,
                &UNVERIFIED,
                &TRIED,
                &FILES,
            ] {
                self.0.run(rows).bind(Cell(leak)).execute().await?;
            }
            Ok(self.0.run(&LEAK).bind(Cell(leak)).exactly_one().await?)
        })
    }

    /// How many campaigns are about a leak.
    pub fn campaigns_of_leak(&mut self, leak: LeakId) -> StoreFuture<'_, u64> {
        let query = self.0.run(&HAS_CAMPAIGN).bind(Cell(leak));
        Box::pin(async move { Ok(Self::count(query).await?) })
    }

    /// The first leak that has a file of these bytes.
    pub fn leak_with_file(&mut self, sha256: [u8; 32]) -> StoreFuture<'_, Option<LeakName>> {
        let query = self.0.run(&WITH_FILE).bind(Cell(sha256));
        Box::pin(async move {
            let row = query.optional::<(Cell<LeakName>,)>().await?;
            Ok(row.map(|(Cell(name),)| name))
        })
    }
}
