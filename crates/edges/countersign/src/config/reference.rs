//! What is written out of the schema: the template of `init`, and the page of the manual.

use std::fmt::Write as _;

use super::keys::{Setting, Table, tables};

/// Columns of the template's comments.
const COMMENT_WIDTH: usize = 96;

/// A commented configuration file. Keys are commented out, with their defaults, but for those
/// that `set` gives a value (as TOML).
pub(crate) fn template(set: &[(&str, String)]) -> String {
    let mut text =
        String::from("# Countersign's configuration. `countersign config check` checks it.\n");
    text.push_str(
        "# Every key can also be set by the environment: store.url by COUNTERSIGN_STORE_URL.\n",
    );
    for table in tables() {
        text.push_str(&table_template(&table, set));
    }
    text
}

fn table_template(table: &Table, set: &[(&str, String)]) -> String {
    let mut text = format!("\n{}[{}]\n", comment(&table.description), table.path);
    for key in &table.keys {
        let _ = write!(text, "\n{}{}\n", comment(&key.description), line(key, set));
    }
    text
}

fn line(key: &Setting, set: &[(&str, String)]) -> String {
    let name = key.path.rsplit('.').next().unwrap_or(&key.path);
    match set.iter().find(|(path, _)| *path == key.path) {
        Some((_, value)) => format!("{name} = {value}"),
        None => format!("# {name} = {}", key.default.as_deref().unwrap_or("\"\"")),
    }
}

fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.len() + 1 + word.len() > COMMENT_WIDTH {
            lines.push(format!("# {word}"));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

/// The manual's page about the configuration, in Markdown.
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Written by `cargo xtask docs` from the source. `countersign init` writes a commented file; \
         `countersign config check` checks one. The environment wins over the file. Relative paths \
         are relative to the file's folder. An unknown key is an error.\n",
    );
    for table in tables() {
        let _ = write!(text, "\n## `[{}]`\n\n{}\n\n", table.path, table.description);
        text.push_str("| key | default | environment | what it is for |\n|---|---|---|---|\n");
        table.keys.iter().for_each(|key| text.push_str(&row(key)));
    }
    text
}

fn row(key: &Setting) -> String {
    let name = key.path.rsplit('.').next().unwrap_or(&key.path);
    let default = key.default.as_ref().map(|value| format!("`{value}`")).unwrap_or_default();
    let description = key.description.replace('|', "\\|");
    format!("| `{name}` | {default} | `{}` | {description} |\n", key.environment_name())
}
