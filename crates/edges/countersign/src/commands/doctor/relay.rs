//! Whether mail leaves.

use instance::Checked;
use notice::Greeting;

use crate::{
    config::Config,
    wiring::{self, MailError, WiringError},
};

/// What the row about the relay is called.
const RELAY: &str = "mail server";

/// What the row about the folder is called.
const FOLDER: &str = "mail folder";

/// The store is there: whether it can be written to is not said elsewhere.
const NOT_HASTENED: &str = "the store takes no entry, so nothing can be tried at once";

/// Asks the relay whether it would take a notice, where there is one. If it would and sending pauses,
/// one notice is tried at once.
pub(super) async fn check(config: &Config) -> Vec<Checked> {
    // What keeps these from being opened has been said.
    let Ok(instance) = wiring::instance(config).await else { return Vec::new() };
    let greeted = wiring::greet_relay(config, instance.kind()).await;
    if greeted.is_ok() && outbox::hasten_sending(&instance).await.is_err() {
        return vec![Checked::bad("sending", NOT_HASTENED.to_owned())];
    }
    match greeted {
        Err(WiringError::Mail(MailError::Missing { .. })) => Vec::new(),
        Ok(None) => vec![Checked::good(FOLDER, folder_taken(config))],
        Err(WiringError::Mail(error @ (MailError::Folder(_) | MailError::Maildir(_)))) => {
            vec![Checked::bad(FOLDER, error.to_string())]
        }
        Ok(Some(greeting)) => of_greeting(config, &greeting),
        Err(error) => vec![Checked::bad(RELAY, error.to_string())],
    }
}

fn folder_taken(config: &Config) -> String {
    format!("{} takes our mail", config.resolve(&config.settings.mail.folder).display())
}

fn of_greeting(config: &Config, greeting: &Greeting) -> Vec<Checked> {
    let smtp = &config.settings.smtp;
    let taken = format!("{}:{} takes our mail", smtp.host, smtp.port);
    let mut checks = vec![Checked::good(RELAY, taken)];
    let mut note = |text: String| checks.push(Checked::note(RELAY, text));
    if !greeting.eight_bit {
        note("it does not offer 8BITMIME".to_owned());
    }
    if !greeting.international {
        note(
            "it does not offer SMTPUTF8: accounts whose address is not in ASCII are left alone"
                .to_owned(),
        );
    }
    if let Some(said) = &greeting.own_address {
        note(format!("it takes no mail for `mail.from`, so replies are lost: {said}"));
    }
    checks
}

/// Whether anybody is told now.
pub(super) async fn check_pause(config: &Config) -> Option<Checked> {
    let instance = wiring::instance(config).await.ok()?;
    let pause = outbox::paused_sending(&instance).await.ok()??;
    let outbox::PausedSending { since, tried_again_at, answer, remedy, .. } = pause;
    let detail = format!(
        "nobody is told since {since}: {answer}; {remedy}; tried again at {tried_again_at}"
    );
    Some(Checked::bad("sending", detail))
}
