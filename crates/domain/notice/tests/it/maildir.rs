//! The embedded default.

use std::{fs, os::unix::fs::symlink, path::Path};

use notice::{DeliveryOutcome, Maildir};

use crate::facts::{notice_to, raw};

fn files(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

async fn deliver(folder: &Path, id: i64) -> DeliveryOutcome {
    let maildir = Maildir::open(folder).unwrap();
    maildir.deliver(&notice_to("jane@example.net", id)).await
}

#[tokio::test]
async fn a_second_delivery_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (new, cur) = (folder.path().join("new"), folder.path().join("cur"));
    for _ in 0..2 {
        assert!(matches!(deliver(folder.path(), 1).await, DeliveryOutcome::Accepted { .. }));
        assert_eq!(files(&new).len(), 1);
    }
    let name = files(&new).remove(0);
    // A mail program has shown it to its reader.
    fs::rename(new.join(&name), cur.join(format!("{name}:2,S"))).unwrap();
    assert!(matches!(deliver(folder.path(), 1).await, DeliveryOutcome::Accepted { .. }));
    assert!(files(&new).is_empty());
    assert!(matches!(deliver(folder.path(), 2).await, DeliveryOutcome::Accepted { .. }));
    assert_eq!(files(&new).len(), 1);
    assert!(files(&folder.path().join("tmp")).is_empty());
}

#[tokio::test]
async fn a_stored_message_has_its_envelope_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(folder.path()).unwrap();
    let message = raw("jane@example.net", "../../x", "y\r\n");
    assert!(matches!(maildir.deliver(&message).await, DeliveryOutcome::Accepted { .. }));
    let name = files(&folder.path().join("new")).remove(0);
    let stored = fs::read(folder.path().join("new").join(name)).unwrap();
    let envelope = "Return-Path: <a@example.org>\r\nDelivered-To: jane@example.net\r\n";
    assert_eq!(stored, [envelope.as_bytes(), message.bytes()].concat());
}

#[tokio::test]
async fn a_folder_that_is_gone_is_a_failure_before_the_dot() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(folder.path()).unwrap();
    drop(folder);
    let outcome = maildir.deliver(&notice_to("jane@example.net", 1)).await;
    assert!(matches!(outcome, DeliveryOutcome::FailedBeforeDot { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_folder_that_nothing_can_be_put_into_says_so_before() {
    for part in ["tmp", "new", "cur"] {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path()).unwrap();
        maildir.try_storing().await.unwrap();
        for emptied in ["tmp", "new", "cur"] {
            assert!(files(&folder.path().join(emptied)).is_empty(), "{emptied} is as it was");
        }
        fs::remove_dir(folder.path().join(part)).unwrap();
        let refused = maildir.try_storing().await.unwrap_err().to_string();
        assert!(refused.contains(folder.path().to_str().unwrap()), "{refused}");
        if part != "cur" {
            // Nobody, not even root, makes a file there.
            symlink("/proc", folder.path().join(part)).unwrap();
            maildir.try_storing().await.unwrap_err();
        }
    }
}
