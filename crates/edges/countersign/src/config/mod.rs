//! Reads the configuration: the file first, then the environment over it.

mod directory_settings;
mod keys;
mod period;
mod reference;
mod renamed;
mod sense;
mod settings;

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};
use zeroize::Zeroizing;

pub(crate) use directory_settings::{ColumnSettings, DirectorySettings, PepperSetting, Preset};
pub(crate) use reference::{reference, template};
pub(crate) use settings::{RecoveryMode, Settings, TransportSetting, VerifySettings};

use keys::{ENVIRONMENT_PREFIX, Setting, SettingKind};

/// The file that is read when none is named.
pub(crate) const DEFAULT_FILE: &str = "countersign.toml";

/// Names another file.
pub(crate) const FILE_VARIABLE: &str = "COUNTERSIGN_CONFIG";

/// Holds the instance key itself.
pub(crate) const KEY_VARIABLE: &str = "COUNTERSIGN_INSTANCE_KEY";

/// Checked settings, and where they came from.
pub(crate) struct Config {
    pub(crate) file: PathBuf,
    pub(crate) settings: Settings,
    /// The instance key, where the environment holds it.
    pub(crate) key: Option<Zeroizing<String>>,
}

impl Config {
    /// Reads the named file, or the one in the present folder, and the environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let file = file.map_or_else(default_file, Path::to_owned);
        let text = fs::read_to_string(&file)
            .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
        let environment: Vec<_> = env::vars().filter(|(name, _)| is_ours(name)).collect();
        let settings = parse(&file, &text, &environment)?;
        let variables = environment.len();
        tracing::debug!(file = %file.display(), variables, "the configuration is read");
        Ok(Self { file, settings, key: env::var(KEY_VARIABLE).ok().map(Zeroizing::new) })
    }

    /// Takes this text for the file, and nothing from the environment: whatever is set there is
    /// meant for another instance.
    pub(crate) fn alone(file: &Path, text: &str) -> Result<Self, ConfigError> {
        Ok(Self { file: file.to_owned(), settings: parse(file, text, &[])?, key: None })
    }

    /// A path of the configuration, relative to its file's folder.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    /// The folder that the file stands in.
    pub(crate) fn folder(&self) -> &Path {
        match self.file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// A database address; `sqlite:` paths are relative to the file's folder.
    pub(crate) fn database_url(&self, url: &str) -> String {
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                format!("sqlite:{}", self.resolve(path.trim_start_matches("//")).display())
            }
            None => url.to_owned(),
        }
    }
}

/// The key is for nobody's eyes.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, settings, .. } = self;
        f.debug_struct("Config")
            .field("file", file)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}

fn default_file() -> PathBuf {
    env::var_os(FILE_VARIABLE).map_or_else(|| DEFAULT_FILE.into(), PathBuf::from)
}

fn is_ours(name: &str) -> bool {
    name.starts_with(ENVIRONMENT_PREFIX) && name != FILE_VARIABLE && name != KEY_VARIABLE
}

fn parse(
    file: &Path,
    text: &str,
    environment: &[(String, String)],
) -> Result<Settings, ConfigError> {
    let keys = keys::keys();
    let mut table: Table = text.parse().map_err(|error| syntax(file, text, &error))?;
    check_known(&table, "", &keys).map_err(|key| unknown_key(file, &key, &keys))?;
    for (name, value) in environment {
        overlay(&mut table, name, value, &keys)?;
    }
    let invalid = |key: String, reason: String| {
        let origin = origin(file, &key, environment, &keys);
        ConfigError::Invalid { origin, key, reason }
    };
    let settings = serde_path_to_error::deserialize(Value::Table(table))
        .map_err(|error| invalid(error.path().to_string(), error.inner().message().to_owned()))?;
    sense::check(&settings).map_err(|wrong| invalid(wrong.key.to_owned(), wrong.reason))?;
    Ok(settings)
}

/// The first key that no setting has.
fn check_known(table: &Table, path: &str, keys: &[Setting]) -> Result<(), String> {
    for (name, value) in table {
        let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let inner = format!("{here}.");
        match value {
            Value::Table(table) if keys.iter().any(|key| key.path.starts_with(&inner)) => {
                check_known(table, &here, keys)?;
            }
            _ if keys.iter().any(|key| key.path == here || key.path.starts_with(&inner)) => {}
            // A table with another name today: one of its keys says more than the table.
            Value::Table(table) if renamed::new_table(&here).is_some() && !table.is_empty() => {
                check_known(table, &here, keys)?;
            }
            _ => return Err(here),
        }
    }
    Ok(())
}

fn unknown_key(file: &Path, key: &str, keys: &[Setting]) -> ConfigError {
    if let Some(new) = renamed::new_name(key, keys) {
        return ConfigError::renamed(file.display().to_string(), key, &new);
    }
    let table = key.rsplit_once('.').map_or("", |(table, _)| table);
    let inside = |key: &&Setting| key.path.rsplit_once('.').map_or("", |(table, _)| table) == table;
    let known: Vec<_> = keys.iter().filter(inside).map(|key| key.path.as_str()).collect();
    ConfigError::UnknownKey {
        file: file.to_owned(),
        key: key.to_owned(),
        known: if known.is_empty() { table_names(keys) } else { known.join(", ") },
    }
}

fn table_names(keys: &[Setting]) -> String {
    let mut names: Vec<_> = keys.iter().filter_map(|key| key.path.split('.').next()).collect();
    names.dedup();
    names.join(", ")
}

fn overlay(
    table: &mut Table,
    name: &str,
    value: &str,
    keys: &[Setting],
) -> Result<(), ConfigError> {
    let key = keys.iter().find(|key| key.environment_name() == name);
    let key = key.ok_or_else(|| unknown_variable(name, keys))?;
    let invalid = |what: &str| ConfigError::Invalid {
        origin: format!("environment variable {name}"),
        key: key.path.clone(),
        reason: format!("`{}` is no {what}", value.escape_debug()),
    };
    let value = match key.kind {
        SettingKind::Text => Value::String(value.to_owned()),
        SettingKind::Integer => Value::Integer(value.parse().map_err(|_| invalid("integer"))?),
        SettingKind::Names => names(value).ok_or_else(|| invalid("table such as { a = \"b\" }"))?,
    };
    insert(table, &key.path, value);
    Ok(())
}

/// A table on one line.
fn names(text: &str) -> Option<Value> {
    let mut table = format!("names = {text}").parse::<Table>().ok()?;
    table.remove("names").filter(Value::is_table)
}

fn unknown_variable(name: &str, keys: &[Setting]) -> ConfigError {
    match renamed::new_variable(name, keys) {
        Some(new) => ConfigError::renamed("environment".to_owned(), name, &new),
        None => ConfigError::UnknownVariable { name: name.to_owned() },
    }
}

fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// The line itself is not shown: it may hold a password.
fn syntax(file: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    ConfigError::Syntax { file: file.to_owned(), line, reason: error.message().to_owned() }
}

/// Whether a bad value came from the environment or from the file.
fn origin(file: &Path, path: &str, environment: &[(String, String)], keys: &[Setting]) -> String {
    let variable = keys.iter().find(|key| key.path == path).map(Setting::environment_name);
    let set = environment.iter().find(|(name, _)| Some(name) == variable.as_ref());
    match set {
        Some((name, _)) => format!("environment variable {name}"),
        None => file.display().to_string(),
    }
}

/// Why the configuration cannot be used: file, key and reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error(
        "{}: {source}; `countersign init` writes one, --config or {FILE_VARIABLE} names another",
        file.display()
    )]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: not valid TOML: {reason}", file.display())]
    Syntax { file: PathBuf, line: usize, reason: String },
    #[error("{}: `{key}`: no such setting; there are {known}", file.display())]
    UnknownKey { file: PathBuf, key: String, known: String },
    #[error("{origin}: `{old}` is called `{new}` now{}", if *has_unit { ", and takes a duration such as \"30s\"" } else { "" })]
    Renamed { origin: String, old: String, new: String, has_unit: bool },
    #[error("environment variable {name}: no such setting; docs/configuration.md lists them all")]
    UnknownVariable { name: String },
    #[error("{origin}: `{key}`: {reason}")]
    Invalid { origin: String, key: String, reason: String },
}

impl ConfigError {
    /// Where a number of seconds was meant, a duration is now.
    fn renamed(origin: String, old: &str, new: &str) -> Self {
        let has_unit = old.to_lowercase().ends_with("_seconds");
        Self::Renamed { origin, old: old.to_owned(), new: new.to_owned(), has_unit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment: Vec<_> = environment.iter().map(own).collect();
        parse(Path::new("site.toml"), text, &environment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "[directory]\npreset = 'generic'\n[directory.columns]\nid = 'uid'";
        let settings = read(text, &[("COUNTERSIGN_DIRECTORY_COLUMNS_ID", "key")]).unwrap();
        assert_eq!(settings.directory.preset, Preset::Generic);
        assert_eq!(settings.directory.columns.id.as_deref(), Some("key"));
        let settings = read("", &[("COUNTERSIGN_STORE_CONNECTIONS_MAX", "3")]).unwrap();
        assert_eq!(settings.store.connections_max.get(), 3);
    }

    #[test]
    fn an_error_names_file_key_and_reason() {
        assert_eq!(
            read("[store]\nurll = 'x'", &[]).unwrap_err(),
            "site.toml: `store.urll`: no such setting; there are store.url, store.connections_max"
        );
        let error = read("[store]\nurl = 3", &[]).unwrap_err();
        assert!(error.starts_with("site.toml: `store.url`: invalid type: integer"), "{error}");
        let error = read("[directory]\npreset = 'joomla'", &[]).unwrap_err();
        assert!(error.starts_with("site.toml: `directory.preset`: unknown variant"), "{error}");
        let error = read("", &[("COUNTERSIGN_VERIFY_BCRYPT_COST_MAX", "many")]).unwrap_err();
        let expected = "environment variable COUNTERSIGN_VERIFY_BCRYPT_COST_MAX: \
                        `verify.bcrypt_cost_max`: `many` is no integer";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_misspelt_variable_is_an_error() {
        let error = read("", &[("COUNTERSIGN_STORE_ULR", "x")]).unwrap_err();
        assert!(error.starts_with("environment variable COUNTERSIGN_STORE_ULR: no such setting"));
    }

    #[test]
    fn whoever_writes_an_old_name_is_told_the_new_one() {
        for (text, expected) in [
            ("[work]\nlanes = 3", "`work.lanes` is called `worker.concurrency` now"),
            ("[look]", "`look` is called `branding` now"),
            ("[look]\naccent = '#000000'", "`look.accent` is called `branding.accent` now"),
            (
                "[worker]\nlease_seconds = 3",
                "`worker.lease_seconds` is called `worker.lease` now, and takes a duration such \
                 as \"30s\"",
            ),
        ] {
            assert_eq!(read(text, &[]).unwrap_err(), format!("site.toml: {expected}"));
        }
        assert_eq!(
            read("", &[("COUNTERSIGN_SMTP_HELLO", "mx")]).unwrap_err(),
            "environment: `COUNTERSIGN_SMTP_HELLO` is called `COUNTERSIGN_SMTP_EHLO_NAME` now"
        );
    }

    #[test]
    fn an_old_listener_is_answered_with_the_new_one() {
        assert_eq!(
            read("[serve]\nlisten = '127.0.0.1:1'", &[]).unwrap_err(),
            "site.toml: `serve.listen` is called `serve.people.listen` now"
        );
        assert_eq!(
            read("", &[("COUNTERSIGN_SERVE_TRUSTED_PROXY", "10.0.0.1")]).unwrap_err(),
            "environment: `COUNTERSIGN_SERVE_TRUSTED_PROXY` is called \
             `COUNTERSIGN_SERVE_PEOPLE_TRUSTED_PROXY` now"
        );
        let settings = read("[serve.people]\nlisten = '127.0.0.1:1'", &[]).unwrap();
        assert_eq!(settings.serve.people.listen, "127.0.0.1:1");
        assert_eq!(settings.serve.operators.listen, None);
    }

    #[test]
    fn settings_that_make_no_sense_together_are_refused() {
        let mode = "[directory.hash]\npepper_mode = 'append'";
        let error = read(mode, &[]).unwrap_err();
        assert!(error.starts_with("site.toml: `directory.hash.pepper_mode`: "), "{error}");
        assert!(error.contains("set `directory.hash.pepper_file`"), "{error}");
        assert!(read(&format!("{mode}\npepper_file = 'pepper'"), &[]).is_ok());
        let pieces = [("COUNTERSIGN_WORKER_PIECE_BYTES", "0")];
        let error = read("", &pieces).unwrap_err();
        let named = "environment variable COUNTERSIGN_WORKER_PIECE_BYTES: `worker.piece_bytes`: 0";
        assert!(error.starts_with(named), "{error}");
    }

    #[test]
    fn columns_beside_the_hash_are_named() {
        let text = "[directory.hash.columns]\nsalt = 'password_salt'";
        let salt = |settings: Settings| settings.directory.hash.columns["salt"].clone();
        assert_eq!(salt(read(text, &[]).unwrap()), "password_salt");
        let variable = |value| [("COUNTERSIGN_DIRECTORY_HASH_COLUMNS", value)];
        let set = variable("{ salt = 'other' }");
        assert_eq!(salt(read(text, &set).unwrap()), "other");
        let error = read("", &variable("salt")).unwrap_err();
        assert!(error.contains("`directory.hash.columns`: `salt` is no table such as"), "{error}");
    }

    #[test]
    fn a_table_to_write_to_has_an_id() {
        let error = read("[directory.write]\ntable = 'secrets'", &[]).unwrap_err();
        assert!(error.contains("`directory.write.id`: "), "{error}");
    }

    #[test]
    fn a_duration_has_a_unit() {
        let settings = read("[worker]\nlease = '1m 30s'", &[]).unwrap();
        assert_eq!(settings.worker.lease.get(), std::time::Duration::from_secs(90));
        let error = read("", &[("COUNTERSIGN_WORKER_LEASE", "90")]).unwrap_err();
        assert!(error.contains("`worker.lease`: `90` is no duration: write a number"), "{error}");
    }

    #[test]
    fn the_template_is_the_default_configuration() {
        let settings = read(&template(&[]), &[]).unwrap();
        assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
    }
}
