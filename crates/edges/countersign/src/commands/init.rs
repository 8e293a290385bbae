use model::InstanceKind;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use instance::{InstanceKey, create_instance};
use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    ambient::{SystemClock, SystemRandomness},
    cli::{Init, PresetName},
    config::{Config, DEFAULT_FILE, Settings, template},
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
    const fn of(arguments: &Init) -> Self {
        match (arguments.preset, arguments.rehearsal) {
            (PresetName::Embedded, true) => Self::Rehearsed,
            (PresetName::Embedded, false) => Self::Copy,
            _ => Self::Site,
        }
    }
}

#[derive(Serialize)]
struct InstanceMade {
    instance: String,
    kind: String,
    directory: DirectoryMade,
    config_file: String,
    key_file: String,
}

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Init,
) -> Result<Done, CommandFailure> {
    check_arguments(arguments)?;
    let files = Files::of(arguments)?;
    let key = InstanceKey::generate(&SystemRandomness);
    files.write(&key, arguments)?;

    let config = Config::load(Some(&files.config))?;
    let store = wiring::store(&config).await?;
    store.migrate().await?;
    let kind = if arguments.rehearsal { InstanceKind::Rehearsal } else { InstanceKind::Site };
    let instance = create_instance(&store, &key, kind, &SystemClock, &SystemRandomness).await?;
    let made = InstanceMade {
        instance,
        kind: kind.to_string(),
        directory: DirectoryMade::of(arguments),
        config_file: files.config.display().to_string(),
        key_file: files.key.display().to_string(),
    };
    context.output.result("countersign.init/1", &made, for_people)?;
    Ok(Done::Whole)
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

    fn write(&self, key: &InstanceKey, arguments: &Init) -> Result<(), InitError> {
        let failed = |source| InitError::Write { file: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        write_new(&self.key, format!("{}\n", *key.to_text()).as_bytes())?;
        write_new(&self.config, template(&settings(arguments)).as_bytes())
    }
}

fn for_people(made: &InstanceMade) -> String {
    let InstanceMade { instance, kind, directory, config_file, key_file } = made;
    let directory = match directory {
        DirectoryMade::Site => "",
        DirectoryMade::Rehearsed => REHEARSED,
        DirectoryMade::Copy => COPY,
    };
    format!(
        "Made the {kind} instance {instance}.\n\n{directory}\
         {config_file}  what to look at next: the section [directory]\n\
         {key_file}  keep a copy apart from every backup of the store; without it the store is lost\n\n\
         Then: countersign --config {config_file} doctor\n"
    )
}

/// The keys that the template is to set, as TOML.
fn settings(arguments: &Init) -> Vec<(&'static str, String)> {
    let text = |text: &str| toml::Value::from(text).to_string();
    let mut settings = Vec::new();
    if let Some(url) = &arguments.store {
        settings.push(("store.url", text(url)));
    }
    let preset = match arguments.preset {
        PresetName::Embedded => "embedded",
        PresetName::Django => "django",
        PresetName::Generic => "generic",
    };
    settings.push(("directory.preset", text(preset)));
    if let Some(url) = &arguments.directory {
        settings.push(("directory.url", text(url)));
    }
    settings
}

fn check_arguments(arguments: &Init) -> Result<(), InitError> {
    match (arguments.preset, &arguments.directory) {
        (PresetName::Embedded, Some(_)) => Err(InitError::NeedlessDirectory),
        (PresetName::Django | PresetName::Generic, None) => Err(InitError::NoDirectory),
        _ => Ok(()),
    }
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
    #[error("--preset django and --preset generic need --directory, the site's database")]
    NoDirectory,
    #[error("--directory needs --preset django or --preset generic")]
    NeedlessDirectory,
}
