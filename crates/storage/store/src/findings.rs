use futures_util::{StreamExt as _, stream::BoxStream};
use model::{
    AccountId, CredentialVersion, FileId, HashFormat, LeakId, RecordRef, Tier, Timestamp, text_enum,
};

use crate::{FindingId, StoreError, Tx, cell::Cell};

sql::queries! {
    // A conflict changes nothing, but makes both databases return the row that is there.
    ADD = ["INSERT INTO finding (leak, account, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (leak, account, version) DO UPDATE SET version = excluded.version
        RETURNING id"];
    ADD_RECORDS = ["INSERT INTO finding_record (finding, file, member, line, byte_offset)
        VALUES {rows} ON CONFLICT DO NOTHING"];
    OF_LEAK = ["SELECT id, leak, account, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret
        FROM finding WHERE leak = $1 ORDER BY account, id"];
    RECORDS = ["SELECT finding.id AS finding, leak_file.path, finding_record.member,
            finding_record.line, finding_record.byte_offset
        FROM finding JOIN finding_record ON finding_record.finding = finding.id
        JOIN leak_file ON leak_file.id = finding_record.file
        WHERE finding.leak = $1
        ORDER BY finding.id, finding_record.file, finding_record.byte_offset"];
    OPEN_OF_ACCOUNT = ["SELECT id, leak, account, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret
        FROM finding WHERE account = $1 AND state = 'open' ORDER BY id"];
    DESTROY_SECRET = ["UPDATE finding SET wrapped_key = NULL, sealed_secret = NULL WHERE id = $1"];
}

text_enum! {
    /// What has been done about a finding.
    pub enum FindingState {
        /// Nothing yet.
        Open = "open",
        /// Somebody has decided that nothing is to be done.
        Dismissed = "dismissed",
        /// The account has another password now.
        Reset = "reset",
    }
}

/// That one account's password stands in a leak, as verification found it.
#[derive(Debug, Clone)]
pub struct NewFinding {
    /// The leak.
    pub leak: LeakId,
    /// The account.
    pub account: AccountId,
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
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Finding {
    /// Its key.
    #[sqlx(try_from = "Cell<FindingId>")]
    pub id: FindingId,
    /// The leak.
    #[sqlx(try_from = "Cell<LeakId>")]
    pub leak: LeakId,
    /// The account.
    #[sqlx(try_from = "Cell<AccountId>")]
    pub account: AccountId,
    /// The password, as it was stored when it was verified.
    #[sqlx(try_from = "Cell<CredentialVersion>")]
    pub version: CredentialVersion,
    /// By which of the account's identifiers the record led to it.
    #[sqlx(try_from = "Cell<Tier>")]
    pub tier: Tier,
    /// How the password was stored.
    #[sqlx(try_from = "Cell<HashFormat>")]
    pub hash_format: HashFormat,
    /// What has been done about it.
    #[sqlx(try_from = "Cell<FindingState>")]
    pub state: FindingState,
    /// When it was verified first.
    #[sqlx(try_from = "Cell<Timestamp>")]
    pub verified_at: Timestamp,
    /// The wrapped data key of the secret; `None` once it is destroyed.
    pub wrapped_key: Option<Vec<u8>>,
    /// The secret, encrypted; `None` once it is destroyed.
    pub sealed_secret: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct RecordRow {
    #[sqlx(try_from = "Cell<FindingId>")]
    finding: FindingId,
    path: String,
    member: Option<String>,
    #[sqlx(try_from = "Cell<u64>")]
    line: u64,
    #[sqlx(rename = "byte_offset", try_from = "Cell<u64>")]
    offset: u64,
}

impl Tx {
    /// The findings against one account that nothing has been done about.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn open_findings_of(
        &mut self,
        account: &AccountId,
    ) -> Result<Vec<Finding>, StoreError> {
        Ok(self.0.run(&OPEN_OF_ACCOUNT).bind(Cell(account.clone())).all().await?)
    }

    /// Adds a finding with its records. If the account's password was found in this leak before,
    /// that finding stays as it is, and the records that it does not have yet join it.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_finding(
        &mut self,
        finding: &NewFinding,
        records: &[FindingRecord],
    ) -> Result<FindingId, StoreError> {
        let id = self.insert_finding(finding.clone()).await?;
        self.0
            .insert_all(&ADD_RECORDS, records.iter().cloned(), |query, record| {
                let query = query.bind(Cell(id)).bind(Cell(record.file)).bind(record.member);
                query.bind(Cell(record.line)).bind(Cell(record.offset))
            })
            .await?;
        Ok(id)
    }

    async fn insert_finding(&mut self, finding: NewFinding) -> Result<FindingId, StoreError> {
        let query = self.0.run(&ADD).bind(Cell(finding.leak)).bind(Cell(finding.account));
        let query = query.bind(Cell(finding.version)).bind(Cell(finding.tier));
        let query = query.bind(Cell(finding.hash_format)).bind(Cell(FindingState::Open));
        let query = query.bind(Cell(finding.verified_at));
        let query = query.bind(finding.wrapped_key).bind(finding.sealed_secret);
        let (Cell(id),) = query.one::<(Cell<FindingId>,)>().await?;
        Ok(id)
    }

    /// A leak's findings, by account.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn findings(&mut self, leak: LeakId) -> Result<Vec<Finding>, StoreError> {
        Ok(self.0.run(&OF_LEAK).bind(Cell(leak)).all().await?)
    }

    /// A leak's findings, by account, as they come.
    pub fn stream_findings(&mut self, leak: LeakId) -> BoxStream<'_, Result<Finding, StoreError>> {
        let rows = self.0.run(&OF_LEAK).bind(Cell(leak)).stream::<Finding>();
        rows.map(|row| Ok(row?)).boxed()
    }

    /// The records of a leak's findings: finding by finding, in the order of the files.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn finding_records(
        &mut self,
        leak: LeakId,
    ) -> Result<Vec<(FindingId, RecordRef)>, StoreError> {
        let rows: Vec<RecordRow> = self.0.run(&RECORDS).bind(Cell(leak)).all().await?;
        Ok(rows.into_iter().map(RecordRow::into_pair).collect())
    }

    /// Forgets a finding's secret. The finding stays.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn destroy_secret(&mut self, finding: FindingId) -> Result<(), StoreError> {
        let query = self.0.run(&DESTROY_SECRET).bind(Cell(finding));
        Ok(query.exactly_one().await?)
    }
}

impl RecordRow {
    fn into_pair(self) -> (FindingId, RecordRef) {
        let Self { finding, path, member, line, offset } = self;
        (finding, RecordRef { file: path, member, line, offset })
    }
}
