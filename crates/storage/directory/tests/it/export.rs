use std::{fs, path::PathBuf};

use directory::{Ability, Directory, Export, ReadError, WriteError};
use futures_util::TryStreamExt;
use model::Timestamp;
use tempfile::TempDir;

use crate::site::{id, ids, ids_of};

struct File {
    path: PathBuf,
    _folder: TempDir,
}

fn file(name: &str, text: impl AsRef<[u8]>) -> File {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    File { path, _folder: folder }
}

fn read(name: &str, text: impl AsRef<[u8]>) -> Export {
    Export::read(file(name, text).path, Timestamp::from_micros(0)).unwrap()
}

/// The message without the folder.
fn refusal(name: &str, text: impl AsRef<[u8]>) -> String {
    let file = file(name, text);
    let error = Export::read(&file.path, Timestamp::from_micros(0)).unwrap_err().to_string();
    let folder = file.path.parent().unwrap().display().to_string();
    error.replace(&format!("{folder}/"), "")
}

const COMMA: &str = "id,Email,username,password,last_login,shoe size\n\
    1,a@b.example,ana,\"$argon2id$v=19$m=8,t=1,p=1$c$d\",2016-06-08T12:30:00Z,41\n\
    2,,bo,!,,\n\
    \n\
    3,\"c\nd\"\"@e.example\",,,,\n";

#[test]
fn a_table_is_read_whatever_its_delimiter() {
    let swapped = |delimiter: &str| {
        let hidden = COMMA.replace("$m=8,t=1,p=1$", "$m=8~t=1~p=1$");
        hidden.replace(',', delimiter).replace('~', ",")
    };
    let windows = format!("\u{feff}{}", COMMA.replace('\n', "\r\n"));
    for text in [COMMA.to_owned(), swapped(";"), swapped("\t"), windows] {
        let export = read("users.csv", &text);
        assert_eq!(ids_of(export.accounts()), ["1", "2", "3"], "{text}");
        let ana = export.by_id(&id("1")).unwrap();
        assert_eq!(ana.email.as_deref(), Some("a@b.example"));
        assert_eq!(
            ana.credential.as_ref().unwrap().hash().expose(),
            "$argon2id$v=19$m=8,t=1,p=1$c$d"
        );
        assert_eq!(ana.last_login_at.unwrap().to_string(), "2016-06-08T12:30:00Z");
        assert!(export.accounts()[1..].iter().all(|account| account.credential.is_none()));
        assert!(export.by_id(&id("4")).is_none());
    }
}

#[test]
fn json_lines_are_read_by_extension_or_first_byte() {
    let text = r#"{"id": 9007199254740993, "mail": "a@b.example", "hash": "$2b$x", "email_verified": true}

{"id": "b", "mail": null, "hash": null, "last_login": 1465389000, "tags": ["x"]}"#;
    for name in ["users.jsonl", "users.NDJSON", "users"] {
        let export = read(name, text);
        assert_eq!(ids_of(export.accounts()), ["9007199254740993", "b"]);
        let [first, second] = export.accounts() else { panic!() };
        assert_eq!(first.email_verified, Some(true));
        assert!(second.credential.is_none() && second.email.is_none());
        assert_eq!(second.last_login_at.unwrap().to_string(), "2016-06-08T12:30:00Z");
    }
}

#[test]
fn a_fields_own_name_wins_over_its_other_names() {
    let export = read("u.csv", "user_id,id,login,hash,password\n9,1,ana,own,other\n");
    let ana = export.by_id(&id("1")).unwrap();
    assert_eq!(ana.credential.as_ref().unwrap().hash().expose(), "own");
    assert_eq!(
        refusal("u.csv", "id,login,passwd,password\n"),
        "u.csv, line 1: `passwd` and `password` could both be the hash: rename the right one to hash"
    );
}

#[test]
fn columns_that_make_no_accounts_are_named() {
    assert_eq!(
        refusal("u.csv", ""),
        "u.csv, line 1: the file is empty: write a header and one line for each account"
    );
    assert_eq!(
        refusal("u.csv", "email,hash\n"),
        "u.csv, line 1: no column is called `id`, `account_id`, `user_id`; the columns are email, \
         hash: rename one"
    );
    let no_hash = refusal("u.csv", "id,email\n");
    assert!(no_hash.contains("no column is called `hash`, `password`"), "{no_hash}");
    let nobody = refusal("u.csv", "id,hash\n");
    assert!(nobody.contains("no column is called `email`"), "{nobody}");
    let json = refusal("u.jsonl", "{\"id\": 1, \"email\": \"a\", \"hash\": \"\"}\n{\"id\": 2}\n");
    assert!(json.starts_with("u.jsonl, line 2: no column is called `hash`"), "{json}");
}

#[test]
fn an_account_in_the_place_of_the_header_is_not_shown() {
    for line in [
        "1,ana,monkey\n",
        "ana,ana@example.org,monkey\n",
        "ana,ana,5f4dcc3b5aa765d61d8327deb882cf99\n",
        "ana,ana,$2b$12$Zm9vYmFyYmF6cXV4cXV1eO\n",
        "ana,ana,{SSHA}qdIbXpmwVYZdsZqjRqzKcQ\n",
    ] {
        assert_eq!(
            refusal("u.csv", line),
            "u.csv, line 1: no column is called `id`, `account_id`, `user_id`, and this line does \
             not look like names of columns: write a header, such as `id,email,hash`, before the \
             first account"
        );
    }
}

#[test]
fn a_bad_row_is_named_by_its_line_and_shows_no_hash() {
    let cases: [(&str, &[u8], &str); 9] = [
        (
            "u.csv",
            b"id,email,hash\r\n1,a,h\r\n\r\n,b,h\r\n",
            "u.csv, line 4: an account has no id: correct it",
        ),
        (
            "u.csv",
            b"id,email,hash\n1,\"a\nb\",h\n2,b,h\n1,c,h\n",
            "u.csv, line 5: account 1 stands in line 2 already: remove one of the two",
        ),
        (
            "u.csv",
            b"id,email,hash\n1,a,$argon2id$m=8,t=1$secret\n",
            "u.csv, line 2: 4 fields, but the header has 3: quote a value that holds a delimiter",
        ),
        (
            "u.csv",
            b"id,email,hash\n1,a,h\n2,\xFF,h\n",
            "u.csv, line 3: this is not UTF-8: save the file as UTF-8",
        ),
        (
            "u.csv",
            b"id,email,hash,last_login\n1,a,h,never\n",
            "u.csv, line 2: last_login_at of account 1 is `never`, which is not a moment (ISO 8601, \
             or seconds, milliseconds or microseconds since 1970, from 1990 to 2200): correct it",
        ),
        (
            "u.jsonl",
            b"{\"id\":1,\"email\":\"a\",\"hash\":\"secret}\n",
            "u.jsonl, line 1: column 35 is where this stops being a JSON object: write one for each \
             line",
        ),
        (
            "u.jsonl",
            b"\"$2b$secret\"\n",
            "u.jsonl, line 1: column 1 is where this stops being a JSON object: write one for each \
             line",
        ),
        (
            "u.jsonl",
            b"{\"id\":1.5,\"email\":\"a\",\"hash\":\"h\"}\n",
            "u.jsonl, line 1: the id is neither text nor a whole number nor null: write it in quotes",
        ),
        (
            "u.jsonl",
            b"{\"id\":1,\"email\":\"a\",\"hash\":[\"secret\"]}\n",
            "u.jsonl, line 1: the hash is neither text nor a whole number nor null: write it in \
             quotes",
        ),
    ];
    for (name, text, message) in cases {
        assert_eq!(refusal(name, text), message);
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let text = "id,email,hash\n\n1,\"a\nb\",h\n\n,c,h";
    for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("{text}\n")] {
        assert_eq!(refusal("u.csv", &text), "u.csv, line 6: an account has no id: correct it");
        let long = text.replace(",c,h", "1,2,3,4");
        assert!(refusal("u.csv", long).starts_with("u.csv, line 6: 4 fields"));
    }
    let first = refusal("u.csv", "id,email,hash\r\n,c,h\r\n");
    assert!(first.starts_with("u.csv, line 2: "), "{first}");
}

#[test]
fn a_stream_ends_with_the_first_error() {
    let file = file("u.csv", "id,email,hash\n1,a,h\n,b,h\n3,c,h\n");
    let items: Vec<_> = Export::stream(&file.path, Timestamp::from_micros(0)).collect();
    assert_eq!(items.len(), 2);
    assert!(items[0].is_ok() && items[1].is_err());
    let missing: Vec<_> =
        Export::stream("/nonexistent/users.csv", Timestamp::from_micros(0)).collect();
    let [Err(error)] = &missing[..] else { panic!() };
    assert!(error.to_string().starts_with("/nonexistent/users.csv could not be read: "));
}

#[tokio::test]
async fn an_export_is_a_directory_that_nothing_can_happen_to() {
    let export = read("users.csv", COMMA);
    let directory: &dyn Directory = &export;
    assert_eq!(directory.count().await.unwrap(), 3);
    let all: Vec<_> = directory.scan().try_collect().await.unwrap();
    assert_eq!(ids_of(&all), ["1", "2", "3"]);
    let found = directory.by_ids(&ids(&["3", "9", "3"])).await.unwrap();
    assert_eq!(ids_of(&found), ["3"]);
    let names = ["a@b.example", "bo"].map(str::to_owned);
    assert_eq!(ids_of(&directory.by_names(&names).await.unwrap()), ["1", "2"]);

    let capabilities = directory.capabilities();
    assert!(capabilities.can(Ability::Read) && capabilities.can(Ability::Tell));
    assert!(!capabilities.can(Ability::Seal) && !capabilities.can(Ability::RecordVerified));
    assert!(matches!(directory.lock(&id("1")).await, Err(WriteError::Copy)));
    assert!(matches!(directory.changed_since(None).await, Err(ReadError::NoChanges)));
    assert_eq!(directory.check().await.unwrap().without_password, 2);
}

#[test]
fn what_databases_write_for_nothing_says_nothing() {
    for nothing in ["NULL", "\\N"] {
        let text = format!(
            "id\temail\tusername\thash\tlast_login\temail_verified\n1\ta@b.example\t{nothing}\th\t\
             {nothing}\t{nothing}\n2\t{nothing}\tbo\t{nothing}\t2016-06-08\t2016-06-08\n"
        );
        let export = read("u.tsv", text);
        let [ana, bo] = export.accounts() else { panic!("{nothing}") };
        assert!(ana.username.is_none() && ana.last_login_at.is_none(), "{nothing}");
        assert_eq!(ana.email_verified, None, "{nothing}");
        assert!(bo.email.is_none() && bo.credential.is_none(), "{nothing}");
    }
    let named = read("u.csv", "id,username,hash\n1,None,None\n2,nil,h\n");
    let [none, nil] = named.accounts() else { panic!() };
    assert_eq!((none.username.as_deref(), nil.username.as_deref()), (Some("None"), Some("nil")));
    assert!(none.credential.is_none() && nil.credential.is_some());
}
