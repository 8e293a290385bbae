use std::{fs, io::Write as _, path::PathBuf};

use directory::{Ability, Directory, Export, ReadError, WriteError};
use flate2::{Compression, write::GzEncoder};
use futures_util::{StreamExt, TryStreamExt};
use model::Timestamp;
use proptest::prelude::*;
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

/// Why it is refused, or what is wrong with its first line at fault, without the folder.
fn refusal(name: &str, text: impl AsRef<[u8]>) -> String {
    let file = file(name, text);
    let error = match Export::read(&file.path, Timestamp::from_micros(0)) {
        Ok(export) => export.faults()[0].clone(),
        Err(error) => error.to_string(),
    };
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
        "u.csv, line 1: `passwd` and `password` could both be the hash: let the right one alone be called hash"
    );
    let doubled = refusal("u.csv", "id,email,hash,Hash\n");
    assert!(doubled.contains("`hash` and `Hash` could both be the hash"), "{doubled}");
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

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn what_holds_a_table_is_unwrapped() {
    let marked = format!("\u{feff}{COMMA}");
    let windows = marked.replace('\n', "\r\n");
    for bytes in [
        gzip(COMMA.as_bytes()),
        [gzip(&COMMA.as_bytes()[..40]), gzip(&COMMA.as_bytes()[40..])].concat(),
        gzip(&utf16(&marked, u16::to_le_bytes)),
        utf16(&marked, u16::to_le_bytes),
        utf16(&windows, u16::to_be_bytes),
        format!("sep=,\n{COMMA}").into_bytes(),
        format!("\u{feff}sep=;\r\n{}", COMMA.replace("$m=8,t=1,p=1$", "$m=8$").replace(',', ";"))
            .into_bytes(),
        COMMA.replace("$m=8,t=1,p=1$", "$m=8$").replace(',', "|").into_bytes(),
    ] {
        let export = read("users", &bytes);
        assert_eq!(ids_of(export.accounts()), ["1", "2", "3"], "{:?}", &bytes[..20]);
        assert_eq!(export.accounts()[0].email.as_deref(), Some("a@b.example"));
        assert!(export.accounts()[0].credential.is_some());
    }
    let lines = utf16("\u{feff}{\"id\":1,\"mail\":\"a@b\",\"hash\":\"x\"}\r\n", u16::to_le_bytes);
    assert_eq!(ids_of(read("users", lines).accounts()), ["1"]);
    assert!(refusal("u", "sep=;\nid;email;hash\n1;a;h\n;b;h\n").starts_with("u, line 4: "));
}

#[test]
fn what_is_no_table_is_called_by_its_name() {
    let hash = "$2b$04$yOGrsFj5ACLCNTJ6UjydF.TcEcrabrLX4wJ.rpTcRZF5p88cSKJ3m";
    let array = format!("[{{\"id\": 1, \"email\": \"a@x.example\", \"hash\": \"{hash}\"}}]");
    let psql = format!(" id | email | hash\n----+-------+------\n  1 | a@b | {hash}\n(1 row)\n");
    let mysql = format!("+----+-----+\n| id | hash |\n+----+-----+\n|  1 | {hash} |\n");
    let markdown = format!("| id | email | hash |\n|---|---|---|\n| 1 | a | {hash} |\n");
    let insert = format!("INSERT INTO `users` VALUES (1,'a@b','{hash}');\n");
    let (bare, marked) = (utf16(COMMA, u16::to_le_bytes), format!("\u{feff}{array}"));
    let cases: [(&[u8], &str); 16] = [
        (array.as_bytes(), "a JSON array"),
        (marked.as_bytes(), "a JSON array"),
        (b"[\n  {\n", "a JSON array"),
        (psql.as_bytes(), "a table drawn for people"),
        (mysql.as_bytes(), "a table drawn for people"),
        (markdown.as_bytes(), "a table drawn for people"),
        (insert.as_bytes(), "a dump of a database"),
        (b"-- MySQL dump 10.13\n--\n", "a dump of a database"),
        (b"--\n-- PostgreSQL database dump\n", "a dump of a database"),
        (b"PGDMP\x01\x0e", "a dump of a database"),
        (b"PK\x03\x04\x14\0", "a zip archive, or a spreadsheet"),
        (b"\x28\xb5\x2f\xfd\x04", "packed in a way"),
        (&gzip(&gzip(b"id,email,hash\n")), "packed in a way"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"<?xml version=\"1.0\"?>\n<users>\n", "HTML or XML"),
        (&bare, "UTF-16 without the mark"),
    ];
    for (bytes, name) in cases {
        let refusal = refusal("users.csv", bytes);
        assert!(refusal.starts_with(&format!("users.csv is {name}")), "{refusal}");
        assert!(!refusal.contains("$2b$"), "{refusal}");
    }
    let unaligned = refusal("u", "id|email|hash\n1|a|h\n(1 row)\n");
    assert!(unaligned.starts_with("u, line 3: this is psql's count of rows"), "{unaligned}");
}

#[test]
fn what_exports_write_for_nothing_is_nothing() {
    for (nothing, delimiter) in
        [("NULL", "\t"), ("\\N", "\t"), ("NULL", ","), ("None", ";"), ("nil", "|")]
    {
        let row = |fields: [&str; 5]| fields.join(delimiter).replace('~', nothing) + "\n";
        let table = row(["id", "email", "username", "hash", "last_login"])
            + &row(["1", "a@b", "~", "h", "2024-05-01 10:00:00"])
            + &row(["2", "~", "quill", "~", "~"])
            + &row(["3", "c@d", "\"~\"", "\"~\"", "~"]);
        let export = read("users", &table);
        let [first, second, third] = export.accounts() else { panic!("{table}") };
        assert_eq!(first.username, None, "{table}");
        assert!(second.email.is_none() && second.credential.is_none(), "{table}");
        assert!(second.last_login_at.is_none(), "{table}");
        assert_eq!(third.username.as_deref(), Some(nothing), "quoted, it is somebody's name");
        assert!(third.credential.is_some(), "{table}");
    }
    let nobody = refusal("u", "id,email,hash\nNULL,a,h\n");
    assert_eq!(nobody, "u, line 2: an account has no id: correct it");
}

#[test]
fn blanks_that_fill_a_column_up_are_no_part_of_it() {
    let text = "id,email,hash\n1   ,a@b.example  ,$2b$04$x     \n2,\"c@d  \",\"h   \"\n";
    let export = read("users.csv", text);
    let hashes =
        export.accounts().iter().map(|one| one.credential.as_ref().unwrap().hash().expose());
    assert_eq!(hashes.collect::<Vec<_>>(), ["$2b$04$x", "h"]);
    assert_eq!(ids_of(export.accounts()), ["1", "2"]);
    assert_eq!(export.accounts()[0].email.as_deref(), Some("a@b.example"));
    let lines = read("users.jsonl", "{\"id\":1,\"email\":\"a\",\"hash\":\"$1$x   \"}\n");
    assert_eq!(lines.accounts()[0].credential.as_ref().unwrap().hash().expose(), "$1$x");
}

/// Long enough that no message holds it by chance.
const SECRET_HASH: &str = "$2b$04$yOGrsFj5ACLCNTJ6UjydF.TcEcrabrLX4wJ.rpTcRZF5p88cSKJ3m";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if testkit::full() { 20_000 } else { 400 }))]
    #[test]
    fn no_bytes_make_it_panic_or_show_a_hash(
        begin in prop::sample::select(vec![
            "", "id,email,hash\n", "sep=;\nid;email;hash;active\n", "hash|id|email|last_login\n", "{\"id\":1,",
            "\u{feff}id\temail\thash\temail_verified\n",
        ]),
        pieces in prop::collection::vec(prop_oneof![
            Just(SECRET_HASH.to_owned()),
            "[,;|\t\n\"\r{}\\[\\]:=]{1,3}",
            "(NULL|\\\\N|1|a@b|true|2024-05-01)",
            any::<String>(),
        ], 0..24),
        is_utf16 in any::<bool>(),
    ) {
        let text = begin.to_owned() + &pieces.concat();
        let bytes = if is_utf16 { utf16(&text, u16::to_le_bytes) } else { text.into_bytes() };
        let file = file("users.csv", bytes);
        let faults = match Export::read(&file.path, Timestamp::from_micros(0)) {
            Ok(export) => export.faults().to_vec(),
            Err(error) => vec![error.to_string()],
        };
        for fault in faults {
            prop_assert!(!fault.contains(&SECRET_HASH[7..29]), "{}", fault);
        }
    }
}

/// As where a header has its names in another order.
#[test]
fn a_hash_in_the_column_of_the_id_is_not_shown() {
    let file = file("u.csv", format!("id,email,hash,active\n{SECRET_HASH},a@b,h,perhaps\n"));
    let error = Export::read(&file.path, Timestamp::from_micros(0)).unwrap_err().to_string();
    assert!(error.contains("line 2: active of account (not shown"), "{error}");
    assert!(!error.contains(&SECRET_HASH[7..29]), "{error}");
}

#[test]
fn a_line_at_fault_keeps_no_other_from_being_read() {
    let lines = "{\"id\":1,\"mail\":\"a@b\",\"hash\":\"h\"}\n\"h\"\n".to_owned()
        + &format!("{{\"id\":2,\"mail\":\"{}\"}}\n", "x".repeat(2 << 20))
        + "{\"id\":3,\"mail\":\"c@d\",\"hash\":\"h\"}\n";
    let export = read("u.jsonl", lines);
    assert_eq!((ids_of(export.accounts()).join(" "), export.faults().len()), ("1 3".into(), 2));
    assert!(export.faults()[1].contains("line 3: the line has more than"), "{:?}", export.faults());
    let rows = b"id,email,hash,active\n1,a@b,h,1\n,c@d,h,1\n3,e@f,h,1,,\n4,\xFF@g,h,1\n5,i@j,h,1\n"
        .as_slice();
    let export = read("u.csv", rows);
    assert_eq!((ids_of(export.accounts()).join(" "), export.faults().len()), ("1 5".into(), 3));
    let file = file("u.csv", rows);
    let items: Vec<_> = Export::stream(&file.path, Timestamp::from_micros(0)).collect();
    let is_read = items.iter().map(Result::is_ok);
    assert_eq!(is_read.collect::<Vec<_>>(), [true, false, false, false, true]);
}

#[test]
fn an_account_of_which_something_cannot_be_read_is_unreadable() {
    let text = "id,email,hash,active,second_factor\n1,a@b,h,perhaps,2024-05-01\n2,c@d,h,1,\n";
    let export = read("u.csv", text);
    let [first, second] = export.accounts() else { panic!() };
    assert_eq!((first.unreadable, second.unreadable), (Some("active"), None));
    assert_eq!(first.second_factor, Some(false), "no clock is past it");
    assert!(export.faults()[0].contains("line 2: active of account 1 is `perhaps`"));
    let twice = read("u.csv", "id,email,hash\n1,a@b,h\n2,c@d,h\n1,e@f,h\n");
    let [first, second] = twice.accounts() else { panic!() };
    assert_eq!((first.unreadable, second.unreadable), (Some("id"), None));
    assert_eq!(twice.faults().len(), 1);
}

#[tokio::test]
async fn a_line_that_makes_no_account_is_counted() {
    let export = read("u.csv", "id,email,hash\n1,a@b,h\n,c@d,h\n");
    assert_eq!(export.count().await.unwrap(), 2);
    let rows: Vec<_> = export.scan().collect().await;
    assert!(rows[0].is_ok() && rows[1].as_ref().is_err_and(ReadError::is_of_row));
    let counted = export.check().await.unwrap().accounts;
    assert_eq!((counted.all, counted.unreadable), (2, 1));
    assert!(counted.unreadable_first.unwrap().contains("line 3"));
}

/// Nobody knows how many accounts are in it.
#[test]
fn a_row_that_swallows_others_ends_the_reading() {
    let head = "id,email,hash\n1,a@b,h\n";
    for (rows, why) in [
        ("2,\"c@d,h\n3,e@f,h\n", "fields, but the header has 3"),
        ("2,c@d,\"h\n3,e@f,h\n", "its hash holds line breaks and other fields"),
    ] {
        let refusal = refusal("u.csv", format!("{head}{rows}"));
        assert!(refusal.starts_with("u.csv, line 3: this row goes on over "), "{refusal}");
        assert!(refusal.contains(why), "{refusal}");
    }
    let wrapped = read("u.csv", format!("{head}2,c@d,\"aGFz\naA==\"\n"));
    assert!(wrapped.faults().is_empty());
}

#[test]
fn what_is_wrong_with_every_line_is_the_files_fault() {
    let lines = |good: usize, bad: usize| {
        let ids = (0..good).map(|id| format!("{id},a@b,h,1\n"));
        let text: String = ids.chain((0..bad).map(|_| ",a@b,h,1\n".to_owned())).collect();
        refusal("u.csv", format!("id,email,hash,active\n{text}"))
    };
    assert_eq!(lines(0, 3), "u.csv, line 2: an account has no id: correct it");
    assert!(lines(1, 10_001).contains("More than 10000 lines are at fault"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
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
    assert_eq!(directory.check().await.unwrap().accounts.without_password, 2);
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
}
