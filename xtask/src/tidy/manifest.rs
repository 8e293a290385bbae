//! Who may depend on whom. The folder of a crate is its floor.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::shell::{ChoreResult, root};

/// The floors, from the ground up: a crate knows crates of the floors below its own.
const FLOORS: &[&str] = &["domain", "storage", "operations", "edges"];

/// Of their floors, these stand in this order, each knowing those before it. Any other crate stands
/// above these, and knows no other.
const ORDER_WITHIN_FLOORS: &[&[&str]] = &[
    &["model"],
    &["failpoint"],
    &["private_file"],
    &["sql"],
    &["instance"],
    &["exposure"],
    &["outbox"],
    &["campaigns"],
    &["recoveries"],
    &["web", "witness", "worker"],
];

/// The crate that speaks with databases for all others.
const SQL_CRATE: &str = "sql";
const SQL_LIBRARY: &str = "sqlx";

/// The truth that the program is held against. Like all that stands apart from the floors it knows
/// nothing of them, or a misunderstanding could be on both sides.
const TRUTH_CRATE: &str = "demo";
const TRUTH_USER: &str = "countersign";

/// Crates that anybody's tests may use.
const TEST_CRATE: &str = "testkit";

/// What matters here of a crate's `Cargo.toml`.
pub(crate) struct Manifest {
    pub(crate) folder: PathBuf,
    floor: String,
    name: String,
    /// Each with whether only tests use it.
    dependencies: Vec<(String, bool)>,
    inherits_lints: bool,
}

/// The manifests of all crates of the workspace.
pub(crate) fn workspace() -> ChoreResult<Vec<Manifest>> {
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
    let broken = manifests.iter().flat_map(|manifest| {
        let name = &manifest.name;
        let lints = (!manifest.inherits_lints)
            .then(|| format!("{name} does not inherit the workspace's lints"));
        let dependencies = manifest.dependencies.iter();
        let layers = dependencies.filter_map(move |(dependency, for_tests)| {
            let inner = manifests.iter().find(|other| other.name == *dependency);
            let broken = match inner {
                Some(inner) => broken_layer(manifest, inner, *for_tests),
                None => broken_library(manifest, dependency),
            };
            broken.map(|rule| format!("{name} depends on {dependency}: {rule}"))
        });
        lints.into_iter().chain(layers)
    });
    broken.collect()
}

/// The rule that one crate of the workspace breaks by its dependency on another.
fn broken_layer(of: &Manifest, on: &Manifest, for_tests: bool) -> Option<&'static str> {
    match on.name.as_str() {
        TEST_CRATE => return (!for_tests).then_some("only tests may"),
        TRUTH_CRATE => {
            return (of.name != TRUTH_USER).then_some("only the program that shows it may");
        }
        _ => {}
    }
    let (Some(floor), Some(other)) = (of.floor(), on.floor()) else {
        return Some("one of them stands apart from the floors");
    };
    let below = other < floor;
    let same = other == floor && (for_tests || on.place() < of.place());
    (!below && !same).then_some("it is not below")
}

fn broken_library(of: &Manifest, library: &str) -> Option<&'static str> {
    let broken = library == SQL_LIBRARY && of.name != SQL_CRATE;
    broken.then_some("only sql may")
}

impl Manifest {
    fn floor(&self) -> Option<usize> {
        FLOORS.iter().position(|floor| *floor == self.floor)
    }

    /// Where it stands within its floor.
    fn place(&self) -> usize {
        let order = ORDER_WITHIN_FLOORS;
        let place = order.iter().position(|crates| crates.contains(&self.name.as_str()));
        place.unwrap_or(order.len())
    }
}

fn read(folder: &Path) -> ChoreResult<Manifest> {
    let text = fs::read_to_string(folder.join("Cargo.toml"))?;
    Ok(parse(folder, &text))
}

/// Reads as much of TOML as our manifests use: sections, and a key at the start of a line.
fn parse(folder: &Path, text: &str) -> Manifest {
    let last = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut manifest = Manifest {
        folder: folder.to_owned(),
        floor: folder.parent().map(last).unwrap_or_default(),
        name: last(folder),
        dependencies: Vec::new(),
        inherits_lints: false,
    };
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

    const OTHERS: &[&str] = &[
        "domain/model",
        "domain/leak",
        "storage/sql",
        "storage/store",
        "operations/exposure",
        "operations/outbox",
        "edges/web",
        "apart/demo",
        "apart/testkit",
    ];

    #[track_caller]
    fn check(folder: &str, section: &str, dependency: &str, expected: Option<&str>) {
        let lints = "\n[lints]\nworkspace = true\n";
        let others = OTHERS.iter().map(|folder| parse(Path::new(folder), lints));
        let text = format!("[{section}]\n{dependency}.workspace = true\n{lints}");
        let manifests: Vec<_> = others.chain([parse(Path::new(folder), &text)]).collect();
        let name = folder.rsplit('/').next().unwrap();
        let expected = expected.map(|rule| format!("{name} depends on {dependency}: {rule}"));
        assert_eq!(broken_rules(&manifests), Vec::from_iter(expected));
    }

    #[test]
    fn a_crate_knows_the_floors_below() {
        let above = Some("it is not below");
        check("storage/directory", "dependencies", "leak", None);
        check("edges/countersign", "dependencies", "model", None);
        check("storage/directory", "dependencies", "outbox", above);
        check("domain/recovery", "dependencies", "store", above);
        check("domain/recovery", "dev-dependencies", "store", above);
    }

    #[test]
    fn a_floor_has_its_own_order() {
        let above = Some("it is not below");
        check("domain/recovery", "dependencies", "model", None);
        check("domain/recovery", "dependencies", "leak", above);
        check("domain/recovery", "dev-dependencies", "leak", None);
        check("storage/directory", "dependencies", "sql", None);
        check("storage/directory", "dependencies", "store", above);
        check("operations/campaigns", "dependencies", "outbox", None);
        check("operations/instance", "dependencies", "exposure", above);
        check("edges/worker", "dependencies", "web", above);
        check("edges/countersign", "dependencies", "web", None);
    }

    #[test]
    fn sql_stays_where_it_is() {
        let elsewhere = Some("only sql may");
        check("storage/sql", "dependencies", "sqlx", None);
        check("storage/directory", "dependencies", "sqlx", elsewhere);
        check("operations/campaigns", "dev-dependencies", "sqlx", elsewhere);
    }

    #[test]
    fn the_truth_is_told_by_a_stranger() {
        let apart = Some("one of them stands apart from the floors");
        check("apart/sim", "dependencies", "model", apart);
        check("edges/countersign", "dependencies", "demo", None);
        check("edges/worker", "dependencies", "demo", Some("only the program that shows it may"));
    }

    #[test]
    fn nothing_ships_with_the_test_kit() {
        check("domain/recovery", "dev-dependencies", "testkit", None);
        check("domain/recovery", "dependencies", "testkit", Some("only tests may"));
    }

    #[test]
    fn lints_are_inherited() {
        let broken = broken_rules(&[parse(Path::new("domain/leak"), "")]);
        assert_eq!(broken, ["leak does not inherit the workspace's lints"]);
    }
}
