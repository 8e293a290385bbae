use model::InstanceKind;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use directory::{FoundPreset, SiteTables, TablesError};
use instance::{InstanceKey, create_instance};
use serde::Serialize;
use url::Url;

use super::{CommandContext, CommandFailure};
use crate::{
    ambient::{SystemClock, SystemRandomness},
    cli::Init,
    config::{Config, ConfigError, DEFAULT_FILE, Preset, Settings, template},
    files::{self, FileError},
    output::Done,
    wiring,
};

/// What can be done with accounts that are imported.
const COPY: &str = "Its directory is embedded: a copy of your accounts, filled by `account import`. \
                    They can be searched and\nplanned for; to seal them, a campaign needs your own \
                    table (`directory.preset`, `directory.write_url`).\n\n";
const REHEARSED: &str = "Its directory is embedded: accounts that `account import` puts there are this \
                         rehearsal's own. Sealing\nthem changes nothing at any site.\n\n";

/// Whose accounts an instance works on.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum DirectoryMade {
    Site,
    Copy,
    Rehearsed,
}

impl DirectoryMade {
    const fn of(preset: Preset, is_rehearsal: bool) -> Self {
        match (preset, is_rehearsal) {
            (Preset::Embedded, true) => Self::Rehearsed,
            (Preset::Embedded, false) => Self::Copy,
            _ => Self::Site,
        }
    }
}

#[derive(Serialize)]
struct InstanceMade {
    instance: String,
    kind: String,
    directory: DirectoryMade,
    preset: Preset,
    /// What the site's tables have told.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
    /// Tables besides those of the preset that may hold accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<TableNotRead>,
    /// Why nobody knows whether there are such.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_looked_at: Option<String>,
    config_file: String,
    key_file: String,
}

/// A table that looks as if it held passwords of accounts, and where in it they are.
#[derive(Serialize)]
struct TableNotRead {
    table: String,
    column: String,
}

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Init,
) -> Result<Done, CommandFailure> {
    let arguments = &with_environment(arguments)?;
    let files = Files::of(arguments)?;
    let site = site(arguments, &files.config).await?;
    let key = InstanceKey::generate(&SystemRandomness);
    files.write(&key, &settings(arguments, &site))?;

    let config = Config::load(Some(&files.config))?;
    let store = wiring::store(&config).await?;
    store.migrate().await?;
    let kind = if arguments.rehearsal { InstanceKind::Rehearsal } else { InstanceKind::Site };
    let instance = create_instance(&store, &key, kind, &SystemClock, &SystemRandomness).await?;
    let made = InstanceMade {
        instance,
        kind: kind.to_string(),
        directory: DirectoryMade::of(site.preset, arguments.rehearsal),
        preset: site.preset,
        found: site.found,
        not_read: site.not_read,
        not_looked_at: site.not_looked_at,
        config_file: files.config.display().to_string(),
        key_file: files.key.display().to_string(),
    };
    context.output.result("countersign.init/1", &made, for_people)?;
    Ok(Done::Whole)
}

/// A site's address that holds a password is given by the environment: whatever stands on the command line
/// everybody on this host can read.
fn with_environment(arguments: &Init) -> Result<Init, InitError> {
    refuse_password("--directory", arguments.directory.as_deref(), DIRECTORY_VARIABLE)?;
    refuse_password("--store", arguments.store.as_deref(), STORE_VARIABLE)?;
    let mut arguments = arguments.clone();
    if arguments.preset != Some(Preset::Embedded) {
        arguments.directory = arguments.directory.or_else(|| env::var(DIRECTORY_VARIABLE).ok());
    }
    Ok(arguments)
}

const DIRECTORY_VARIABLE: &str = "COUNTERSIGN_DIRECTORY_URL";
const STORE_VARIABLE: &str = "COUNTERSIGN_STORE_URL";

fn refuse_password(
    option: &'static str,
    url: Option<&str>,
    variable: &'static str,
) -> Result<(), InitError> {
    let url = url.and_then(|url| Url::parse(url).ok());
    let holds_password =
        |url: &Url| url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password");
    match url.filter(holds_password) {
        Some(_) => Err(InitError::PasswordShown { option, variable }),
        None => Ok(()),
    }
}

/// What is written into the folder, and does not exist yet.
struct Files {
    folder: PathBuf,
    config: PathBuf,
    key: PathBuf,
}

impl Files {
    fn of(arguments: &Init) -> Result<Self, InitError> {
        let (folder, defaults) = (arguments.folder.clone(), Settings::default());
        let (config, key) = (folder.join(DEFAULT_FILE), folder.join(&defaults.instance.key_file));
        refuse_existing(&config)?;
        refuse_existing(&key)?;
        refuse_existing_store(arguments, &folder, &defaults)?;
        Ok(Self { folder, config, key })
    }

    fn write(
        &self,
        key: &InstanceKey,
        settings: &[(&'static str, String)],
    ) -> Result<(), InitError> {
        let failed = |source| InitError::Write { file: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        write_new(&self.key, format!("{}\n", *key.to_text()).as_bytes())?;
        write_new(&self.config, template(settings).as_bytes())
    }
}

fn for_people(made: &InstanceMade) -> String {
    let InstanceMade { instance, kind, directory, found, config_file, key_file, .. } = made;
    let found = found.as_ref().map_or_else(String::new, |found| format!("{found}\n\n"));
    let others = others(made);
    let directory = match directory {
        DirectoryMade::Site => "",
        DirectoryMade::Rehearsed => REHEARSED,
        DirectoryMade::Copy => COPY,
    };
    format!(
        "Made the {kind} instance {instance}.\n\n{directory}{found}{others}\
         {config_file}  what to look at next: the section [directory]\n\
         {key_file}  keep a copy apart from every backup of the store; without it the store is lost\n\n\
         Then: countersign --config {config_file} doctor\n"
    )
}

/// What of the site's database is not read, and what to do.
fn others(made: &InstanceMade) -> String {
    if let Some(reason) = &made.not_looked_at {
        return format!(
            "Whether other tables there hold accounts as well is not known: {reason}\n\n"
        );
    }
    let shown = |TableNotRead { table, column }: &TableNotRead| format!("{table} ({column})");
    match made.not_read.iter().map(shown).collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => none,
        tables => format!(
            "not read: {tables}. If people sign in with passwords of these tables as well, make another \
             instance\nfor each, or let `directory.query` read all of them.\n\n"
        ),
    }
}

/// The keys that the template is to set, as TOML.
fn settings(arguments: &Init, site: &SiteFound) -> Vec<(&'static str, String)> {
    let text = |text: &str| toml::Value::from(text).to_string();
    let mut settings = vec![("directory.preset", text(&site.preset.name()))];
    let given = [
        ("store.url", &arguments.store),
        ("directory.url", &arguments.directory),
        ("directory.prefix", &site.prefix),
    ];
    let given = given.into_iter().filter_map(|(key, value)| Some((key, text(value.as_ref()?))));
    settings.extend(given);
    settings
}

/// Whose tables the site has.
struct SiteFound {
    preset: Preset,
    /// Where it is not the preset's own.
    prefix: Option<String>,
    found: Option<String>,
    not_read: Vec<TableNotRead>,
    not_looked_at: Option<String>,
}

/// What was asked for, or else what the tables tell.
async fn site(arguments: &Init, config: &Path) -> Result<SiteFound, InitError> {
    match (arguments.preset, &arguments.directory) {
        (Some(Preset::Embedded), Some(_)) => Err(InitError::NeedlessDirectory),
        (None | Some(Preset::Embedded), None) => Ok(SiteFound::given(Preset::Embedded, None)),
        (Some(_), None) => Err(InitError::NoDirectory),
        (Some(preset), Some(url)) => {
            let site = SiteFound::given(preset, arguments.prefix.clone());
            Ok(site.beside(tables(url, config).await.as_ref()))
        }
        (None, Some(url)) => {
            let tables = tables(url, config).await?;
            Ok(SiteFound::told_by(&tables)?.beside(Ok(&tables)))
        }
    }
}

async fn tables(url: &str, config: &Path) -> Result<SiteTables, InitError> {
    let config = Config::alone(config, "").map_err(Box::new)?;
    Ok(SiteTables::read(&config.database_url(url)).await?)
}

impl SiteFound {
    const fn given(preset: Preset, prefix: Option<String>) -> Self {
        Self { preset, prefix, found: None, not_read: Vec::new(), not_looked_at: None }
    }

    /// The same with what stands beside the preset's tables. A preset that was named needs no look at the
    /// database, which may not be there yet.
    fn beside(mut self, tables: Result<&SiteTables, &InitError>) -> Self {
        match (tables, self.preset.of_site()) {
            (Ok(tables), Some(preset)) => {
                let unread = tables.unread(preset, self.prefix.as_deref());
                let owned = |(table, column): (&str, &str)| TableNotRead {
                    table: table.to_owned(),
                    column: column.to_owned(),
                };
                self.not_read = unread.map(owned).collect();
            }
            (Err(error), _) => self.not_looked_at = Some(error.to_string()),
            (Ok(_), None) => {}
        }
        self
    }

    fn told_by(tables: &SiteTables) -> Result<Self, InitError> {
        let fitting: Vec<_> = tables.presets().collect();
        let none = || InitError::NoPreset { likely: likely(tables) };
        let (first, others) = fitting.split_first().ok_or_else(none)?;
        if others.iter().any(|other| other.table() != first.table()) {
            return Err(InitError::SeveralTables { found: choices(&fitting) });
        }
        let FoundPreset { preset: found, prefix } = *first;
        let others: Vec<_> = others.iter().map(|other| other.preset.name).collect();
        let preset = <Preset as ValueEnum>::from_str(found.name, true).map_err(|_| none())?;
        let prefix = Some(prefix).filter(|prefix| *prefix != found.prefix).map(str::to_owned);
        let told = told(found.name, prefix.as_deref(), &others);
        Ok(Self { found: Some(told), ..Self::given(preset, prefix) })
    }
}

/// Each table that may hold the accounts, and what names it.
fn choices(fitting: &[FoundPreset<'_>]) -> String {
    let mut choices: Vec<(String, String)> = Vec::new();
    for found @ FoundPreset { preset, prefix } in fitting {
        let table = found.table();
        if choices.iter().all(|(known, _)| *known != table) {
            let prefix = if *prefix == preset.prefix { "" } else { &format!(" --prefix {prefix}") };
            choices.push((table, format!("--preset {}{prefix}", preset.name)));
        }
    }
    let choices = choices.into_iter().map(|(table, named)| format!("{table} ({named})"));
    choices.collect::<Vec<_>>().join(", ")
}

fn told(preset: &str, prefix: Option<&str>, others: &[&str]) -> String {
    let prefix =
        prefix.map_or_else(String::new, |it| format!(" with names that begin with `{it}`"));
    let others = match others {
        [] => String::new(),
        others => format!(" They fit {} as well (--preset).", others.join(", ")),
    };
    format!("The site's tables are those of {preset}{prefix}: that preset is set.{others}")
}

fn likely(tables: &SiteTables) -> String {
    let shown = |(table, columns): (&str, Vec<&str>)| format!("{table} ({})", columns.join(", "));
    let likely: Vec<_> = tables.likely().map(shown).collect();
    if likely.is_empty() { "none of them looks so".to_owned() } else { likely.join("; ") }
}

fn refuse_existing(file: &Path) -> Result<(), InitError> {
    if file.symlink_metadata().is_ok() {
        return Err(InitError::Exists { file: file.to_owned() });
    }
    Ok(())
}

/// An embedded store that is there already belongs to a key that is not the one made here.
fn refuse_existing_store(
    arguments: &Init,
    folder: &Path,
    defaults: &Settings,
) -> Result<(), InitError> {
    let url = arguments.store.as_deref().unwrap_or(&defaults.store.url);
    match url.strip_prefix("sqlite:") {
        Some(path) => refuse_existing(&folder.join(path)),
        None => Ok(()),
    }
}

/// Only the owner may read the key, and the configuration: a database's address in it may hold a
/// password.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), InitError> {
    Ok(files::create(file, bytes)?)
}

#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error("{} is there already; `init` overwrites nothing", file.display())]
    Exists { file: PathBuf },
    #[error("{} cannot be written: {source}", file.display())]
    Write { file: PathBuf, source: io::Error },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "the address of {option} holds a password, which everybody on this host can read in the list of \
         processes: set {variable} to it in the environment, leave {option} out, and change the password if \
         others use this host"
    )]
    PasswordShown { option: &'static str, variable: &'static str },
    #[error("this preset needs --directory, the site's database")]
    NoDirectory,
    #[error("--preset embedded is a copy in the store, and needs no --directory")]
    NeedlessDirectory,
    #[error(transparent)]
    Tables(#[from] TablesError),
    #[error(transparent)]
    Config(#[from] Box<ConfigError>),
    #[error(
        "the tables there are those of no preset. Tables that may hold accounts: {likely}. Run this \
         again with --preset generic, and then set `directory.table` and `directory.columns`, or \
         `directory.query`: docs/recipes.md has examples"
    )]
    NoPreset { likely: String },
    #[error(
        "several tables there may be the site's accounts: {found}. Run this again with what stands beside \
         the one that they are; the other ones are not looked at"
    )]
    SeveralTables { found: String },
}
