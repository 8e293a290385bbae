use std::collections::BTreeMap;

use model::{FileId, LeakId, RejectReason, RejectSample, Tally};

use crate::{JobId, StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    RECORD = ["UPDATE piece SET lines = $1, hits = $2, misses = $3, blank = $4, complete = $5
        WHERE job = $6"];
    ADD_REJECTS = ["INSERT INTO piece_reject (job, reason, lines) VALUES {rows}"];
    ADD_SAMPLES = ["INSERT INTO reject_sample (job, reason, line, byte_offset, byte_length)
        VALUES {rows}"];
    PIECES_OPEN = ["SELECT COUNT(*) FROM job
        WHERE leak = $1 AND kind = 'screen' AND done_at IS NULL"];
    NUMBER_LINES = ["UPDATE piece SET first_line = numbered.first_line
        FROM (SELECT piece.job, 1 + CAST(COALESCE(SUM(piece.lines) OVER (
                PARTITION BY piece.file ORDER BY piece.range_start
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS BIGINT) AS first_line
            FROM piece JOIN job ON job.id = piece.job WHERE job.leak = $1) AS numbered
        WHERE piece.job = numbered.job"];
    SAMPLES = ["SELECT piece.file, reject_sample.reason,
            piece.first_line + reject_sample.line - 1 AS line,
            reject_sample.byte_offset, reject_sample.byte_length
        FROM reject_sample JOIN piece ON piece.job = reject_sample.job
        JOIN job ON job.id = piece.job
        WHERE job.leak = $1 AND piece.first_line IS NOT NULL
        ORDER BY piece.file, reject_sample.byte_offset LIMIT $2"];
    FILE_TALLIES = ["SELECT piece.file,
            CAST(COALESCE(SUM(piece.lines), 0) AS BIGINT) AS lines,
            CAST(COALESCE(SUM(piece.hits), 0) AS BIGINT) AS hits,
            CAST(COALESCE(SUM(piece.misses), 0) AS BIGINT) AS misses,
            CAST(COALESCE(SUM(piece.blank), 0) AS BIGINT) AS blank,
            MIN(CASE WHEN piece.complete THEN 1 ELSE 0 END) = 1 AS complete
        FROM piece JOIN job ON job.id = piece.job
        WHERE job.leak = $1 GROUP BY piece.file ORDER BY piece.file"];
    FILE_REJECTS = ["SELECT piece.file, piece_reject.reason,
            CAST(SUM(piece_reject.lines) AS BIGINT) AS lines
        FROM piece_reject JOIN piece ON piece.job = piece_reject.job
        JOIN job ON job.id = piece.job
        WHERE job.leak = $1 GROUP BY piece.file, piece_reject.reason"];
}

/// Where a rejected line stands, within a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocatedReject {
    /// The file.
    pub file: FileId,
    /// Why it was rejected.
    pub reason: RejectReason,
    /// Its number in the file, from 1.
    pub line: u64,
    /// Bytes from the start of the (decompressed) file to its start.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

record!(LocatedReject { file, reason, line, offset = "byte_offset", length = "byte_length" });

struct FileTally {
    file: FileId,
    lines: u64,
    hits: u64,
    misses: u64,
    blank: u64,
    complete: bool,
}

record!(FileTally { file, lines, hits, misses, blank, complete });

impl Tx {
    /// Records what became of a piece's lines. `complete` is false if the file broke off.
    ///
    /// # Errors
    /// [`StoreError::Unbalanced`] if a line is not accounted for.
    pub fn record_screened<'c>(
        &'c mut self,
        piece: JobId,
        tally: &'c Tally,
        complete: bool,
        samples: &'c [RejectSample],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let tally = tally.clone().balanced()?;
            let query = self.0.run(&RECORD).bind(Cell(tally.lines)).bind(Cell(tally.hits));
            let query = query.bind(Cell(tally.misses)).bind(Cell(tally.blank));
            query.bind(complete).bind(Cell(piece)).exactly_one().await?;
            self.0
                .insert_all(&ADD_REJECTS, tally.rejects.iter(), |query, (reason, lines)| {
                    query.bind(Cell(piece)).bind(Cell(reason)).bind(Cell(lines))
                })
                .await?;
            self.add_samples(piece, samples).await
        })
    }

    async fn add_samples(
        &mut self,
        piece: JobId,
        samples: &[RejectSample],
    ) -> Result<(), StoreError> {
        self.0
            .insert_all(&ADD_SAMPLES, samples.iter().copied(), |query, sample| {
                let query = query.bind(Cell(piece)).bind(Cell(sample.reason));
                let query = query.bind(Cell(sample.line)).bind(Cell(sample.offset));
                query.bind(Cell(sample.length))
            })
            .await?;
        Ok(())
    }

    /// Gives every piece the number of its first line: a piece alone cannot know how many lines
    /// stand before it.
    ///
    /// # Errors
    /// [`StoreError::PiecesOpen`].
    pub fn number_lines(&mut self, leak: LeakId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            match Self::count(self.0.run(&PIECES_OPEN).bind(Cell(leak))).await? {
                0 => {
                    self.0.run(&NUMBER_LINES).bind(Cell(leak)).execute().await?;
                    Ok(())
                }
                open => Err(StoreError::PiecesOpen { leak, open }),
            }
        })
    }

    /// Some rejected lines, in the order of the files, at most `limit`; none before the lines are
    /// numbered.
    pub fn reject_samples(
        &mut self,
        leak: LeakId,
        limit: u64,
    ) -> StoreFuture<'_, Vec<LocatedReject>> {
        Box::pin(async move {
            let query = self.0.run(&SAMPLES).bind(Cell(leak)).bind(Cell(limit));
            Ok(query.all().await?)
        })
    }

    /// What became of the lines of each file, and whether all of it was read.
    pub fn file_tallies(&mut self, leak: LeakId) -> StoreFuture<'_, Vec<(FileId, Tally, bool)>> {
        Box::pin(async move {
            let rows: Vec<FileTally> = self.0.run(&FILE_TALLIES).bind(Cell(leak)).all().await?;
            let rejects = self.0.run(&FILE_REJECTS).bind(Cell(leak));
            let rejects = rejects.all::<(Cell<FileId>, Cell<RejectReason>, Cell<u64>)>().await?;
            let mut tallies: BTreeMap<_, _> = rows.into_iter().map(FileTally::into_entry).collect();
            for (Cell(file), Cell(reason), Cell(lines)) in rejects {
                if let Some((tally, _)) = tallies.get_mut(&file) {
                    tally.rejects.add(reason, lines);
                }
            }
            Ok(tallies
                .into_iter()
                .map(|(file, (tally, complete))| (file, tally, complete))
                .collect())
        })
    }
}

impl FileTally {
    fn into_entry(self) -> (FileId, (Tally, bool)) {
        let tally = Tally {
            lines: self.lines,
            hits: self.hits,
            misses: self.misses,
            blank: self.blank,
            ..Tally::default()
        };
        (self.file, (tally, self.complete))
    }
}
