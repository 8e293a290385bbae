//! Who may depend on whom.

use std::{fs, path::Path};

use crate::shell::{Outcome, root};

/// The only crates that know SQL.
const SQL_CRATES: &[&str] = &["directory", "sql", "store"];
const SQL_LIBRARY: &str = "sqlx";

/// Crates that decide or compute: of the workspace they know `model` alone.
const DOMAIN_CRATES: &[&str] =
    &["authority", "campaign", "corpus", "leak", "ledger", "notice", "password", "recovery"];

/// The only domain crate that others' tests may use: what they act on must really be signed.
const SIGNING_CRATE: &str = "authority";

/// The truth that the program is held against: it knows nothing of it, or a misunderstanding could
/// be on both sides.
const TRUTH_CRATE: &str = "demo";

/// Crates that anybody's tests may use.
const TEST_CRATE: &str = "testkit";

/// What matters here of a crate's `Cargo.toml`.
pub(crate) struct Manifest {
    name: String,
    /// Each with whether only tests use it.
    dependencies: Vec<(String, bool)>,
    inherits_lints: bool,
}

/// The manifests of all crates of the workspace.
pub(crate) fn workspace() -> Outcome<Vec<Manifest>> {
    let mut folders = vec![root().join("xtask")];
    for floor in fs::read_dir(root().join("crates"))? {
        for entry in fs::read_dir(floor?.path())? {
            folders.push(entry?.path());
        }
    }
    folders.sort();
    folders.iter().map(|folder| read(folder)).collect()
}

/// A sentence for each rule that a manifest breaks.
pub(crate) fn broken_rules(manifests: &[Manifest]) -> Vec<String> {
    let names: Vec<_> = manifests.iter().map(|manifest| manifest.name.as_str()).collect();
    let broken = manifests.iter().flat_map(|manifest| {
        let lints = (!manifest.inherits_lints)
            .then(|| format!("{} does not inherit the workspace's lints", manifest.name));
        lints.into_iter().chain(broken_layers(manifest, &names))
    });
    broken.collect()
}

fn broken_layers(manifest: &Manifest, workspace: &[&str]) -> Vec<String> {
    let name = manifest.name.as_str();
    let mut broken = Vec::new();
    for (dependency, for_tests) in &manifest.dependencies {
        let dependency = dependency.as_str();
        if dependency == SQL_LIBRARY && !SQL_CRATES.contains(&name) {
            broken.push(format!("{name} depends on {SQL_LIBRARY}: only {SQL_CRATES:?} may"));
        }
        let inner = workspace.contains(&dependency);
        let for_anybodys_tests = [TEST_CRATE, SIGNING_CRATE].contains(&dependency);
        let allowed = dependency == "model" || (*for_tests && for_anybodys_tests);
        if DOMAIN_CRATES.contains(&name) && inner && !allowed {
            broken.push(format!("{name} is a domain crate and depends on {dependency}"));
        }
        if name == TRUTH_CRATE && inner {
            broken
                .push(format!("{name} depends on {dependency}, which it is to tell the truth of"));
        }
        if dependency == TEST_CRATE && !for_tests {
            broken.push(format!("{name} depends on {TEST_CRATE} outside its tests"));
        }
    }
    broken
}

fn read(folder: &Path) -> Outcome<Manifest> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(folder.join("Cargo.toml"))?;
    Ok(parse(&name, &text))
}

/// Reads as much of TOML as our manifests use: sections, and a key at the start of a line.
fn parse(name: &str, text: &str) -> Manifest {
    let mut manifest =
        Manifest { name: name.to_owned(), dependencies: Vec::new(), inherits_lints: false };
    let mut section = "";
    for line in text.lines().map(str::trim) {
        let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
        if let Some(title) = line.strip_prefix('[') {
            section = title.trim_end_matches(']');
        } else if section == "lints" && line == "workspace = true" {
            manifest.inherits_lints = true;
        } else if section.ends_with("dependencies") && is_name(key) {
            let for_tests = section.ends_with("dev-dependencies");
            manifest.dependencies.push((key.to_owned(), for_tests));
        }
    }
    manifest
}

fn is_name(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "\n[lints]\nworkspace = true\n";

    #[track_caller]
    fn check(name: &str, sections: &str, expected: &[&str]) {
        let others = ["authority", "model", "store", "testkit"].map(|name| parse(name, LINTS));
        let mut manifests = Vec::from(others);
        manifests.push(parse(name, sections));
        assert_eq!(broken_rules(&manifests), expected);
    }

    #[test]
    fn sql_stays_where_it_is() {
        let sqlx = format!("[dependencies]\nsqlx.workspace = true\n{LINTS}");
        check("sql", &sqlx, &[]);
        let broken = r#"service depends on sqlx: only ["directory", "sql", "store"] may"#;
        check("service", &sqlx, &[broken]);
    }

    #[test]
    fn a_domain_crate_knows_model_alone() {
        let tests = format!("[dev-dependencies]\ntestkit.workspace = true\n{LINTS}");
        check("leak", &tests, &[]);
        let signing = format!("[dev-dependencies]\nauthority.workspace = true\n{LINTS}");
        check("campaign", &signing, &[]);
        let store =
            format!("[dependencies]\nmodel.workspace = true\nstore = {{ path = \"\" }}\n{LINTS}");
        check("leak", &store, &["leak is a domain crate and depends on store"]);
        check("service", &store, &[]);
    }

    #[test]
    fn the_truth_is_told_by_a_stranger() {
        let model = format!("[dependencies]\nmodel.workspace = true\n{LINTS}");
        check("demo", &model, &["demo depends on model, which it is to tell the truth of"]);
    }

    #[test]
    fn nothing_ships_with_the_test_kit() {
        let broken = "service depends on testkit outside its tests";
        check("service", &format!("[dependencies]\ntestkit.workspace = true\n{LINTS}"), &[broken]);
    }

    #[test]
    fn lints_are_inherited() {
        check("service", "", &["service does not inherit the workspace's lints"]);
    }
}
