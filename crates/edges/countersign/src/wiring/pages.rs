//! What the pages for people are made of.

use std::{fs, io, path::PathBuf, sync::Arc};

use instance::Instance;
use notice::{AddressError, TextError};
use store::InstanceKind;
use web::{Accent, AccentError, Desk, Logo, LogoError, Look, LookOptions, Office};

use super::{WiringError, recovery::recovery, words};
use crate::config::{Config, TransportSetting};

/// What answers people. They get their pages even where no mail can be sent.
pub(crate) async fn office(config: &Config, site: Arc<Instance>) -> Result<Office, WiringError> {
    let words = words(config);
    if let Err(error) = &words {
        tracing::warn!(%error, "no notice can be checked");
    }
    let desk = desk(config, site.kind());
    let office = Office::new(site, look(config)?, words.ok().map(Arc::new));
    let office = match recovery(config).await? {
        Some(recovery) => office.with_recovery(recovery),
        None => office,
    };
    Ok(match desk {
        Some(desk) => office.with_desk(desk),
        None => office,
    })
}

/// What a rehearsal shows of its mails and reports, on this host and to nobody behind a proxy.
fn desk(config: &Config, kind: InstanceKind) -> Option<Desk> {
    let settings = &config.settings;
    let is_ours = kind == InstanceKind::Rehearsal
        && settings.serve.trusted_proxy.is_none()
        && settings.mail.transport == TransportSetting::Maildir;
    is_ours.then(|| Desk::new(config.resolve(&settings.mail.folder)))
}

/// How the pages look.
pub(super) fn look(config: &Config) -> Result<Look, LookError> {
    let settings = &config.settings.site;
    let text = |setting| move |source| LookError::Text { setting, source };
    let name = settings.name.as_deref().map(str::parse).transpose();
    let sender = config.settings.mail.from.as_deref().map(str::parse).transpose();
    let language = settings.language.parse();
    Ok(Look::new(LookOptions {
        name: name.map_err(text("site.name"))?,
        sender: sender.map_err(LookError::Sender)?,
        reset_path: settings.reset_path.parse().map_err(text("site.reset_path"))?,
        language: language.map_err(LookError::Language)?,
        accent: accent(config)?,
        logo: logo(config)?,
    }))
}

fn accent(config: &Config) -> Result<Option<Accent>, LookError> {
    let Some(text) = &config.settings.look.accent else { return Ok(None) };
    let accent: Accent = text.parse().map_err(LookError::Accent)?;
    if !accent.is_legible() {
        tracing::warn!(accent = text, "`look.accent` cannot be read beside white: it is not used");
    }
    Ok(Some(accent))
}

fn logo(config: &Config) -> Result<Option<Logo>, LookError> {
    let Some(file) = &config.settings.look.logo_file else { return Ok(None) };
    let path = config.resolve(file);
    let bytes = fs::read(&path);
    let bytes = bytes.map_err(|source| LookError::LogoFile { path: path.clone(), source })?;
    let logo = Logo::new(bytes).map_err(|source| LookError::Logo { path, source })?;
    Ok(Some(logo))
}

/// Why the pages cannot look as they are configured to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error("`{setting}`: {source}")]
    Text { setting: &'static str, source: TextError },
    #[error("`mail.from`: {0}")]
    Sender(#[source] AddressError),
    #[error("`site.language`: {0}")]
    Language(#[source] model::UnknownWord),
    #[error("`look.accent`: {0}")]
    Accent(#[source] AccentError),
    #[error("`look.logo_file`: {} cannot be read: {source}", path.display())]
    LogoFile { path: PathBuf, source: io::Error },
    #[error("`look.logo_file`: {}: {source}", path.display())]
    Logo { path: PathBuf, source: LogoError },
}
