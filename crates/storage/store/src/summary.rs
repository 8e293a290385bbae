use model::{HashFormat, LeakId, Outcome, OutcomeCount, Tally};

use crate::{JobCounts, JobKind, StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    INCOMPLETE_FILES = ["SELECT path FROM leak_file WHERE leak = $1 AND EXISTS (
            SELECT 1 FROM piece WHERE piece.file = leak_file.id AND piece.complete = FALSE)
        ORDER BY id"];
    OUTCOMES = ["SELECT batch_outcome.outcome, batch_outcome.hash_format,
            CAST(SUM(batch_outcome.accounts) AS BIGINT) AS accounts
        FROM batch_outcome JOIN job ON job.id = batch_outcome.job
        WHERE job.leak = $1 GROUP BY batch_outcome.outcome, batch_outcome.hash_format"];
    FINDINGS = ["SELECT COUNT(*) FROM finding WHERE leak = $1"];
    MATCHES = ["SELECT COUNT(*) FROM finding_record
        JOIN finding ON finding.id = finding_record.finding WHERE finding.leak = $1"];
    EXPOSED = ["SELECT COUNT(DISTINCT subject) FROM finding WHERE state = 'open'"];
}

/// What is known of a leak, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeakSummary {
    /// What became of every line of the pieces that are screened.
    pub tally: Tally,
    /// The files that broke off.
    pub incomplete_files: Vec<String>,
    /// Candidates not verified yet.
    pub candidates: u64,
    /// What came of the accounts that were verified.
    pub outcomes: Vec<OutcomeCount>,
    /// Findings.
    pub findings: u64,
    /// Records of the findings.
    pub matches: u64,
    /// Pieces to screen.
    pub pieces: JobCounts,
    /// Batches to verify.
    pub batches: JobCounts,
}

impl Tx {
    /// What is known of a leak, in numbers.
    pub fn summary(&mut self, leak: LeakId) -> StoreFuture<'_, LeakSummary> {
        Box::pin(async move {
            let (tally, incomplete_files) = self.lines_read(leak).await?;
            Ok(LeakSummary {
                tally,
                incomplete_files,
                candidates: self.candidate_count(leak).await?,
                outcomes: self.outcomes(leak).await?,
                findings: Self::count(self.0.run(&FINDINGS).bind(Cell(leak))).await?,
                matches: Self::count(self.0.run(&MATCHES).bind(Cell(leak))).await?,
                pieces: self.job_counts(JobKind::Screen, leak).await?,
                batches: self.job_counts(JobKind::Verify, leak).await?,
            })
        })
    }

    /// What became of every line of the pieces that are screened, and which files broke off.
    pub fn lines_read(&mut self, leak: LeakId) -> StoreFuture<'_, (Tally, Vec<String>)> {
        Box::pin(async move { Ok((self.tally(leak).await?, self.incomplete_files(leak).await?)) })
    }

    async fn tally(&mut self, leak: LeakId) -> Result<Tally, StoreError> {
        let files = self.file_tallies(leak).await?;
        let mut sum = Tally::default();
        for (_, tally, _) in &files {
            sum += tally;
        }
        Ok(sum)
    }

    async fn incomplete_files(&mut self, leak: LeakId) -> Result<Vec<String>, StoreError> {
        let query = self.0.run(&INCOMPLETE_FILES).bind(Cell(leak));
        let rows = query.all::<(String,)>().await?;
        Ok(rows.into_iter().map(|(path,)| path).collect())
    }

    async fn outcomes(&mut self, leak: LeakId) -> Result<Vec<OutcomeCount>, StoreError> {
        let query = self.0.run(&OUTCOMES).bind(Cell(leak));
        let rows = query.all::<(Cell<Outcome>, Option<Cell<HashFormat>>, Cell<u64>)>();
        let rows = rows.await?.into_iter();
        let mut outcomes: Vec<_> = rows
            .map(|(Cell(outcome), format, Cell(accounts))| {
                (outcome, format.map(|Cell(format)| format), accounts)
            })
            .collect();
        outcomes.sort_unstable();
        Ok(outcomes)
    }

    /// How many accounts have an open finding, over all leaks.
    pub fn exposed_accounts(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&EXPOSED)).await?) })
    }
}
