mod accept;
mod hint;
mod keygen;

use std::{fs, io, path::Path};

use authority::{OperatorPublic, OperatorPublicError, RosterChange, RosterDocument, SignedRoster};
use model::Clock as _;
use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    ambient::SystemClock,
    cli::OperatorCommand,
    files,
    output::{Done, visible},
    wiring,
};

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &OperatorCommand,
) -> Result<Done, CommandFailure> {
    match command {
        OperatorCommand::Keygen { name, output } => keygen::run(context, name, output)?,
        OperatorCommand::Init { operators, output } => init(context, operators, output).await?,
        OperatorCommand::Add { operator, output } => {
            let operator = public(operator)?;
            propose(context, RosterChange::Add { operator }, output).await?;
        }
        OperatorCommand::Remove { name, output } => {
            propose(context, RosterChange::Remove { name: name.clone() }, output).await?;
        }
        OperatorCommand::Accept { file, founding_digest } => {
            accept::run(context, file, *founding_digest).await?;
        }
        OperatorCommand::List => list(context).await?,
    }
    Ok(Done::Whole)
}

async fn init(
    context: &CommandContext<'_>,
    operators: &[String],
    output: &Path,
) -> Result<(), CommandFailure> {
    let operators = operators.iter().map(|text| public(text)).collect::<Result<_, _>>()?;
    let instance = wiring::instance(&context.config()?).await?;
    let id = instance.id().parse()?;
    write(context, RosterDocument::founding(id, operators, SystemClock.now()), output)
}

async fn propose(
    context: &CommandContext<'_>,
    change: RosterChange,
    output: &Path,
) -> Result<(), CommandFailure> {
    let config = context.config()?;
    let roster = wiring::roster(&config, &wiring::instance(&config).await?).await?;
    write(context, roster.propose(change, SystemClock.now()), output)
}

#[derive(Serialize)]
struct RosterProposed {
    file: String,
    digest: String,
}

fn write(
    context: &CommandContext<'_>,
    document: RosterDocument,
    output: &Path,
) -> Result<(), CommandFailure> {
    let (digest, file) = (document.digest().to_string(), output.display().to_string());
    files::create(output, &SignedRoster::new(document).to_bytes())?;
    let proposed = RosterProposed { file, digest };
    Ok(context.output.result("countersign.roster_proposal/1", &proposed, for_people)?)
}

fn for_people(proposed: &RosterProposed) -> String {
    let (file, digest) = (visible(&proposed.file), &proposed.digest);
    format!(
        "{file} has the digest\n\n{digest}\n\nTell it to whoever signs by another way than the \
         file. Each signs in turn: countersign sign {file} --key KEYFILE\n\
         Then: countersign operator accept {file}\n"
    )
}

/// A line that `keygen` printed, or `@` and the file that holds it.
fn public(text: &str) -> Result<OperatorPublic, PublicError> {
    let named = |source| PublicError::Form { text: text.to_owned(), source };
    let Some(file) = text.strip_prefix('@') else { return text.parse().map_err(named) };
    let unreadable = |source| PublicError::Unreadable { file: file.to_owned(), source };
    fs::read_to_string(file).map_err(unreadable)?.parse().map_err(named)
}

#[derive(Serialize)]
struct Operators {
    digest: String,
    operators: Vec<OperatorLine>,
}

#[derive(Serialize)]
struct OperatorLine {
    name: String,
    public: String,
}

async fn list(context: &CommandContext<'_>) -> Result<(), CommandFailure> {
    let config = context.config()?;
    let roster = wiring::roster(&config, &wiring::instance(&config).await?).await?;
    let listed = |operator: &OperatorPublic| OperatorLine {
        name: operator.name().to_string(),
        public: operator.to_string(),
    };
    let operators = Operators {
        digest: roster.head().to_string(),
        operators: roster.operators().iter().map(listed).collect(),
    };
    Ok(context.output.result("countersign.operators/1", &operators, |operators| {
        let lines = operators.operators.iter().map(|listed| listed.public.clone() + "\n");
        lines.chain([hint::for_so_many(operators.operators.len())]).collect()
    })?)
}

#[derive(Debug, thiserror::Error)]
enum PublicError {
    #[error("`{text}`: {source}")]
    Form { text: String, source: OperatorPublicError },
    #[error("@{file} cannot be read: {source}")]
    Unreadable { file: String, source: io::Error },
}
