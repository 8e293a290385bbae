//! What notices say, how they leave, and what else a campaign is run with.

use std::fs;

use campaigns::Means;
use instance::{
    DisarmedError, Instance, InstanceFault, PermissionError, RosterStateError, SendingFileError,
    SendingGuard, SendingPermission, Witnesses, mark_by_witnesses,
};
use model::{InstanceKind, Secret};
use notice::{
    Address, Credentials, DkimKey, Greeting, Language, Maildir, Relay, RelayOptions, Roots,
    Security, Sender, Signer, TimeLimits, Transport,
};
use outbox::{Mail, Outbox, Words};
use zeroize::Zeroizing;

use super::{
    failure::{MailError, WiringError},
    openers::{directory, founding_digest, verifier},
    recovery::pages_url,
};
use crate::{
    ambient::host_name,
    config::{Config, TransportSetting},
    witness_line::HttpWitnesses,
};

/// Everything that campaigns are run with.
pub(crate) async fn means(config: &Config, instance: &Instance) -> Result<Means, WiringError> {
    Ok(Means {
        directory: directory(config).await?,
        verifier: verifier(config)?,
        outbox: Outbox {
            words: words(config, instance.kind())?,
            mail: mail(config, instance.kind())?,
            pages: pages_url(config)?,
            permission: permission(config)?,
        },
    })
}

fn permission(config: &Config) -> Result<SendingPermission, WiringError> {
    let file = config.resolve(&config.settings.sending.file);
    let guard = SendingGuard::open(&file).map_err(MailError::from)?;
    let founding = founding_digest(config)?.ok_or(WiringError::NoRosterDigest)?;
    Ok(SendingPermission::new(guard, founding, witnesses()))
}

/// Remembers outside the store what an operator has just done, as workers do before they seal: else a
/// store from before, in which nothing was halted and nobody removed, would pass for this one.
///
/// # Errors
/// [`InstanceFault`] if the store does not hold what was done. Where it cannot be remembered, it is done
/// all the same, and that is said.
pub(crate) async fn remember(config: &Config, instance: &Instance) -> Result<(), InstanceFault> {
    instance.check_recorded().await?;
    let remembered = match permission(config) {
        Err(WiringError::Mail(MailError::Sending(SendingFileError::Missing { .. }))) => {
            remember_by_witnesses(config, instance).await
        }
        Ok(permission) => permission.mark(instance).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(reason) = remembered {
        tracing::warn!(
            reason,
            "what was done is on record, and not remembered outside the store: a store from before \
             would not be noticed by it"
        );
    }
    Ok(())
}

const NOBODY_REMEMBERS: &str =
    "this host has no sending file, and no witness is armed. Do such things on a sending host";

/// From a host that was never armed. Before any is, there is nothing that could be sent.
async fn remember_by_witnesses(config: &Config, instance: &Instance) -> Result<(), String> {
    let Ok(Some(founding)) = founding_digest(config) else { return Ok(()) };
    match mark_by_witnesses(instance, founding, &witnesses()).await {
        Ok(true)
        | Err(
            PermissionError::Disarmed(DisarmedError::Never)
            | PermissionError::Roster(RosterStateError::None),
        ) => Ok(()),
        Ok(false) => Err(NOBODY_REMEMBERS.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The way to the witnesses that operators have signed for.
pub(crate) fn witnesses() -> Witnesses {
    Witnesses::new(Box::new(HttpWitnesses::new()))
}

/// The words of the notices. Those of a rehearsal say that it is one.
pub(crate) fn words(config: &Config, kind: InstanceKind) -> Result<Words, WiringError> {
    let pages = pages_url(config)?;
    let language: Language = config
        .settings
        .site
        .language
        .parse()
        .map_err(|source| MailError::Word { setting: "site.language", source })?;
    let (site, bounces) = (notice_site(config, kind)?, bounces(config)?);
    let words = Words::new(&site, language, pages.as_ref(), bounces.as_ref());
    Ok(words.map_err(MailError::from)?)
}

fn notice_site(config: &Config, kind: InstanceKind) -> Result<notice::Site, MailError> {
    let (site, mail) = (&config.settings.site, &config.settings.mail);
    let text = |setting| move |source| MailError::Text { setting, source };
    let name = site.name.as_deref().ok_or(MailError::Missing { setting: "site.name" })?;
    let name = name.parse().map_err(text("site.name"))?;
    let from = mail.from.as_deref().ok_or(MailError::Missing { setting: "mail.from" })?;
    let from_name = match &mail.from_name {
        Some(from_name) => from_name.parse().map_err(text("mail.from_name"))?,
        None => notice::SiteName::clone(&name),
    };
    let reply_to = mail.reply_to.as_deref().map(|reply_to| address("mail.reply_to", reply_to));
    Ok(notice::Site {
        sender: Sender::new(from_name, address("mail.from", from)?, reply_to.transpose()?)?,
        reset_path: site.reset_path.parse().map_err(text("site.reset_path"))?,
        check_path: site.check_path.parse().map_err(text("site.check_path"))?,
        name,
        is_rehearsal: kind == InstanceKind::Rehearsal,
    })
}

fn address(setting: &'static str, text: &str) -> Result<Address, MailError> {
    text.parse().map_err(|source| MailError::Address { setting, source })
}

/// Asks the relay whether it would take our notices; `None` where they go into a folder, and can.
pub(crate) async fn greet_relay(
    config: &Config,
    kind: InstanceKind,
) -> Result<Option<Greeting>, WiringError> {
    // Whoever sends nothing has no folder made.
    let site = notice_site(config, kind)?;
    let mail = mail(config, kind)?;
    let greeting = outbox::greet_relay(&mail, site.sender.from()).await;
    Ok(greeting.map_err(|error| match config.settings.mail.transport {
        TransportSetting::Maildir => MailError::Folder(error),
        TransportSetting::Smtp => MailError::Greet(error),
    })?)
}

fn mail(config: &Config, kind: InstanceKind) -> Result<Mail, MailError> {
    let settings = &config.settings.mail;
    Ok(Mail {
        transport: match settings.transport {
            TransportSetting::Maildir => {
                Box::new(Maildir::open(&config.resolve(&settings.folder))?) as Box<dyn Transport>
            }
            TransportSetting::Smtp => Box::new(relay(config, kind)?),
        },
        signer: signer(config)?,
        bounces: bounces(config)?,
    })
}

fn bounces(config: &Config) -> Result<Option<Address>, MailError> {
    let bounces = config.settings.mail.bounces.as_deref();
    bounces.map(|bounces| address("mail.bounces", bounces)).transpose()
}

/// A rehearsal mails to this host only.
fn relay(config: &Config, kind: InstanceKind) -> Result<Relay, MailError> {
    let settings = &config.settings.smtp;
    let security: Security = settings
        .security
        .parse()
        .map_err(|source| MailError::Word { setting: "smtp.security", source })?;
    let roots = match &settings.ca_file {
        Some(file) => Roots::from_pem(&read(config, "smtp.ca_file", file)?)?,
        None => Roots::public(),
    };
    let options = RelayOptions {
        host: settings.host.clone(),
        port: settings.port,
        security,
        loopback_only: kind == InstanceKind::Rehearsal,
        credentials: credentials(config)?,
        hello: settings.ehlo_name.clone().or_else(host_name),
        roots,
        limits: TimeLimits {
            command: settings.command_timeout.get(),
            end_of_data: settings.end_of_data_timeout.get(),
            ..TimeLimits::default()
        },
    };
    Ok(Relay::new(options)?)
}

fn credentials(config: &Config) -> Result<Option<Credentials>, MailError> {
    let settings = &config.settings.smtp;
    match (&settings.username, &settings.password_file) {
        (None, None) => Ok(None),
        (Some(username), Some(file)) => {
            let bytes = read(config, "smtp.password_file", file)?;
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            Ok(Some(Credentials { username: username.clone(), password: Secret::from(line) }))
        }
        _ => Err(MailError::HalfSignIn),
    }
}

fn signer(config: &Config) -> Result<Option<Box<dyn Signer>>, MailError> {
    let settings = &config.settings.dkim;
    match (&settings.domain, &settings.selector, &settings.key_file) {
        (None, None, None) => Ok(None),
        (Some(domain), Some(selector), Some(file)) => {
            let pem = read(config, "dkim.key_file", file)?;
            Ok(Some(Box::new(DkimKey::from_pem(&pem, domain, selector)?)))
        }
        _ => Err(MailError::HalfDkim),
    }
}

fn read(
    config: &Config,
    setting: &'static str,
    file: &str,
) -> Result<Zeroizing<Vec<u8>>, MailError> {
    let path = config.resolve(file);
    let bytes = fs::read(&path).map(Zeroizing::new);
    bytes.map_err(|source| MailError::File { setting, path, source })
}
