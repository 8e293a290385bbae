//! What the pages are made of.

use model::InstanceKind;
use std::{fs, sync::Arc};

use instance::Instance;
use web::{
    Accent, AppState, InProcess, Listener, Logo, Look, LookOptions, RehearsalConsole, Router,
    ServeOptions, console_routes, metrics_routes, people_routes,
};

use super::{
    failure::{LookError, WiringError},
    recovery::recovery,
};
use crate::config::{Config, TransportSetting};

/// What every listener answers with.
pub(crate) struct Pages {
    operations: InProcess,
    look: Arc<Look>,
    people: AppState,
}

impl Pages {
    /// People get their pages even where no mail can be sent.
    pub(crate) async fn new(config: &Config, instance: Arc<Instance>) -> Result<Self, WiringError> {
        let (look, kind) = (Arc::new(look(config)?), instance.kind());
        let mut operations = InProcess::new(instance);
        let recovery = recovery(config).await?;
        let password_chars_min = recovery.as_ref().map(|recovery| recovery.password_chars_min());
        if let Some(recovery) = recovery {
            operations = operations.with_recovery(recovery);
        }
        let mut people = AppState::new(Arc::new(operations.clone()), Arc::clone(&look));
        if let Some(chars_min) = password_chars_min {
            people = people.with_resets(chars_min);
        }
        if shows_rehearsal(config, kind) {
            let mailbox = config.resolve(&config.settings.mail.folder);
            people = people.with_rehearsal(RehearsalConsole::new(operations.clone(), mailbox));
        }
        Ok(Self { operations, look, people })
    }

    /// What one listener answers with.
    pub(crate) fn routes(&self, options: &ServeOptions) -> Router {
        match options.listener {
            Listener::People => people_routes(self.people.clone(), options),
            Listener::Operators => console_routes(self.operations.clone(), Arc::clone(&self.look)),
            Listener::Metrics => metrics_routes(self.operations.clone()),
            // No page of ours is for other hosts' logs.
            Listener::Witness => Router::new(),
        }
    }
}

/// A rehearsal shows its mails and reports on this host, and to nobody behind a proxy.
fn shows_rehearsal(config: &Config, kind: InstanceKind) -> bool {
    let settings = &config.settings;
    kind == InstanceKind::Rehearsal
        && settings.serve.people.trusted_proxy.is_none()
        && settings.mail.transport == TransportSetting::Maildir
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
    let Some(text) = &config.settings.branding.accent else { return Ok(None) };
    let accent: Accent = text.parse().map_err(LookError::Accent)?;
    if !accent.is_legible() {
        tracing::warn!(
            accent = text,
            "`branding.accent` cannot be read beside white: it is not used"
        );
    }
    Ok(Some(accent))
}

fn logo(config: &Config) -> Result<Option<Logo>, LookError> {
    let Some(file) = &config.settings.branding.logo_file else { return Ok(None) };
    let path = config.resolve(file);
    let bytes = fs::read(&path);
    let bytes = bytes.map_err(|source| LookError::LogoFile { path: path.clone(), source })?;
    let logo = Logo::new(bytes).map_err(|source| LookError::Logo { path, source })?;
    Ok(Some(logo))
}
