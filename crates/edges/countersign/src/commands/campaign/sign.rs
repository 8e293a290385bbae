use std::path::{Path, PathBuf};

use authority::{Approval, ApprovalError, check_count};
use campaign::{Plan, PlanError};
use model::{Clock as _, Document as _};
use serde::Serialize;

use crate::{
    ambient::SystemClock,
    commands::{Context, Failure, Refused, signing::open_key},
    files,
    output::{Done, visible},
    terminal::Terminal,
};

#[derive(Serialize)]
struct Approved {
    file: String,
    operator: String,
    plan: String,
    round: u32,
}

/// Works on any host: nothing but the plan, the key and the operator is needed.
pub(super) fn run(
    context: &Context<'_>,
    plan: &Path,
    key: &Path,
    out: &Path,
) -> Result<Done, Failure> {
    files::refuse_existing(out)?;
    let plan = read_plan(plan)?;
    let terminal = Terminal::open()?;
    terminal.show(&plan.signing_text())?;
    let count = ask_count(&terminal, &plan)?;
    let key = open_key(&terminal, key)?;
    let approval = Approval::sign(&plan, count, &key, SystemClock.now());
    let approval = approval.map_err(Refused::because)?;
    files::create_document(out, &approval.to_bytes())?;
    let approved = Approved {
        file: out.display().to_string(),
        operator: approval.operator().to_string(),
        plan: approval.document().to_string(),
        round: approval.round(),
    };
    context.output.result("countersign.campaign_sign/1", &approved, for_people)?;
    Ok(Done::Whole)
}

fn for_people(approved: &Approved) -> String {
    let Approved { file, operator, plan, round } = approved;
    let file = visible(file);
    format!("{operator} has approved round {round} of plan {plan}: hand {file} back\n")
}

fn read_plan(file: &Path) -> Result<Plan, Failure> {
    let failed = |source| NoPlan { file: file.to_owned(), source };
    Ok(Plan::parse(&files::read(file)?).map_err(failed)?)
}

/// The operator types what they have read; a number that is shown is too easily agreed to.
fn ask_count(terminal: &Terminal, plan: &Plan) -> Result<u64, Failure> {
    let typed = terminal.ask("\nHow many accounts are to be reset? Type the number: ")?;
    let count = typed.parse();
    let count = count.map_err(|_| Refused::because(NoNumber { typed }))?;
    check_count(plan, count).map_err(|error: ApprovalError| Refused::because(error))?;
    Ok(count)
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", file.display())]
struct NoPlan {
    file: PathBuf,
    source: PlanError,
}

#[derive(Debug, thiserror::Error)]
#[error("`{typed}` is no number of accounts: type digits alone")]
struct NoNumber {
    typed: String,
}
