//! Ids and hashes that are kept as bytes, or as other types that a text is not compared with by itself.

use directory::WriteGrant;
use model::{Account, Credential, StoredHash};

use crate::site::{Site, id, ids, ids_of, replace_if, scan, small};

const OLD: &str = "$2b$10$old-old-old-old";
const NEW: &str = "$2b$10$new-new-new-new";

fn hash(text: &str) -> StoredHash {
    StoredHash::from_column(Some(text.to_owned())).unwrap()
}

#[tokio::test]
async fn ids_of_bytes_and_of_oids_are_found_and_written_by() {
    for (type_name, value, key, strangers) in [
        ("BYTEA", "'\\x6f1c2b00ff'::bytea", "6f1c2b00ff", ["\\x6f1c2b00ff", "6F1C2B00FF"]),
        ("OID", "4294967295", "4294967295", ["-1", "04294967295"]),
        ("NAME", "'Ana'", "Ana", ["ana", "Ana "]),
    ] {
        let site = Site::postgres();
        site.run(&[
            &format!("CREATE TABLE users (id {type_name} PRIMARY KEY, email TEXT, hash TEXT)"),
            &format!("INSERT INTO users VALUES ({value}, 'a@b.example', '{OLD}')"),
        ])
        .await;
        let directory = site.open_writable(small()).await;
        assert_eq!(directory.check().await.unwrap().write, WriteGrant::Granted);
        assert_eq!(ids_of(&scan(&directory).await), [key], "{type_name}");
        assert_eq!(ids_of(&directory.by_ids(&ids(&[key])).await.unwrap()), [key]);
        assert!(directory.by_ids(&ids(&strangers)).await.unwrap().is_empty(), "{type_name}");
        assert!(
            replace_if(&directory, &id(key), &hash(OLD), &hash(NEW)).await.unwrap(),
            "{type_name}"
        );
        assert!(directory.look(&id(key)).await.unwrap().is(&hash(NEW)), "{type_name}");
    }
}

/// As MySQL fills up a column of a fixed number of bytes.
#[tokio::test]
async fn nul_bytes_at_the_end_are_no_part_of_a_hash() {
    let site = Site::mariadb();
    site.run(&[
        "CREATE TABLE users (id BINARY(16) PRIMARY KEY, email TEXT, hash BINARY(80) NOT NULL)",
        &format!(
            "INSERT INTO users VALUES ('one', 'a@b.example', '{OLD}'), ('two', 'c@d.example', '')"
        ),
    ])
    .await;
    let directory = site.open_writable(small()).await;
    let read = |accounts: Vec<Account>| {
        let hashes = accounts.into_iter().map(|it| it.credential.map(Credential::into_hash));
        hashes.collect::<Vec<_>>()
    };
    let [one, two] = &read(scan(&directory).await)[..] else { panic!() };
    assert!(one.as_ref().is_some_and(|it| it.expose() == OLD) && two.is_none());
    let key = "6f6e6500000000000000000000000000";
    assert!(directory.look(&id(key)).await.unwrap().is(&hash(OLD)));
    assert!(replace_if(&directory, &id(key), &hash(OLD), &hash(NEW)).await.unwrap());
    assert!(directory.look(&id(key)).await.unwrap().is(&hash(NEW)));
    let told = "SELECT COUNT(*) FROM users WHERE LENGTH(hash) = 80 AND hash LIKE '$%'";
    assert_eq!(site.number(told).await, 1);
}
