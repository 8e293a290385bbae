use std::path::{Path, PathBuf};

use authority::{OperatorPublic, RosterChange, RosterDigest, SignedRoster};
use instance::{RosterStateError, accept_roster};
use model::canonical::CanonicalError;
use serde::Serialize;

use super::hint;
use crate::{
    commands::{CommandContext, CommandFailure, Refused},
    files,
    output::visible,
    wiring,
};

#[derive(Serialize)]
struct Accepted {
    digest: String,
    founding: bool,
    operators: Vec<String>,
    /// What the configuration needs and does not have.
    configuration: Option<String>,
}

pub(super) async fn run(
    context: &CommandContext<'_>,
    file: &Path,
    given: Option<RosterDigest>,
) -> Result<(), CommandFailure> {
    let signed = read(file)?;
    let config = context.config()?;
    let configured = wiring::founding_digest(&config)?;
    let expected = agreed(configured, given)?;
    let instance = wiring::instance(&config).await?;
    let roster = accept_roster(&instance, &signed, expected).await.map_err(refused)?;
    wiring::remember(&config, &instance).await?;
    let names = roster.operators().iter().map(OperatorPublic::name);
    let line = || format!("[operators]\nroster_digest = \"{expected}\"\n");
    let accepted = Accepted {
        digest: signed.document().digest().to_string(),
        founding: matches!(signed.document().change(), RosterChange::Found { .. }),
        operators: names.map(ToString::to_string).collect(),
        configuration: configured.is_none().then(line),
    };
    let config_file = visible(config.file.display());
    Ok(context
        .output
        .result("countersign.operator_accept/1", &accepted, |it| for_people(it, &config_file))?)
}

fn for_people(accepted: &Accepted, config_file: &str) -> String {
    let operators = accepted.operators.join(", ");
    let hint = hint::for_so_many(accepted.operators.len());
    let done = format!("Roster {}\n\nWho may sign: {operators}\n{hint}", accepted.digest);
    match &accepted.configuration {
        None => done,
        Some(lines) => format!("{done}\nPut this into {config_file}, on every host:\n\n{lines}"),
    }
}

fn read(file: &Path) -> Result<SignedRoster, CommandFailure> {
    let no_roster = |source| NoRoster { file: file.to_owned(), source };
    Ok(SignedRoster::parse(&files::read(file)?).map_err(no_roster)?)
}

/// The digest does not come from the document: the founders know it from each other.
fn agreed(
    configured: Option<RosterDigest>,
    given: Option<RosterDigest>,
) -> Result<RosterDigest, NoDigest> {
    match (configured, given) {
        (Some(configured), Some(given)) if configured != given => {
            Err(NoDigest::Two { configured, given })
        }
        (configured, given) => configured.or(given).ok_or(NoDigest::None),
    }
}

fn refused(error: RosterStateError) -> CommandFailure {
    match error {
        RosterStateError::Roster(error) => Refused::because(error),
        other => other.into(),
    }
}

#[derive(Debug, thiserror::Error)]
enum NoDigest {
    #[error(
        "set `operators.roster_digest`, or give --founding-digest, to the digest that the \
         founders have compared with each other"
    )]
    None,
    #[error("--founding-digest is {given}, `operators.roster_digest` is {configured}: which?")]
    Two { configured: RosterDigest, given: RosterDigest },
}

#[derive(Debug, thiserror::Error)]
#[error("{}: this is no roster of Countersign: {source}", file.display())]
struct NoRoster {
    file: PathBuf,
    source: CanonicalError,
}
