use model::{
    CredentialVersion, FileId, FindingId, FindingState, HashFormat, LeakId, RecordRef, SubjectId,
    Tier, Timestamp,
};

use crate::{StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    // A conflict changes nothing, but makes both databases return the row that is there.
    ADD = ["INSERT INTO finding (leak, subject, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (leak, subject, version) DO UPDATE SET version = excluded.version
        RETURNING id"];
    ADD_RECORDS = ["INSERT INTO finding_record (finding, file, member, line, byte_offset)
        VALUES {rows} ON CONFLICT DO NOTHING"];
    OF_LEAK = ["SELECT id, leak, subject, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret
        FROM finding WHERE leak = $1 ORDER BY subject, id"];
    RECORDS = ["SELECT finding.id AS finding, leak_file.path, finding_record.member,
            finding_record.line, finding_record.byte_offset
        FROM finding JOIN finding_record ON finding_record.finding = finding.id
        JOIN leak_file ON leak_file.id = finding_record.file
        WHERE finding.leak = $1
        ORDER BY finding.id, finding_record.file, finding_record.byte_offset"];
    OPEN_OF_ACCOUNT = ["SELECT id, leak, subject, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret
        FROM finding WHERE subject = $1 AND state = 'open' ORDER BY id"];
    COUNTS = ["SELECT leak, COUNT(*) FROM finding GROUP BY leak"];
    BY_NUMBER = ["SELECT id, leak, subject, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret
        FROM finding WHERE id = $1"];
    // Whatever its state: named so that the index of states and subjects serves.
    OF_ACCOUNT = ["SELECT id, leak, subject, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret
        FROM finding WHERE state IN ('open', 'dismissed', 'reset') AND subject = $1 ORDER BY id"];
    RECORDS_OF = ["SELECT finding_record.finding, leak_file.path, finding_record.member,
            finding_record.line, finding_record.byte_offset
        FROM finding_record JOIN leak_file ON leak_file.id = finding_record.file
        WHERE finding_record.finding = $1
        ORDER BY finding_record.file, finding_record.byte_offset"];
    DESTROY_SECRET = ["UPDATE finding SET wrapped_key = NULL, sealed_secret = NULL WHERE id = $1"];
}

/// That one account's password stands in a leak, as verification found it.
#[derive(Debug, Clone)]
pub struct NewFinding {
    /// The leak.
    pub leak: LeakId,
    /// The account.
    pub subject: SubjectId,
    /// The password, as it was stored when it was verified.
    pub version: CredentialVersion,
    /// By which of the account's identifiers the record led to it.
    pub tier: Tier,
    /// How the password is stored.
    pub hash_format: HashFormat,
    /// When it was verified.
    pub verified_at: Timestamp,
    /// The wrapped data key of the secret.
    pub wrapped_key: Vec<u8>,
    /// The secret, encrypted.
    pub sealed_secret: Vec<u8>,
}

/// A record that holds a finding's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRecord {
    /// The file.
    pub file: FileId,
    /// The member inside an archive; `None` for a file that is its own only member.
    pub member: Option<String>,
    /// Line number, from 1.
    pub line: u64,
    /// Bytes from the start of the (decompressed) member to the start of the line.
    pub offset: u64,
}

/// That one account's password stands in a leak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its key.
    pub id: FindingId,
    /// The leak.
    pub leak: LeakId,
    /// The account.
    pub subject: SubjectId,
    /// The password, as it was stored when it was verified.
    pub version: CredentialVersion,
    /// By which of the account's identifiers the record led to it.
    pub tier: Tier,
    /// How the password was stored.
    pub hash_format: HashFormat,
    /// What has been done about it.
    pub state: FindingState,
    /// When it was verified first.
    pub verified_at: Timestamp,
    /// The wrapped data key of the secret; `None` once it is destroyed.
    pub wrapped_key: Option<Vec<u8>>,
    /// The secret, encrypted; `None` once it is destroyed.
    pub sealed_secret: Option<Vec<u8>>,
}

record!(Finding {
    id,
    leak,
    subject,
    version,
    tier,
    hash_format,
    state,
    verified_at,
    wrapped_key,
    sealed_secret
});

struct RecordRow {
    finding: FindingId,
    path: String,
    member: Option<String>,
    line: u64,
    offset: u64,
}

record!(RecordRow { finding, path, member, line, offset = "byte_offset" });

impl Tx {
    /// How many findings each leak has.
    pub fn finding_counts(&mut self) -> StoreFuture<'_, Vec<(LeakId, u64)>> {
        Box::pin(async move {
            let rows = self.0.run(&COUNTS).all::<(Cell<LeakId>, Cell<u64>)>().await?;
            Ok(rows.into_iter().map(|(Cell(leak), Cell(count))| (leak, count)).collect())
        })
    }

    /// The findings against one account that nothing has been done about.
    pub fn open_findings_of(&mut self, subject: SubjectId) -> StoreFuture<'_, Vec<Finding>> {
        Box::pin(async move { Ok(self.0.run(&OPEN_OF_ACCOUNT).bind(Cell(subject)).all().await?) })
    }

    /// Adds a finding with its records. If the account's password was found in this leak before,
    /// that finding stays as it is, and the records that it does not have yet join it.
    pub fn add_finding<'c>(
        &'c mut self,
        finding: &'c NewFinding,
        records: &'c [FindingRecord],
    ) -> StoreFuture<'c, FindingId> {
        Box::pin(async move {
            let id = self.insert_finding(finding.clone()).await?;
            self.0
                .insert_all(&ADD_RECORDS, records.iter().cloned(), |query, record| {
                    let query = query.bind(Cell(id)).bind(Cell(record.file)).bind(record.member);
                    query.bind(Cell(record.line)).bind(Cell(record.offset))
                })
                .await?;
            Ok(id)
        })
    }

    async fn insert_finding(&mut self, finding: NewFinding) -> Result<FindingId, StoreError> {
        let query = self.0.run(&ADD).bind(Cell(finding.leak)).bind(Cell(finding.subject));
        let query = query.bind(Cell(finding.version)).bind(Cell(finding.tier));
        let query = query.bind(Cell(finding.hash_format)).bind(Cell(FindingState::Open));
        let query = query.bind(Cell(finding.verified_at));
        let query = query.bind(finding.wrapped_key).bind(finding.sealed_secret);
        let (Cell(id),) = query.one::<(Cell<FindingId>,)>().await?;
        Ok(id)
    }

    /// A leak's findings, by account.
    pub fn findings(&mut self, leak: LeakId) -> StoreFuture<'_, Vec<Finding>> {
        Box::pin(async move { Ok(self.0.run(&OF_LEAK).bind(Cell(leak)).all().await?) })
    }

    /// The records of a leak's findings: finding by finding, in the order of the files.
    pub fn finding_records(
        &mut self,
        leak: LeakId,
    ) -> StoreFuture<'_, Vec<(FindingId, RecordRef)>> {
        Box::pin(async move {
            let rows: Vec<RecordRow> = self.0.run(&RECORDS).bind(Cell(leak)).all().await?;
            Ok(rows.into_iter().map(RecordRow::into_pair).collect())
        })
    }

    /// One finding; `None` if there is none of that number.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn finding(&mut self, id: FindingId) -> StoreFuture<'_, Option<Finding>> {
        Box::pin(async move { Ok(self.0.run(&BY_NUMBER).bind(Cell(id)).optional().await?) })
    }

    /// All findings against one account, whatever was done about them.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn findings_of(&mut self, subject: SubjectId) -> StoreFuture<'_, Vec<Finding>> {
        let query = self.0.run(&OF_ACCOUNT).bind(Cell(subject));
        Box::pin(async move { Ok(query.all().await?) })
    }

    /// The records of one finding, in the order of the files.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn records_of(&mut self, finding: FindingId) -> StoreFuture<'_, Vec<RecordRef>> {
        let query = self.0.run(&RECORDS_OF).bind(Cell(finding));
        Box::pin(async move {
            let rows: Vec<RecordRow> = query.all().await?;
            Ok(rows.into_iter().map(|row| row.into_pair().1).collect())
        })
    }

    /// Forgets a finding's secret. The finding stays.
    pub fn destroy_secret(&mut self, finding: FindingId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&DESTROY_SECRET).bind(Cell(finding));
            Ok(query.exactly_one().await?)
        })
    }
}

impl RecordRow {
    fn into_pair(self) -> (FindingId, RecordRef) {
        let Self { finding, path, member, line, offset } = self;
        (finding, RecordRef { file: path, member, line, offset })
    }
}
