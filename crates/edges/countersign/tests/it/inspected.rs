//! What files look like is told before there is any store, and nothing that stands in them is.

use std::fs;

use serde_json::json;

use crate::harness::{Run, program, program_for_people};

const LEAKED: &str = "ana@example.org:hunter2\nbo@example.org:pa:ss\nhttps://h.example:8443/p:c@example.org:s3cret\n";

#[test]
fn files_are_described_and_what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), LEAKED).unwrap();
    fs::write(folder.path().join("b.zip"), b"PK\x03\x04\x14\0").unwrap();
    let run: Run = program(["leak", "inspect"]).arg(folder.path()).output().unwrap().into();
    assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let [read, unread] = &report["files"].as_array().unwrap()[..] else { panic!("{report}") };
    let found = &read["inspection"];
    assert_eq!((&found["lines"], &found["with_secret"]), (&json!(3), &json!(3)));
    assert_eq!(found["forms"][0], json!({ "form": "address_secret", "lines": 2 }));
    assert!(unread["unread"].as_str().unwrap().contains("a zip archive"), "{unread}");

    let arguments = ["leak", "inspect"];
    let run = program_for_people().args(arguments).arg(folder.path()).output().unwrap();
    let shown = String::from_utf8(run.stdout).unwrap();
    for expected in ["<web address>:<address>:<text>", "NOT READ", "about 3"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    for secret in ["hunter2", "pa:ss", "s3cret", "ana@"] {
        assert!(!shown.contains(secret) && !report.to_string().contains(secret), "{secret}");
    }
}
