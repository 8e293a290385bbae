//! One more line in `directory.hash.forms`, with everything else in the file as it was.

use std::{fs, path::Path};

use model::HashFormat;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::{
    config::Config,
    files::{self, FileError},
    wiring,
};

/// Sets it in the environment, which wins over the file.
const VARIABLE: &str = "COUNTERSIGN_DIRECTORY_HASH_FORMS";

/// Adds a form, and then others, to those that the configuration's file names, or that follow from it.
pub(super) fn write_forms(
    config: &Config,
    form: HashFormat,
    others: &[String],
) -> Result<(), FormsError> {
    let new: Vec<_> = [form.to_string()].into_iter().chain(others.iter().cloned()).collect();
    if std::env::var_os(VARIABLE).is_some() {
        return Err(FormsError::Environment { form, lines: quoted(&new) });
    }
    let (file, failed) = (&config.file, |source| FormsError::File { form, source });
    let text =
        fs::read_to_string(file).map_err(|source| failed(FileError::writing(file, source)))?;
    let mut lines = wiring::form_lines(config);
    lines.extend(new.iter().cloned());
    let text = with_forms(&text, &lines);
    let text = text.ok_or_else(|| FormsError::NoTable { form, lines: quoted(&new) })?;
    replace(file, text.as_bytes()).map_err(failed)
}

fn quoted(lines: &[String]) -> String {
    lines.iter().map(|line| format!("`{line}`")).collect::<Vec<_>>().join(" and ")
}

/// Whoever could read the file before can do so still.
fn replace(file: &Path, text: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::writing(file, source);
    let readers = fs::metadata(file).map_err(failed)?.permissions();
    files::replace(file, text)?;
    fs::set_permissions(file, readers).map_err(failed)
}

/// The same file with these lines; `None` if it has something else where the table stands.
fn with_forms(text: &str, lines: &[String]) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let mut table = document.as_table_mut();
    for name in ["directory", "hash"] {
        let inner = table.entry(name).or_insert_with(|| {
            let mut new = Table::new();
            new.set_implicit(name == "directory");
            Item::Table(new)
        });
        table = inner.as_table_mut()?;
    }
    table["forms"] = value(lines.join("\n"));
    Some(document.to_string())
}

/// Why a form could not be written down.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormsError {
    #[error(
        "`{form}` fits, and {VARIABLE} wins over the file: add {lines} there, a line each, and run it \
         again"
    )]
    Environment { form: HashFormat, lines: String },
    #[error("`{form}` fits, and cannot be written down: {source}")]
    File { form: HashFormat, source: FileError },
    #[error(
        "`{form}` fits, and the file has no table `directory.hash` of the usual form: add {lines} to \
         `directory.hash.forms`, a line each, and run it again"
    )]
    NoTable { form: HashFormat, lines: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        with_forms(text, &lines).unwrap()
    }

    #[test]
    fn everything_else_stays_as_it_was() {
        let text = "# Ours.\n[directory]\npreset = \"generic\" # a table\n\n[directory.hash]\n\
                    # forms = \"\"\n\n[verify]\n";
        let new = written(text, &["meteor"]);
        for part in ["# Ours.", "# a table", "[directory.hash]", "forms = \"meteor\"", "[verify]"] {
            assert!(new.contains(part), "{part}: {new}");
        }
        let two = written(&new, &["meteor", "nodebb"]);
        let table: toml::Table = two.parse().unwrap();
        assert_eq!(table["directory"]["hash"]["forms"].as_str(), Some("meteor\nnodebb"));
        assert_eq!(two.matches("forms =").count(), 2, "the comment stays: {two}");
    }

    #[test]
    fn a_file_without_the_table_gets_one() {
        let table: toml::Table = written("", &["meteor"]).parse().unwrap();
        assert_eq!(table["directory"]["hash"]["forms"].as_str(), Some("meteor"));
        assert!(with_forms("directory = 3", &[]).is_none());
    }
}
