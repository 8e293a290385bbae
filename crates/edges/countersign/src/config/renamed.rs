//! Settings that had another name once. Whoever still uses it is told the new one.

use super::keys::environment_name;

/// Old names, each with the new one.
const RENAMED: &[(&str, &str)] = &[
    ("serve.listen", "serve.people.listen"),
    ("serve.certificate_file", "serve.people.certificate_file"),
    ("serve.key_file", "serve.people.key_file"),
    ("serve.trusted_proxy", "serve.people.trusted_proxy"),
];

/// What a setting is called now.
pub(super) fn new_name(old: &str) -> Option<&'static str> {
    let found = RENAMED.iter().find(|(name, _)| *name == old);
    found.map(|(_, new)| *new)
}

/// The environment variable that an old one has become.
pub(super) fn new_variable(old: &str) -> Option<String> {
    let found = RENAMED.iter().find(|(name, _)| environment_name(name) == old);
    found.map(|(_, new)| environment_name(new))
}
