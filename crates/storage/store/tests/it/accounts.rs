use futures_util::TryStreamExt;
use model::{Account, Credential, StoredHash};

use crate::support::{TestStore, account, time};

/// What a column mapping would read: the plain columns.
type Row = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<bool>,
    Option<String>,
    Option<i64>,
    Option<bool>,
);

const READ: &str = "SELECT id, email, username, hash, hash_changed_at, email_verified, locale,
    last_login_at, second_factor FROM account ORDER BY id";

on_both! {
    an_account_is_read_back_through_plain_columns,
    an_account_with_the_same_id_is_replaced_whole,
    of_two_with_one_id_the_last_counts,
    many_accounts_are_written,
    accounts_are_found_by_id_and_by_name,
    a_hash_is_replaced_only_where_it_is_the_expected_one,
}

async fn an_account_is_read_back_through_plain_columns(store: TestStore) {
    let mut tx = store.tx().await;
    let written = tx.import_accounts(&[bare("ä"), anna("anna@example.com")]).await.unwrap();
    assert_eq!((written, tx.account_count().await.unwrap()), (2, 2));
    tx.commit().await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let anna: Row = (
        "anna".to_owned(),
        text("anna@example.com"),
        text("anna"),
        text("$2b$10$hash"),
        Some(5),
        Some(true),
        text("de-AT"),
        Some(-6),
        Some(false),
    );
    let bare: Row = ("ä".to_owned(), None, None, None, None, None, None, None, None);
    assert_eq!(store.ask::<Row>(READ).await, [anna, bare]);
}

async fn an_account_with_the_same_id_is_replaced_whole(store: TestStore) {
    let mut tx = store.tx().await;
    tx.import_accounts(&[anna("old@example.com"), bare("bo")]).await.unwrap();
    assert_eq!(tx.import_accounts(&[bare("anna")]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let rows = store.ask::<Row>(READ).await;
    let bare = |id: &str| (id.to_owned(), None, None, None, None, None, None, None, None);
    assert_eq!(rows, [bare("anna"), bare("bo")]);
}

async fn of_two_with_one_id_the_last_counts(store: TestStore) {
    let mut tx = store.tx().await;
    let both = [anna("old@example.com"), anna("new@example.com")];
    assert_eq!(tx.import_accounts(&both).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(store.ask::<Row>(READ).await[0].1.as_deref(), Some("new@example.com"));
}

async fn many_accounts_are_written(store: TestStore) {
    let many: Vec<_> = (0..1000).map(|n| bare(&n.to_string())).collect();
    let mut tx = store.tx().await;
    assert_eq!(tx.import_accounts(&many).await.unwrap(), 1000);
    assert_eq!(tx.import_accounts(&[]).await.unwrap(), 0);
    assert_eq!(tx.account_count().await.unwrap(), 1000);
}

async fn accounts_are_found_by_id_and_by_name(store: TestStore) {
    let mut tx = store.tx().await;
    tx.import_accounts(&[anna("Anna@example.com"), bare("bo")]).await.unwrap();
    let found = tx.embedded_accounts(&[account("anna"), account("nobody")]).await.unwrap();
    assert_eq!(format!("{found:?}"), format!("{:?}", [anna("Anna@example.com")]));
    for name in ["anna", "anna@example.com"] {
        let found = tx.embedded_accounts_by_name(&[name.to_owned()]).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
    }
    assert!(tx.embedded_accounts_by_name(&["bo".to_owned()]).await.unwrap().is_empty());
    assert!(tx.embedded_accounts_by_name(&[]).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    let mut all: Vec<_> = store.store.stream_accounts().try_collect().await.unwrap();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(format!("{all:?}"), format!("{:?}", [anna("Anna@example.com"), bare("bo")]));
}

async fn a_hash_is_replaced_only_where_it_is_the_expected_one(store: TestStore) {
    let hash = |text: &str| StoredHash::from_column(Some(text.to_owned())).unwrap();
    let mut tx = store.tx().await;
    tx.import_accounts(&[anna("anna@example.com"), bare("bo")]).await.unwrap();
    let (old, new) = (hash("$2b$10$hash"), hash("$2b$10$new"));
    assert!(tx.replace_embedded_hash(&account("anna"), &old, &new).await.unwrap());
    assert!(!tx.replace_embedded_hash(&account("anna"), &old, &new).await.unwrap());
    assert!(!tx.replace_embedded_hash(&account("bo"), &old, &new).await.unwrap());
    let found = tx.embedded_accounts(&[account("anna")]).await.unwrap();
    assert_eq!(found[0].credential.as_ref().unwrap().hash().expose(), "$2b$10$new");
}

fn anna(email: &str) -> Account {
    Account {
        email: Some(email.to_owned()),
        username: Some("anna".to_owned()),
        credential: StoredHash::from_column(Some("$2b$10$hash".to_owned())).map(Credential::from),
        hash_changed_at: Some(time(5)),
        email_verified: Some(true),
        locale: Some("de-AT".to_owned()),
        last_login_at: Some(time(-6)),
        second_factor: Some(false),
        active: Some(true),
        other_emails: vec!["a@anna.example".to_owned(), "b@anna.example".to_owned()],
        ..bare("anna")
    }
}

fn bare(id: &str) -> Account {
    Account {
        id: account(id),
        email: None,
        username: None,
        credential: None,
        hash_changed_at: None,
        email_verified: None,
        locale: None,
        last_login_at: None,
        second_factor: None,
        active: None,
        other_emails: Vec::new(),
        unreadable: None,
    }
}
