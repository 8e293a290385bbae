//! Settings that had another name once. Whoever still uses it is told the new one.

use super::keys::{Setting, environment_name};

/// Tables, old and new.
const TABLES: &[(&str, &str)] = &[("look", "branding"), ("work", "worker")];

/// Keys, old and new, in the tables of today.
const KEYS: &[(&str, &str)] = &[
    ("recovery.at", "recovery.mode"),
    ("serve.certificate_file", "serve.people.certificate_file"),
    ("serve.key_file", "serve.people.key_file"),
    ("serve.listen", "serve.people.listen"),
    ("serve.trusted_proxy", "serve.people.trusted_proxy"),
    ("smtp.command_seconds", "smtp.command_timeout"),
    ("smtp.end_of_data_seconds", "smtp.end_of_data_timeout"),
    ("smtp.hello", "smtp.ehlo_name"),
    ("worker.lanes", "worker.concurrency"),
    ("worker.lease_seconds", "worker.lease"),
];

/// What a key or a table is called now.
pub(super) fn new_name(old: &str, keys: &[Setting]) -> Option<String> {
    let key = keys.iter().find(|key| old_paths(&key.path).iter().any(|path| path == old));
    key.map(|key| key.path.clone()).or_else(|| new_table(old).map(str::to_owned))
}

/// The environment variable that an old one has become.
pub(super) fn new_variable(old: &str, keys: &[Setting]) -> Option<String> {
    let had_it =
        |key: &&Setting| old_paths(&key.path).iter().any(|path| environment_name(path) == old);
    keys.iter().find(had_it).map(Setting::environment_name)
}

/// What a table is called now.
pub(super) fn new_table(old: &str) -> Option<&'static str> {
    TABLES.iter().find(|(name, _)| *name == old).map(|(_, new)| *new)
}

/// All names that a key once had, those included that were never used together.
fn old_paths(path: &str) -> Vec<String> {
    let renamed = KEYS.iter().filter(|(_, new)| *new == path).map(|(old, _)| (*old).to_owned());
    let mut paths: Vec<_> = renamed.collect();
    for (old, new) in TABLES {
        let inside = paths.iter().map(String::as_str).chain([path]);
        let moved = inside.filter_map(|path| path.strip_prefix(new)?.strip_prefix('.'));
        let moved: Vec<_> = moved.map(|key| format!("{old}.{key}")).collect();
        paths.extend(moved);
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::keys;

    #[test]
    fn every_new_name_is_a_setting_and_no_old_one_is() {
        let keys = keys();
        let is_key = |path: &str| keys.iter().any(|key| key.path == path);
        for (old, new) in KEYS {
            assert!(is_key(new), "{new}");
            assert!(!is_key(old), "{old}");
        }
        for (old, new) in TABLES {
            let is_table = |name: &str| keys.iter().any(|key| key.path.starts_with(name));
            assert!(is_table(&format!("{new}.")), "{new}");
            assert!(!is_table(&format!("{old}.")), "{old}");
        }
    }

    #[test]
    fn a_key_is_found_by_each_of_its_old_names() {
        let keys = keys();
        for old in ["work.lanes", "worker.lanes", "work.concurrency"] {
            assert_eq!(new_name(old, &keys).as_deref(), Some("worker.concurrency"), "{old}");
        }
        let lease = new_variable("COUNTERSIGN_WORK_LEASE_SECONDS", &keys);
        assert_eq!(lease.as_deref(), Some("COUNTERSIGN_WORKER_LEASE"));
        assert_eq!(new_name("worker.concurrency", &keys), None);
    }
}
