use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use authority::{OperatorKey, RosterDocument, SignedArming, SignedRoster};
use instance::{ArmingTerms, Instance, InstanceKey, create_instance};
use model::{Clock as _, InstanceKind, Randomness};

use super::super::CommandFailure;
use crate::{
    ambient::{SystemClock, SystemRandomness},
    config::{Config, DEFAULT_FILE, Settings, template},
    files, wiring,
};

/// One author and three approvers: many of the invented accounts are exposed, so the plan is a
/// large one.
const OPERATORS: [&str; 4] = ["ana", "bob", "cleo", "dan"];

/// Addresses and mails in hand at the same time.
const CONCURRENCY: &str = "8";

/// What the invented site is called.
const SITE_NAME: &str = "Lighthouse";

const SENDER: &str = "security@lighthouse.example";

/// An instance of its own, with operators, and armed for sending into a folder.
pub(super) struct DemoStage {
    pub(super) config: Config,
    pub(super) instance: Instance,
    pub(super) address: SocketAddr,
    pub(super) operators: Vec<OperatorKey>,
}

impl DemoStage {
    /// Does what a site does before its first campaign: `init`, `operator init`, `sending arm`.
    pub(super) async fn set(folder: &Path, address: SocketAddr) -> Result<Self, CommandFailure> {
        let file = folder.join(DEFAULT_FILE);
        let key = InstanceKey::generate(&SystemRandomness);
        let key_file = folder.join(&Settings::default().instance.key_file);
        files::create(&key_file, format!("{}\n", *key.to_text()).as_bytes())?;
        let config = Config::alone(&file, &template(&settings(address, None)))?;
        make_store(&config, &key).await?;

        let operators = operators()?;
        let instance = wiring::instance(&config).await?;
        let roster = found(&instance, &operators)?;
        let digest = roster.document().digest();
        instance::accept_roster(&instance, &roster, digest).await?;

        let text = template(&settings(address, Some(digest.to_string())));
        files::create(&file, text.as_bytes())?;
        let config = Config::alone(&file, &text)?;
        arm(&config, &instance, &operators).await?;
        Ok(Self { config, instance, address, operators })
    }

    /// The folder that mails go into.
    pub(super) fn mailbox(&self) -> PathBuf {
        self.config.resolve(&self.config.settings.mail.folder)
    }
}

async fn make_store(config: &Config, key: &InstanceKey) -> Result<(), CommandFailure> {
    let store = wiring::store(config).await?;
    store.migrate().await?;
    let (clock, randomness) = (&SystemClock, &SystemRandomness);
    create_instance(&store, key, InstanceKind::Rehearsal, clock, randomness).await?;
    store.close().await;
    Ok(())
}

/// What differs from the default configuration, as TOML.
fn settings(address: SocketAddr, roster: Option<String>) -> Vec<(&'static str, String)> {
    let text = |text: &str| toml::Value::from(text).to_string();
    let mut settings = vec![
        ("site.name", text(SITE_NAME)),
        ("mail.from", text(SENDER)),
        ("recovery.mode", text("countersign")),
        ("recovery.pages_url", text(&format!("http://{address}"))),
        ("serve.people.listen", text(&address.to_string())),
        ("worker.concurrency", CONCURRENCY.to_owned()),
    ];
    settings.extend(roster.map(|digest| ("operators.roster_digest", text(&digest))));
    settings
}

fn operators() -> Result<Vec<OperatorKey>, CommandFailure> {
    let randomness: &dyn Randomness = &SystemRandomness;
    let keys = OPERATORS.iter().map(|name| Ok(OperatorKey::generate(name.parse()?, randomness)));
    keys.collect()
}

/// The first roster, signed by everybody in it.
fn found(instance: &Instance, operators: &[OperatorKey]) -> Result<SignedRoster, CommandFailure> {
    let people = operators.iter().map(OperatorKey::public).collect();
    let id = instance.id().parse()?;
    let document = RosterDocument::founding(id, people, SystemClock.now());
    Ok(operators.iter().fold(SignedRoster::new(document), SignedRoster::signed_by))
}

/// Two operators permit this host to send.
async fn arm(
    config: &Config,
    instance: &Instance,
    operators: &[OperatorKey],
) -> Result<(), CommandFailure> {
    let file = config.resolve(&config.settings.sending.file);
    let (terms, witnesses) = (ArmingTerms::default(), wiring::witnesses());
    let proposal = instance::propose_arming(instance, &file, terms, &witnesses).await?;
    let signed = operators.iter().take(2).fold(proposal, SignedArming::signed_by);
    let roster = wiring::roster(config, instance).await?;
    instance::arm(instance, &signed, &roster, &file, &witnesses).await?;
    Ok(())
}
