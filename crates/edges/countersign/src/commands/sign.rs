//! One command for every document that an operator signs; the document says what it is.
//!
//! It works on any host: nothing but the document, the key and the operator is needed.

mod collected;
mod plan;
mod signed;

use std::path::{Path, PathBuf};

use campaign::{Plan, PlanError};
use model::canonical::CanonicalError;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::Sign,
    files,
    output::{Done, visible},
};
use collected::Collected;
use signed::SignedDocument;

pub(super) fn run(context: &CommandContext<'_>, arguments: &Sign) -> Result<Done, CommandFailure> {
    let Sign { file, key, output } = arguments;
    let signed = match ToBeSigned::read(file)? {
        ToBeSigned::Plan(plan) => plan::sign(&plan, key, output.as_deref())?,
        ToBeSigned::Collected(document) => collected::sign(document, file, key, output.as_deref())?,
    };
    context.output.result("countersign.sign/1", &signed, for_people)?;
    Ok(Done::Whole)
}

fn for_people(signed: &SignedDocument) -> String {
    match signed {
        SignedDocument::Plan { file, operator, plan, round } => {
            let file = visible(file);
            format!("{operator} has signed round {round} of plan {plan}: hand {file} back\n")
        }
        SignedDocument::Roster { file, signers, .. }
        | SignedDocument::Arming { file, signers, .. } => {
            format!("{} is signed by {}\n", visible(file), visible(signers.join(", ")))
        }
    }
}

/// The documents that operators sign by hand.
enum ToBeSigned {
    Plan(Plan),
    Collected(Collected),
}

impl ToBeSigned {
    /// No document can be read as another kind: each kind has fields of its own, and no others.
    fn read(file: &Path) -> Result<Self, CommandFailure> {
        let bytes = files::read(file)?;
        let plan = match Plan::parse(&bytes) {
            Ok(plan) => return Ok(Self::Plan(plan)),
            Err(error) => error,
        };
        match Collected::parse(&bytes) {
            Ok(document) => Ok(Self::Collected(document)),
            Err((roster, arming)) => {
                Err(NotToBeSigned { file: file.to_owned(), plan, roster, arming }.into())
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "{}: this is no document to be signed: no plan ({plan}), no roster ({roster}), no arming \
     ({arming})",
    file.display()
)]
struct NotToBeSigned {
    file: PathBuf,
    plan: PlanError,
    roster: CanonicalError,
    arming: CanonicalError,
}
