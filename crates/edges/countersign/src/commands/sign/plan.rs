//! Plans: each signature is an approval, in a file of its own.

use std::path::Path;

use authority::{Approval, ApprovalError, check_count};
use campaign::Plan;
use model::{Clock as _, Document as _};

use super::signed::{SignedDocument, open_key};
use crate::{
    ambient::SystemClock,
    commands::{CommandFailure, Refused},
    files,
    terminal::ControllingTerminal,
};

pub(super) fn sign(
    plan: &Plan,
    key: &Path,
    output: Option<&Path>,
) -> Result<SignedDocument, CommandFailure> {
    let output = output.ok_or(NoOutput)?;
    files::refuse_existing(output)?;
    let terminal = ControllingTerminal::open()?;
    terminal.show(&plan.signing_text())?;
    let count = ask_count(&terminal, plan)?;
    let key = open_key(&terminal, key)?;
    let approval = Approval::sign(plan, count, &key, SystemClock.now());
    let approval = approval.map_err(Refused::because)?;
    files::create(output, &approval.to_bytes())?;
    Ok(SignedDocument::Plan {
        file: output.display().to_string(),
        operator: approval.operator().to_string(),
        plan: approval.document().to_string(),
        round: approval.round(),
    })
}

/// The operator types what they have read; a number that is shown is too easily agreed to.
fn ask_count(terminal: &ControllingTerminal, plan: &Plan) -> Result<u64, CommandFailure> {
    let typed = terminal.ask("\nHow many accounts are to be reset? Type the number: ")?;
    let count = typed.parse();
    let count = count.map_err(|_| Refused::because(NoNumber { typed }))?;
    check_count(plan, count).map_err(|error: ApprovalError| Refused::because(error))?;
    Ok(count)
}

#[derive(Debug, thiserror::Error)]
#[error("this is a plan: say with --output into which file your approval is to be written")]
struct NoOutput;

#[derive(Debug, thiserror::Error)]
#[error("`{typed}` is no number of accounts: type digits alone")]
struct NoNumber {
    typed: String,
}
