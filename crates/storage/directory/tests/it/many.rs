use std::{env, fs, process::Command};

use futures_util::TryStreamExt;

use crate::site::{Site, small};

const ACCOUNTS: u64 = 1_000_000;

/// A tenth of what the accounts would take if they were all held.
const GROWTH_MAX_KIB: u64 = 32 << 10;

/// In a process of its own: what other tests use at the same time would count too.
#[test]
fn a_million_accounts_are_read_in_bounded_memory() {
    let mut alone = Command::new(env::current_exe().unwrap());
    let ended = alone.args(["many::alone", "--exact", "--ignored"]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("1 passed"));
}

#[tokio::test]
#[ignore = "the test above runs it"]
async fn alone() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
            &format!(
                "INSERT INTO users WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                 WHERE i < {ACCOUNTS}) SELECT i, 'person.' || i || '@example.org', \
                 'pbkdf2_sha256$1000000$' || i || '$u4nNNFYRdgMVkNPLHtDnMvBVRLTPWx3S4vbd5oUzo8M=' \
                 FROM n"
            ),
        ])
        .await;
        let directory = site.open(small()).await;
        let before = kib("VmRSS");
        // From here on the high-water mark counts anew.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let counted = directory.scan().try_fold(0, async |count, account| {
            Ok(count + u64::from(account.credential.is_some()))
        });
        assert_eq!(counted.await.unwrap(), ACCOUNTS);
        let growth = kib("VmHWM").saturating_sub(before);
        assert!(growth < GROWTH_MAX_KIB, "grew by {growth} KiB on {}", site.url);
    }
}

fn kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
