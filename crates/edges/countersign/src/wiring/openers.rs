//! What is opened and read before anything else can be put together.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use authority::{Roster, RosterDigest};
use directory::Directory;
use exposure::EmbeddedDirectory;
use instance::{Instance, InstanceKey, InstanceOptions, RestoreTarget};
use model::{InstanceKind, Secret};
use password::{CostLimits, HashForms, Verifier};
use store::{Store, StoreError, StoreOptions};
use zeroize::Zeroizing;

use crate::{
    ambient::{SystemClock, SystemRandomness},
    config::{Config, DirectorySettings, KEY_VARIABLE, PepperSetting, VerifySettings},
};

use super::{failure::WiringError, mapping::mapping};

/// Encrypted copies of standard input are kept here, beside the configuration.
const SPOOL_FOLDER: &str = "spool";

/// Opens the site's own instance.
pub(crate) async fn instance(config: &Config) -> Result<Instance, WiringError> {
    instance_with(config, instance_key(config)?).await
}

/// Opens it with another key than the one that is configured.
pub(crate) async fn instance_with(
    config: &Config,
    key: InstanceKey,
) -> Result<Instance, WiringError> {
    let options = instance_options(config);
    let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
    let store = store(config).await?;
    let instance = Instance::open(store, key, clock, randomness, options).await?;
    tracing::debug!(id = instance.id(), kind = %instance.kind(), "the instance is open");
    Ok(instance)
}

/// How the instance is to do its work.
fn instance_options(config: &Config) -> InstanceOptions {
    InstanceOptions {
        lease: config.settings.worker.lease.get(),
        piece_bytes: config.settings.worker.piece_bytes,
        spool_folder: config.resolve(SPOOL_FOLDER),
    }
}

/// Where a backup is to be restored.
pub(crate) async fn restore_target(config: &Config) -> Result<RestoreTarget, WiringError> {
    Ok(RestoreTarget {
        store: store(config).await?,
        key: instance_key(config)?,
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        options: instance_options(config),
    })
}

/// Opens the store, whatever state it is in.
pub(crate) async fn store(config: &Config) -> Result<Store, StoreError> {
    let settings = &config.settings.store;
    let options = StoreOptions { connections_max: settings.connections_max.get() };
    Store::open(&config.database_url(&settings.url), options).await
}

/// Reads the instance key from the environment, else from its file.
pub(crate) fn instance_key(config: &Config) -> Result<InstanceKey, WiringError> {
    if let Some(text) = &config.key {
        let origin = format!("environment variable {KEY_VARIABLE}");
        return InstanceKey::parse(text).map_err(|source| WiringError::Key { origin, source });
    }
    key_in(&config.resolve(&config.settings.instance.key_file))
}

/// Reads a key file.
pub(crate) fn key_in(path: &Path) -> Result<InstanceKey, WiringError> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|source| WiringError::KeyFile { path: path.to_owned(), source })?;
    let origin = path.display().to_string();
    InstanceKey::parse(&text).map_err(|source| WiringError::Key { origin, source })
}

/// The digest of the first roster; `None` before there is one.
pub(crate) fn founding_digest(config: &Config) -> Result<Option<RosterDigest>, WiringError> {
    let text = config.settings.operators.roster_digest.as_deref();
    text.map(str::parse).transpose().map_err(WiringError::RosterDigest)
}

/// Who may sign today.
pub(crate) async fn roster(config: &Config, instance: &Instance) -> Result<Roster, WiringError> {
    let founding = founding_digest(config)?.ok_or(WiringError::NoRosterDigest)?;
    Ok(instance::roster(instance, founding).await?)
}

/// Opens the directory: the site's own table, or the embedded one in our store.
pub(crate) async fn directory(config: &Config) -> Result<Arc<dyn Directory>, WiringError> {
    let settings = &config.settings.directory;
    // Forms that no hash can be read in are refused before an account is counted. The secret itself is for
    // whoever verifies.
    forms_with(config, invented_keys(config))?;
    let Some(mapping) = mapping(settings)? else {
        let store = store(config).await?;
        let kind = kind_of(&store).await?;
        return Ok(Arc::new(EmbeddedDirectory::new(store, kind)));
    };
    let url = settings.url.as_ref().ok_or(WiringError::NoDirectory)?;
    let write_url = settings.write_url.as_ref().map(|url| config.database_url(url));
    // What only reads does no harm, and needs no store.
    let kind = match &write_url {
        Some(_) => kind_of(&store(config).await?).await?,
        None => InstanceKind::Site,
    };
    let (url, write_url) = (config.database_url(url), write_url.as_deref());
    let opened = directory::open_for(kind, &url, write_url, mapping).await?;
    if write_url.is_some() && kind == InstanceKind::Rehearsal {
        opened.try_rehearsal().await??;
    }
    Ok(opened)
}

async fn kind_of(store: &Store) -> Result<InstanceKind, StoreError> {
    let row = store.read().await?.instance().await?;
    Ok(row.map_or(InstanceKind::Site, |row| row.kind))
}

/// What tries leaked passwords, in the forms that the site's hashes have and within its bounds.
pub(crate) fn verifier(config: &Config) -> Result<Arc<Verifier>, WiringError> {
    Ok(Arc::new(verifier_of(config, forms(config)?)))
}

/// The same; of every form that is known where there is no configuration.
pub(crate) fn verifier_if_any(config: Option<&Config>) -> Result<Arc<Verifier>, WiringError> {
    let known = || Arc::new(Verifier::new(CostLimits::default(), HashForms::known()));
    config.map_or_else(|| Ok(known()), verifier)
}

/// The same as [`verifier`], with an invented secret in place of the site's own: what it gives can be shown.
/// And whether there is one.
pub(crate) fn verifier_to_show(config: &Config) -> Result<(Verifier, bool), WiringError> {
    let has_key = !peppers(config)?.is_empty();
    Ok((verifier_of(config, forms_with(config, invented_keys(config))?), has_key))
}

fn invented_keys(config: &Config) -> Vec<Secret> {
    let file = config.settings.directory.hash.pepper_file.as_ref();
    file.map(|_| Secret::from(INVENTED_KEY.as_bytes())).into_iter().collect()
}

/// Stands where the site's own secret would be.
pub(crate) const INVENTED_KEY: &str = "[key]";

/// What stands for no password in an export.
///
/// # Errors
/// [`WiringError::NoColumns`] if the hashes cannot be computed without columns that an export has not.
pub(crate) fn export_without_password(config: &Config) -> Result<Vec<String>, WiringError> {
    let settings = &config.settings.directory.hash;
    if !settings.columns.is_empty() {
        return Err(WiringError::NoColumns);
    }
    let words = settings.no_password.as_deref().map(str::lines).into_iter().flatten();
    Ok(words.map(str::to_owned).collect())
}

/// The same in other forms than those that are configured.
pub(crate) fn verifier_of(config: &Config, forms: HashForms) -> Verifier {
    Verifier::new(cost_limits(&config.settings.verify), forms)
}

pub(crate) fn forms(config: &Config) -> Result<HashForms, WiringError> {
    forms_with(config, peppers(config)?)
}

/// Every form that there is, the configured ones first.
pub(crate) fn every_form(config: &Config) -> Result<HashForms, WiringError> {
    let lines = form_lines(config);
    Ok(HashForms::every(lines.iter().map(String::as_str), peppers(config)?)?)
}

fn forms_with(config: &Config, keys: Vec<Secret>) -> Result<HashForms, WiringError> {
    let (lines, has_key) = (form_lines(config), !keys.is_empty());
    let forms = HashForms::of_site(lines.iter().map(String::as_str), keys)?;
    // A secret that is mixed in nowhere finds nobody, and looks as if nobody were exposed.
    if has_key && !forms.need_key() {
        return Err(WiringError::UnusedPepper);
    }
    Ok(forms.in_columns(&hash_columns(config)?)?)
}

/// The columns in which the site keeps what belongs to a hash, by the names that forms have for them.
pub(crate) fn hash_columns(config: &Config) -> Result<BTreeMap<String, String>, WiringError> {
    let mapping = mapping(&config.settings.directory)?;
    Ok(mapping.map(|mapping| mapping.columns.beside).unwrap_or_default())
}

/// The forms that the configuration names, or that follow from the rest of it.
pub(crate) fn form_lines(config: &Config) -> Vec<String> {
    let settings = &config.settings.directory.hash;
    let mut lines: Vec<_> = lines_of(settings.forms.as_deref()).collect();
    if lines.is_empty() {
        let has_pepper = settings.pepper_file.is_some();
        let mixed_in = has_pepper.then(|| pepper_form(settings.pepper_mode.unwrap_or_default()));
        lines.extend(usual_forms(&config.settings.directory, mixed_in));
    }
    lines.into_iter().map(str::to_owned).collect()
}

/// How a preset's hashes are told from others of the same shape.
fn usual_forms(settings: &DirectorySettings, mixed_in: Option<&'static str>) -> Vec<&'static str> {
    let preset = settings.preset.of_site();
    let (forms, with_key) =
        preset.map_or((&[][..], &[][..]), |preset| (preset.forms, preset.forms_with_key));
    match mixed_in {
        None => forms.to_vec(),
        Some(_) if settings.hash.pepper_mode.is_none() && !with_key.is_empty() => with_key.to_vec(),
        Some(mixed_in) => vec![mixed_in],
    }
}

/// The secrets that the site mixes in: what it mixes in today, and what it did before.
pub(crate) fn peppers(config: &Config) -> Result<Vec<Secret>, WiringError> {
    let settings = &config.settings.directory.hash;
    let older = lines_of(settings.older_pepper_files.as_deref());
    let files = settings.pepper_file.as_deref().into_iter().chain(older);
    files.map(|file| pepper(config, file)).collect()
}

/// What a setting lists, one a line.
fn lines_of(setting: Option<&str>) -> impl Iterator<Item = &str> {
    let lines = setting.unwrap_or_default().lines();
    lines.map(str::trim).filter(|line| !line.is_empty())
}

fn pepper(config: &Config, file: &str) -> Result<Secret, WiringError> {
    let path = config.resolve(file);
    let unreadable = |source| WiringError::Pepper { path: path.clone(), source };
    let bytes = fs::read(&path).map(Zeroizing::new).map_err(unreadable)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    match line.strip_suffix(b"\r").unwrap_or(line) {
        [] => Err(WiringError::EmptyPepper { path }),
        pepper => Ok(Secret::from(pepper)),
    }
}

const fn pepper_form(setting: PepperSetting) -> &'static str {
    match setting {
        PepperSetting::Append => "pepper_behind",
        PepperSetting::Prepend => "pepper_before",
        PepperSetting::HmacSha256 => "pepper_hmac_sha256",
    }
}

pub(super) const fn cost_limits(settings: &VerifySettings) -> CostLimits {
    CostLimits {
        bcrypt_cost_max: settings.bcrypt_cost_max,
        argon2_memory_kib_max: settings.argon2_memory_kib_max,
        argon2_passes_max: settings.argon2_passes_max,
        argon2_lanes_max: settings.argon2_lanes_max,
        pbkdf2_iterations_max: settings.pbkdf2_iterations_max,
        digest_rounds_max: settings.digest_rounds_max,
        scrypt_log_n_max: settings.scrypt_log_n_max,
        scrypt_r_max: settings.scrypt_r_max,
        scrypt_p_max: settings.scrypt_p_max,
    }
}
