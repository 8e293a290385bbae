mod hashes;
mod relay;

use std::{fs, path::Path};

use campaigns::CampaignError;
use directory::SiteTables;
use instance::{Check, Checked, Instance, RosterStateError};
use ledger::WitnessPolicy;
use model::InstanceKind;
use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    ambient::SystemClock,
    cli::RelayCheck,
    config::{Config, KEY_VARIABLE},
    files,
    output::{Done, Sheet},
    wiring::{self, MailError, WiringError},
};

#[derive(Serialize)]
struct Examination {
    sound: bool,
    checks: Vec<Checked>,
}

/// Looks at everything, even if something is found: one run tells all that is wrong.
pub(super) async fn run(
    context: &CommandContext<'_>,
    relay: RelayCheck,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let mut checks = vec![Checked::good("configuration", config.file.display().to_string())];
    checks.extend(store_and_clock(&config).await);
    checks.push(key_file(&config));
    checks.push(instance(&config).await);
    checks.extend(data_keys(&config).await);
    checks.extend(backup(&config).await);
    checks.extend(directory(&config).await);
    checks.push(words(&config));
    if !relay.skip_relay_check {
        checks.extend(relay::check(&config).await);
    }
    checks.extend(relay::check_pause(&config).await);
    checks.extend(authority(&config).await);
    checks.extend(rows(&config).await);
    let sound = checks.iter().all(|checked| checked.check != Check::Bad);
    let examination = Examination { sound, checks };
    context.output.result("countersign.doctor/1", &examination, for_people)?;
    Ok(if sound { Done::Whole } else { Done::Unsound })
}

fn for_people(examination: &Examination) -> String {
    let mut sheet = Sheet::default();
    for Checked { what, check, detail } in &examination.checks {
        let mark = match check {
            Check::Good => "good",
            Check::Note => "note",
            Check::Bad => "BAD ",
        };
        sheet.row(what, format!("{mark}  {detail}"));
    }
    sheet.to_string()
}

async fn store_and_clock(config: &Config) -> Vec<Checked> {
    let store = match wiring::store(config).await {
        Ok(store) => store,
        Err(error) => return vec![Checked::bad("store", error.to_string())],
    };
    let store_checks = instance::check_store(&store).await;
    let mut checks =
        store_checks.unwrap_or_else(|error| vec![Checked::bad("store", error.to_string())]);
    let clock = instance::check_clock(&store, &SystemClock).await;
    checks.push(clock.unwrap_or_else(|error| Checked::bad("clock", error.to_string())));
    checks
}

fn key_file(config: &Config) -> Checked {
    if std::env::var_os(KEY_VARIABLE).is_some() {
        return Checked::good("key", format!("from {KEY_VARIABLE}"));
    }
    let path = config.resolve(&config.settings.instance.key_file);
    match fs::metadata(&path) {
        Err(error) => Checked::bad("key", format!("{}: {error}", path.display())),
        Ok(found) if !private_file::is_private(&found) => {
            let path = path.display();
            Checked::bad("key", format!("{path} is open to others: run `chmod 600 {path}`"))
        }
        Ok(_) => Checked::good("key", format!("{}, readable by its owner alone", path.display())),
    }
}

async fn instance(config: &Config) -> Checked {
    match wiring::instance(config).await {
        Ok(instance) => {
            let (id, kind) = (instance.id(), instance.kind());
            Checked::good("instance", format!("{id}, a {kind}; the key is its own"))
        }
        Err(error) => Checked::bad("instance", error.to_string()),
    }
}

/// Whether the last rotation of the instance key was finished.
async fn data_keys(config: &Config) -> Option<Checked> {
    const WHAT: &str = "data keys";
    // Without an instance there are none, and that has been said.
    let instance = wiring::instance(config).await.ok()?;
    Some(match instance::data_keys_left(&instance).await {
        Ok(0) => Checked::good(WHAT, format!("all wrapped by key {}", instance.keys().id())),
        Ok(left) => Checked::bad(
            WHAT,
            format!(
                "{left} are still wrapped by a key that was rotated: whoever has stolen it reads what \
                 they encrypt; run `countersign key rotate` to finish"
            ),
        ),
        Err(error) => Checked::bad(WHAT, error.to_string()),
    })
}

/// When the last backup was made, as the log says.
async fn backup(config: &Config) -> Option<Checked> {
    const WHAT: &str = "backup";
    let instance = wiring::instance(config).await.ok()?;
    Some(match instance::last_backup(&instance).await {
        Ok(Some(at)) => Checked::good(WHAT, format!("last made at {at}")),
        Ok(None) => Checked::note(WHAT, NO_BACKUP),
        Err(error) => Checked::bad(WHAT, error.to_string()),
    })
}

const NO_BACKUP: &str = "none was made by `countersign backup`: without one, whoever loses the store loses whom they have \
     told";

/// Whether notices could be written; a site that only looks for findings need not.
fn words(config: &Config) -> Checked {
    match wiring::words(config, InstanceKind::Site) {
        Ok(_) => Checked::good("notices", "can be written in every language"),
        Err(WiringError::Mail(error @ MailError::Missing { .. })) => {
            Checked::note("notices", error.to_string())
        }
        Err(error) => Checked::bad("notices", error.to_string()),
    }
}

/// Who may sign, and whether this host may send: both are needed for campaigns alone.
async fn authority(config: &Config) -> Vec<Checked> {
    // Without an instance there is neither, and that has been said.
    let Ok(instance) = wiring::instance(config).await else { return Vec::new() };
    let roster = match wiring::roster(config, &instance).await {
        Ok(roster) => roster,
        Err(
            error @ (WiringError::NoRosterDigest | WiringError::Roster(RosterStateError::None)),
        ) => return vec![Checked::note("operators", error.to_string())],
        Err(error) => return vec![Checked::bad("operators", error.to_string())],
    };
    let names: Vec<_> = roster.operators().iter().map(|one| one.name().as_str()).collect();
    let operators = Checked::good("operators", names.join(", "));
    let file = config.resolve(&config.settings.sending.file);
    match instance::sending_status(&instance, &file, &roster).await {
        Ok(status) => {
            // A host that cannot write down that it is about to send sends nothing.
            let sending = match files::check_writable(&file) {
                Ok(()) => Checked::good("sending", format!("armed until {}", status.lease_until)),
                Err(error) => Checked::bad("sending", format!("nothing can be sent: {error}")),
            };
            vec![operators, sending, witnesses(&instance, &file, status.policy.as_ref()).await]
        }
        Err(why) => vec![operators, Checked::note("sending", why.to_string())],
    }
}

/// Whether anybody but this host would notice that it was put back.
async fn witnesses(instance: &Instance, file: &Path, policy: Option<&WitnessPolicy>) -> Checked {
    const WHAT: &str = "witnesses";
    let Some(policy) = policy else {
        return Checked::note(WHAT, NO_WITNESS);
    };
    let witnesses = wiring::witnesses();
    if let Err(error) = witnesses.recall_from(file) {
        return Checked::bad(WHAT, error.to_string());
    }
    match witnesses.sign(instance, policy).await {
        Ok(()) => Checked::good(WHAT, "enough of them sign that the log has only grown"),
        Err(why) => Checked::bad(WHAT, why.to_string()),
    }
}

const NO_WITNESS: &str = "none: if the whole disk of this host is put back, its sending file with it, nothing notices \
     that mails are sent again; `countersign witness` on another host would";

/// Whether what campaigns are decided by is as the audit log says.
async fn rows(config: &Config) -> Vec<Checked> {
    let Ok(instance) = wiring::instance(config).await else { return Vec::new() };
    let bad = |why: String| Checked::bad("rows", why);
    match contradicted(&instance).await {
        Err(error) => vec![bad(error.to_string())],
        Ok(found) if found.is_empty() => {
            vec![Checked::good("rows", "campaigns and kill switch are as the audit log says")]
        }
        Ok(found) => found.into_iter().map(bad).collect(),
    }
}

async fn contradicted(instance: &Instance) -> Result<Vec<String>, CampaignError> {
    let rows = campaigns::contradictions(instance).await?;
    let codes = outbox::check_codes(instance).await?;
    let codes = codes.iter().map(ToString::to_string);
    let forged = instance::check_checkpoints(instance).await?;
    let forged = forged.iter().map(ToString::to_string);
    let found = exposure::check_all_findings(instance).await?;
    let found = found.iter().map(ToString::to_string);
    Ok(rows.iter().map(ToString::to_string).chain(codes).chain(forged).chain(found).collect())
}

/// What the preset expects and the site's database has not.
async fn missing(config: &Config) -> Option<String> {
    let settings = &config.settings.directory;
    let (preset, url) = (settings.preset.of_site()?, settings.url.as_ref()?);
    if settings.table.is_some() || settings.query.is_some() {
        return None;
    }
    let tables = SiteTables::read(&config.database_url(url)).await.ok()?;
    let missing = tables.missing(preset, settings.prefix.as_deref());
    let name = preset.name;
    (!missing.is_empty())
        .then(|| format!("; of the preset {name}, it lacks {}", missing.join(", ")))
}

async fn directory(config: &Config) -> Vec<Checked> {
    let bad = |error: String| vec![Checked::bad("directory", error)];
    match wiring::directory(config).await {
        Err(error) => bad(format!("{error}{}", missing(config).await.unwrap_or_default())),
        Ok(directory) => {
            let checks = instance::check_directory(&*directory).await;
            let mut checks = checks.unwrap_or_else(|error| bad(error.to_string()));
            checks.extend(hashes::check(config, &*directory).await);
            checks
        }
    }
}
