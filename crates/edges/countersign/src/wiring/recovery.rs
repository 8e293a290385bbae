//! What people choose new passwords with.

use std::{fs, sync::Arc, thread};

use directory::Ability;
use model::{Secret, StoredHash};
use notice::BaseUrl;
use recoveries::Recovery;
use recovery::{BreachedList, LengthRules, PasswordPolicy};
use zeroize::Zeroizing;

use super::{
    failure::{RecoveryError, WiringError},
    openers::{directory, verifier},
};
use crate::config::{Config, RecoveryMode};

/// Everything that the pages of the way back in need; `None` where the site has its own.
pub(super) async fn recovery(config: &Config) -> Result<Option<Arc<Recovery>>, WiringError> {
    if pages_url(config)?.is_none() {
        return Ok(None);
    }
    let directory = directory(config).await?;
    if !directory.capabilities().can(Ability::Seal) {
        let grant = directory.try_write().await.map_err(RecoveryError::Directory)?;
        let reason = grant.granted().err().unwrap_or_default();
        return Err(RecoveryError::ReadOnly { reason }.into());
    }
    Ok(Some(Arc::new(Recovery::new(
        directory,
        verifier(config)?,
        PasswordPolicy::new(Box::new(refused(config)?)),
        lengths(config)?,
        hash_like(config)?,
        config.settings.site.name.clone().unwrap_or_default(),
        thread::available_parallelism().map_or(1, usize::from),
    ))))
}

/// Where reset links lead; `None` where people choose new passwords on the site's own pages.
pub(super) fn pages_url(config: &Config) -> Result<Option<BaseUrl>, RecoveryError> {
    let settings = &config.settings.recovery;
    match (settings.mode, &settings.pages_url) {
        (RecoveryMode::Site, None) => Ok(None),
        (RecoveryMode::Site, Some(_)) => Err(RecoveryError::NeedlessUrl),
        (RecoveryMode::Countersign, None) => Err(RecoveryError::NoUrl),
        (RecoveryMode::Countersign, Some(url)) => Ok(Some(url.parse()?)),
    }
}

/// Checks whatever can be checked without a connection.
pub(super) fn check(config: &Config) -> Result<(), RecoveryError> {
    pages_url(config)?;
    lengths(config)?;
    hash_like(config)?;
    refused(config).map(drop)
}

fn lengths(config: &Config) -> Result<LengthRules, RecoveryError> {
    let chars_min = usize::try_from(config.settings.recovery.password_chars_min);
    Ok(LengthRules::default().with_chars_min(chars_min.unwrap_or(usize::MAX))?)
}

fn hash_like(config: &Config) -> Result<Option<StoredHash>, RecoveryError> {
    let Some(text) = &config.settings.recovery.hash_like else { return Ok(None) };
    let hash = StoredHash::from_column(Some(text.clone()));
    let hash = hash.ok_or(RecoveryError::NoHash { reason: "it is no hash at all".to_owned() })?;
    let recognised = verifier(config).map(|verifier| verifier.recognise(&hash));
    let recognised =
        recognised.map_err(|error| RecoveryError::NoHash { reason: error.to_string() })?;
    recognised.map_err(|reason| RecoveryError::NoHash { reason: reason.to_string() })?;
    Ok(Some(hash))
}

fn refused(config: &Config) -> Result<BreachedList, RecoveryError> {
    let Some(file) = &config.settings.recovery.refused_passwords_file else {
        return Ok(BreachedList::default());
    };
    let path = config.resolve(file);
    let bytes = fs::read(&path).map(Zeroizing::new);
    let bytes = bytes.map_err(|source| RecoveryError::List { path, source })?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(lines.filter(|line| !line.is_empty()).map(Secret::from).collect())
}
