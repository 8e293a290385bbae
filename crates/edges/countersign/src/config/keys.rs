//! Every key of the configuration, as its schema lists them.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Settings;

/// The beginning of every environment variable that sets a key.
pub(crate) const ENVIRONMENT_PREFIX: &str = "COUNTERSIGN_";

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// `directory.columns.id`.
    pub(crate) path: String,
    /// What it is for.
    pub(crate) description: String,
    /// The value it has when nobody sets it, as TOML; `None` if it has none.
    pub(crate) default: Option<String>,
    /// What its value is.
    pub(crate) kind: SettingKind,
}

/// What the values of a setting are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingKind {
    Text,
    Integer,
    /// A table whose keys are the operator's.
    Names,
}

/// A table of the configuration: its path and what it is for.
#[derive(Debug)]
pub(crate) struct Table {
    /// `directory.columns`.
    pub(crate) path: String,
    /// What it is for.
    pub(crate) description: String,
    /// Its own keys.
    pub(crate) keys: Vec<Setting>,
}

impl Setting {
    /// The environment variable that sets it: `COUNTERSIGN_DIRECTORY_COLUMNS_ID`.
    pub(crate) fn environment_name(&self) -> String {
        environment_name(&self.path)
    }
}

/// The environment variable that sets a key of this path.
pub(super) fn environment_name(path: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", path.replace('.', "_").to_uppercase())
}

/// Every table, in the order of the file.
pub(crate) fn tables() -> Vec<Table> {
    let generator = SchemaSettings::default().with(|s| s.inline_subschemas = true).into_generator();
    let schema = generator.into_root_schema_for::<Settings>().to_value();
    let mut tables = Vec::new();
    collect(&schema, "", &mut tables);
    tables
}

/// Every key, in the order of the file.
pub(crate) fn keys() -> Vec<Setting> {
    tables().into_iter().flat_map(|table| table.keys).collect()
}

fn collect(schema: &Value, path: &str, tables: &mut Vec<Table>) {
    let (nested, leaves): (Vec<_>, Vec<_>) =
        properties(schema).into_iter().flatten().partition(|(_, schema)| is_table(schema));
    if !leaves.is_empty() {
        let keys = leaves.into_iter().map(|(name, schema)| key(path, name, schema)).collect();
        tables.push(Table { path: path.to_owned(), description: description(schema), keys });
    }
    for (name, schema) in nested {
        collect(schema, &joined(path, name), tables);
    }
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

fn is_table(schema: &Value) -> bool {
    properties(schema).is_some()
}

fn key(table: &str, name: &str, schema: &Value) -> Setting {
    Setting {
        path: joined(table, name),
        description: description(schema),
        default: schema.get("default").and_then(as_toml),
        kind: kind(schema),
    }
}

fn kind(schema: &Value) -> SettingKind {
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => SettingKind::Integer,
        Some("object") => SettingKind::Names,
        _ => SettingKind::Text,
    }
}

fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

fn as_toml(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn joined(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_key_says_what_it_is_for() {
        for key in keys() {
            assert!(!key.description.is_empty(), "{} has no description", key.path);
        }
    }

    #[test]
    fn no_two_keys_share_an_environment_variable() {
        let names: Vec<_> = keys().iter().map(Setting::environment_name).collect();
        let distinct: HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.contains(&"COUNTERSIGN_DIRECTORY_COLUMNS_ID".to_owned()));
    }
}
