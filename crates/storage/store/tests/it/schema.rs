use std::{collections::HashSet, fs, path::Path};

use model::{
    CampaignState, FileId, FindingState, InstanceKind, KillSwitch, LeakState, NoticeState, Outcome,
    Provenance, TargetState, Tier,
};
use sql::Constraint;
use store::{InstanceRow, JobKind, NewLeak, NewPiece, Store, StoreOptions};
use testkit::PostgresServer;

use crate::support::{
    CONNECTIONS, LONG, TestStore, account, broken, candidate, frozen, leak, leak_in_pieces,
    new_file, new_leak, open, sqlite_url, subject, take, time, worker,
};

/// All that the two spellings of the schema may differ in.
const SUBSTITUTIONS: [(&str, &str); 3] = [
    ("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    ("TEXT COLLATE BINARY", "TEXT COLLATE \"C\""),
    ("BLOB", "BYTEA"),
];

/// The words of a type.
macro_rules! all_of {
    ($type:ident) => {
        $type::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()
    };
}

fn migration(dialect: &str, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    fs::read_to_string(folder.join(name)).unwrap()
}

fn instance() -> InstanceRow {
    InstanceRow {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        kind: InstanceKind::Rehearsal,
        created_at: time(5),
        key_check: vec![1, 2, 3],
    }
}

#[test]
fn both_schemas_are_one_text() {
    for name in [
        "0001_instance.sql",
        "0002_leaks.sql",
        "0003_campaigns.sql",
        "0004_notices.sql",
        "0005_recovery.sql",
        "0007_sending_pause.sql",
        "0008_swaps.sql",
        "0010_active.sql",
        "0011_reconciliation.sql",
        "0016_keys.sql",
        "0019_tried.sql",
        "0020_judged.sql",
        "0021_other_emails.sql",
        "0022_logged_comparison.sql",
    ] {
        let schema = migration("sqlite", name);
        let translated = SUBSTITUTIONS
            .iter()
            .fold(schema, |text, (sqlite, postgres)| text.replace(sqlite, postgres));
        assert_eq!(translated, migration("postgres", name));
    }
}

#[test]
fn both_folders_hold_the_same_migrations() {
    let names = |dialect: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<HashSet<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    let last = names("sqlite").into_iter().max().unwrap().into_string().unwrap();
    assert!(last.starts_with(&format!("{:04}_", Store::schema_version_needed())), "{last}");
}

async fn is_migrated_once(url: &str) {
    let store = open(url).await;
    assert_eq!(store.schema_version().await.unwrap(), None);
    assert!(store.check_statements().await.is_err(), "there is no table yet");
    for _ in 0..2 {
        store.migrate().await.unwrap();
        let version = store.schema_version().await.unwrap();
        assert_eq!(version, Some(Store::schema_version_needed()));
    }
}

/// A name that it has no character for would be refused once it comes.
#[tokio::test]
async fn a_database_that_does_not_keep_every_text_is_refused() {
    for encoding in ["SQL_ASCII", "LATIN1", "EUC_JP"] {
        let url = testkit::postgres().database_in(encoding).url;
        let opened = Store::open(&url, StoreOptions { connections_max: 1 }).await;
        let refusal = opened.unwrap_err().to_string();
        assert!(refusal.contains(&format!("in the encoding {encoding}, ")), "{refusal}");
        assert!(refusal.contains("ENCODING 'UTF8'"), "{refusal}");
    }
}

#[tokio::test]
async fn a_sqlite_store_knows_its_schema_version() {
    let (url, _folder) = sqlite_url();
    is_migrated_once(&url).await;
    let store = open(&url).await;
    assert!(store.version().await.unwrap().starts_with("SQLite 3."));
}

#[tokio::test]
async fn a_postgresql_store_knows_its_schema_version() {
    let url = testkit::postgres().database().url;
    is_migrated_once(&url).await;
    let store = open(&url).await;
    assert!(store.version().await.unwrap().starts_with("PostgreSQL 1"));
}

#[tokio::test]
async fn every_pooled_sqlite_connection_survives_a_loss_of_power() {
    let store = TestStore::sqlite().await;
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut tx = store.read().await.unwrap();
        assert!(tx.is_durable().await.unwrap());
        open.push(tx);
    }
}

#[tokio::test]
async fn a_server_without_fsync_is_not_called_durable() {
    let store = TestStore::postgres().await;
    assert!(!store.tx().await.is_durable().await.unwrap());
    let server = PostgresServer::start(true);
    let durable = open(&server.database().url).await;
    assert!(durable.read().await.unwrap().is_durable().await.unwrap());
    durable.close().await;
}

#[tokio::test]
async fn what_is_destroyed_is_not_left_in_the_file() {
    const KEY: &[u8] = b"the wrapped key that must be gone";
    const SECRET: &[u8] = b"secrets of number ";
    let (url, folder) = sqlite_url();
    let path = folder.path().join("store.db");
    let holds = |text: &[u8]| fs::read(&path).unwrap().windows(text.len()).any(|part| part == text);

    let store = open(&url).await;
    store.migrate().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let leak = NewLeak { spool_key: KEY.to_vec(), ..new_leak("Example") };
    let leak = tx.add_leak(&leak, &[new_file("a")]).await.unwrap();
    let piece = NewPiece { file: FileId(1), start: 0, end: 9 };
    tx.add_pieces(leak, &[piece]).await.unwrap();
    let held = take(&mut tx, JobKind::Screen, leak).await;
    let candidates = (1..500).map(|n| candidate(&format!("number {n}"), n, n));
    tx.add_candidates(leak, held.job, candidates).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    assert!(holds(KEY) && holds(SECRET), "else this test would prove nothing");

    let store = open(&url).await;
    let mut tx = store.begin().await.unwrap();
    tx.destroy_spool_key(leak).await.unwrap();
    let (from, to) = (account("number"), account("number 999"));
    assert_eq!(tx.drop_candidates_between(leak, &from, &to).await.unwrap(), 499);
    tx.commit().await.unwrap();
    store.close().await;
    assert!(!holds(KEY) && !holds(SECRET));
}

on_both! {
    every_statement_fits_the_schema,
    a_dropped_transaction_leaves_nothing,
    the_clock_is_in_microseconds_and_goes_on,
    there_is_one_instance,
    a_rehearsal_is_one_for_ever,
    a_state_is_one_of_its_words,
    a_state_of_a_campaign_is_one_of_its_words,
    a_row_refers_to_rows_that_exist,
    a_row_of_a_campaign_refers_to_rows_that_exist,
    a_row_makes_sense,
    a_row_of_a_campaign_makes_sense,
}

async fn every_statement_fits_the_schema(store: TestStore) {
    assert!(store.check_statements().await.unwrap() > 50);
    store.raw("ALTER TABLE reject_sample RENAME COLUMN line TO row_number").await.unwrap();
    let error = open(&store.url).await.check_statements().await.unwrap_err();
    assert!(error.to_string().contains("line"), "{error}");
}

async fn a_dropped_transaction_leaves_nothing(store: TestStore) {
    let mut tx = store.tx().await;
    leak(&mut tx, "Example", &["a"]).await;
    drop(tx);
    assert!(store.read().await.unwrap().leaks().await.unwrap().is_empty());
}

async fn the_clock_is_in_microseconds_and_goes_on(store: TestStore) {
    let first = store.tx().await.now().await.unwrap();
    let later = store.tx().await.now().await.unwrap();
    let year_2020 = time(1_577_836_800_000_000);
    let year_2200 = time(7_258_118_400_000_000);
    assert!(year_2020 < first && first <= later && later < year_2200, "{first} {later}");
}

async fn there_is_one_instance(store: TestStore) {
    let mut tx = store.tx().await;
    assert_eq!(tx.instance().await.unwrap(), None);
    tx.create_instance(&instance()).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.tx().await;
    assert_eq!(tx.instance().await.unwrap(), Some(instance()));
    let mut second = instance();
    second.id = "f".repeat(32);
    assert_eq!(broken(tx.create_instance(&second).await), Constraint::Unique);
}

async fn a_rehearsal_is_one_for_ever(store: TestStore) {
    let mut tx = store.tx().await;
    tx.create_instance(&instance()).await.unwrap();
    tx.commit().await.unwrap();
    for text in ["UPDATE instance SET kind = 'site'", "DELETE FROM instance"] {
        let error = store.raw(text).await.unwrap_err().to_string();
        assert!(error.contains("rows of instance are only added"), "{text}: {error}");
    }
    let found = store.tx().await.instance().await.unwrap().unwrap();
    assert_eq!(found.kind, InstanceKind::Rehearsal);
    let second_row = "INSERT INTO instance (only_row, id, kind, created_at, key_check)
        SELECT 2, id, kind, created_at, key_check FROM instance";
    assert_eq!(store.refusal(second_row).await, Constraint::Check);
}

async fn a_state_is_one_of_its_words(store: TestStore) {
    leak_in_pieces(&store, "Example", 1).await;
    store.raw(&finding_row(0)).await.unwrap();
    store.raw(&candidate_row("exact")).await.unwrap();
    store
        .raw("INSERT INTO batch (job, account_from, account_to) VALUES (1, 'a', 'b')")
        .await
        .unwrap();
    store
        .raw("INSERT INTO batch_outcome (job, outcome, accounts) VALUES (1, 'gone', 1)")
        .await
        .unwrap();
    for (column, words) in words() {
        takes_words(&store, column, &words, "").await;
    }
}

async fn a_state_of_a_campaign_is_one_of_its_words(store: TestStore) {
    one_told(&store).await;
    takes_words(&store, "campaign.state", &all_of!(CampaignState), "").await;
    takes_words(&store, "kill_switch.position", &all_of!(KillSwitch), "").await;
    let reason = ", skip_reason = CASE WHEN '{word}' = 'skipped' THEN 'gone' END";
    takes_words(&store, "target.state", &all_of!(TargetState), reason).await;
    // From `uncertain` on there is no way back, and from there to one of two words only.
    let ended = ", ended_at = CASE WHEN '{word}' NOT IN ('pending', 'inflight') THEN 5 END";
    let words = all_of!(NoticeState).into_iter().filter(|word| *word != "refused");
    let words: Vec<_> = words.filter(|word| *word != "sent").chain(["refused"]).collect();
    takes_words(&store, "notice.state", &words, ended).await;
}

/// Every one of the words, and no other. `more` is set with it, so that the row makes sense.
async fn takes_words(store: &TestStore, column: &str, words: &[&str], more: &str) {
    let (table, column) = column.split_once('.').unwrap();
    let set = |word: &str| {
        format!("UPDATE {table} SET {column} = '{word}'{}", more.replace("{word}", word))
    };
    for word in words {
        assert_eq!(store.raw(&set(word)).await.unwrap(), 1, "{}", set(word));
    }
    let refusal = store.raw(&set("sold")).await.unwrap_err().to_string();
    let expected = ["check constraint", "final stays so"];
    assert!(expected.iter().any(|text| refusal.contains(text)), "{}: {refusal}", set("sold"));
}

async fn a_row_refers_to_rows_that_exist(store: TestStore) {
    leak_in_pieces(&store, "Example", 1).await;
    let orphans = [
        "INSERT INTO job (kind, leak) VALUES ('screen', 99)",
        "INSERT INTO piece (job, file, range_start, range_end) VALUES (99, 1, 500, 600)",
        "UPDATE piece SET file = 99",
        "INSERT INTO piece_reject (job, reason, lines) VALUES (99, 'nul', 1)",
        "INSERT INTO batch (job, account_from, account_to) VALUES (99, 'a', 'b')",
        "INSERT INTO batch_outcome (job, outcome, accounts) VALUES (1, 'gone', 1)",
        "INSERT INTO batch_shape (job, shape, forms, accounts) VALUES (99, 'a', '', 1)",
        "INSERT INTO finding_record (finding, file, line, byte_offset) VALUES (99, 1, 1, 0)",
        "INSERT INTO unverified (leak, subject, reason) VALUES (99, 1, 'malformed')",
        "INSERT INTO unverified (leak, subject, reason) VALUES (1, 99999, 'malformed')",
        "INSERT INTO tried (leak, subject, tried_at) VALUES (99, 1, 5)",
        "INSERT INTO tried (leak, subject, tried_at) VALUES (1, 99999, 5)",
        "INSERT INTO reset_link (subject, made_at, superseded) VALUES (99999, 5, FALSE)",
        "DELETE FROM leak",
        "DELETE FROM leak_file",
        "DELETE FROM job",
    ];
    for text in orphans {
        assert_eq!(store.refusal(text).await, Constraint::ForeignKey, "{text}");
    }
}

async fn a_row_of_a_campaign_refers_to_rows_that_exist(store: TestStore) {
    one_told(&store).await;
    let orphans = [
        "INSERT INTO campaign_leak (campaign, leak) VALUES (99, 1)",
        "INSERT INTO campaign_leak (campaign, leak) VALUES (1, 99)",
        "INSERT INTO plan (campaign, round, body) SELECT 99, 1, policy FROM campaign",
        "INSERT INTO approval (campaign, round, operator, body)
            SELECT 1, 1, 'bo', policy FROM campaign",
        "UPDATE campaign_address SET campaign = 99",
        "UPDATE target SET address = 99",
        "UPDATE target SET campaign = 99",
        "UPDATE target_finding SET subject = 99999",
        "UPDATE target_finding SET finding = 99",
        "UPDATE reset_line SET subject = 99999",
        "UPDATE reset_evidence SET subject = 99999",
        "UPDATE reset_evidence SET finding = 99",
        "UPDATE notice SET campaign = 99",
        "INSERT INTO notice_line (notice, campaign, address, subject) VALUES (99, 1, 0, 0)",
        "DELETE FROM campaign",
        "DELETE FROM campaign_address",
        "DELETE FROM target",
        "DELETE FROM target_finding",
        "DELETE FROM reset_line",
        "DELETE FROM finding",
    ];
    for text in orphans {
        assert_eq!(store.refusal(text).await, Constraint::ForeignKey, "{text}");
    }
}

async fn a_row_makes_sense(store: TestStore) {
    leak_in_pieces(&store, "Example", 1).await;
    store.raw(&finding_row(0)).await.unwrap();
    let nonsense = [
        "UPDATE job SET done_at = 5",
        "UPDATE job SET lease_owner = 'nobody'",
        "UPDATE piece SET range_end = range_start - 1",
        "UPDATE piece SET lines = 2, hits = 1, misses = 1, blank = 1",
        "UPDATE finding SET wrapped_key = NULL",
        "UPDATE leak_file SET sha256 = key_check FROM (SELECT spool_key AS key_check FROM leak)
            AS short",
        "UPDATE log_head SET only_row = 2",
        "INSERT INTO account (email) VALUES ('anna@example.com')",
        "INSERT INTO batch (job, account_from, account_to) VALUES (1, 'b', 'a')",
    ];
    for text in nonsense {
        assert_eq!(store.refusal(text).await, Constraint::Check, "{text}");
    }
}

async fn a_row_of_a_campaign_makes_sense(store: TestStore) {
    one_told(&store).await;
    let nonsense = [
        "UPDATE kill_switch SET only_row = 2",
        "INSERT INTO arming (only_row, document, armed_at, lease_until)
            SELECT 2, policy, 0, 0 FROM campaign",
        "INSERT INTO roster_document (position, at, body) SELECT -1, 0, policy FROM campaign",
        "UPDATE campaign_address SET number = -1",
        "UPDATE campaign_address SET accounts = 0",
        "UPDATE campaign_address SET address_key = (SELECT kept FROM reset_line)",
        "UPDATE campaign_address SET lease_owner = NULL",
        "UPDATE campaign_address SET taken_at = NULL, done_at = NULL, settled_at = NULL",
        "UPDATE campaign_address SET settled_at = 5, done_at = NULL",
        "UPDATE target SET place = -1",
        "UPDATE target SET version = (SELECT kept FROM reset_line)",
        "UPDATE target SET finding = NULL",
        "UPDATE target SET state = 'skipped'",
        "UPDATE target SET skip_reason = 'gone'",
        "UPDATE reset_line SET kept = NULL",
        "UPDATE reset_line SET version = kept",
        "UPDATE reset_line SET replaced_version = kept",
        "UPDATE reset_line SET sealed_version = kept",
        "UPDATE notice SET campaign = NULL",
        "UPDATE notice SET campaign = NULL, address = NULL",
        "UPDATE notice SET kind = 'reset_done'",
        "UPDATE notice SET attempts = -1",
        "UPDATE notice SET attempts = 1",
        "UPDATE notice SET ended_at = 5",
        "UPDATE notice SET code_lookup = (SELECT kept FROM reset_line)",
    ];
    for text in nonsense {
        assert_eq!(store.refusal(text).await, Constraint::Check, "{text}");
    }
}

/// A campaign of which one account was sealed and is to be told.
async fn one_told(store: &TestStore) {
    let frozen = frozen(store, 1).await;
    let mut tx = store.tx().await;
    let lease = tx.take_address(frozen.campaign, 0, &worker(1), LONG).await.unwrap().unwrap();
    frozen.seal(&mut tx, 0).await;
    tx.add_notice(frozen.campaign, 0, &[subject("0")], time(7)).await.unwrap();
    assert!(tx.finish_address(&lease, false).await.unwrap());
    tx.commit().await.unwrap();
}

/// Every column whose words the schema checks, with the words that the code has for it.
fn words() -> Vec<(&'static str, Vec<&'static str>)> {
    macro_rules! of {
        ($column:literal, $type:ident) => {
            ($column, all_of!($type))
        };
    }
    vec![
        of!("leak.provenance", Provenance),
        of!("leak.state", LeakState),
        of!("job.kind", JobKind),
        of!("candidate.tier", Tier),
        of!("finding.tier", Tier),
        of!("finding.state", FindingState),
        of!("batch_outcome.outcome", Outcome),
    ]
}

/// The version is the digest of the leak's file: any 32 bytes do.
fn finding_row(subject: i64) -> String {
    format!(
        "INSERT INTO finding (leak, subject, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret)
        SELECT 1, {subject}, sha256, 'exact', 'bcrypt', 'open', 5, sha256, sha256 FROM leak_file"
    )
}

fn candidate_row(tier: &str) -> String {
    format!(
        "INSERT INTO candidate (leak, account, job, byte_offset, byte_length, line, tier, sealed)
        SELECT 1, 'a', 1, 0, 5, 1, '{tier}', sha256 FROM leak_file"
    )
}
