//! What one stored hash is.

mod calibrate;
mod forms_line;

use model::canonical::hex_of;
use model::{HashFormat, Secret, StoredHash, Unverified, Verdict};
use password::{Explanation, HashCost, HashForms, HashStrength, TriedHash, Verifier};
use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::VerifyCommand,
    config::Config,
    output::{Done, Sheet},
    terminal::ControllingTerminal,
    wiring::{self, INVENTED_KEY},
};

/// Nobody's: with letters beyond ASCII and characters that some sites rewrite.
const INVENTED: &str = "Grün&Blau 'Sieben'";

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &VerifyCommand,
) -> Result<Done, CommandFailure> {
    match command {
        VerifyCommand::Forms => forms(context),
        VerifyCommand::Hash => hash(context),
        VerifyCommand::Explain => explain(context),
        VerifyCommand::Calibrate => calibrate::run(context).await,
    }
}

#[derive(Serialize)]
struct ListedForms {
    forms: Vec<ListedForm>,
}

#[derive(Serialize)]
struct ListedForm {
    name: &'static str,
    description: &'static str,
    /// Whether nobody need name it.
    is_told_by_its_text: bool,
}

fn forms(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let known = HashForms::lines().map(|(name, description, is_told_by_its_text)| ListedForm {
        name,
        description,
        is_told_by_its_text,
    });
    let known = ListedForms { forms: known.collect() };
    context.output.result("countersign.verify_forms/1", &known, |known| {
        let mut sheet = Sheet::default();
        for form in &known.forms {
            sheet.row(form.name, form.description);
        }
        sheet.to_string()
    })?;
    Ok(Done::Whole)
}

#[derive(Serialize)]
struct JudgedHash {
    format: Option<HashFormat>,
    /// What it costs whoever has the hash to try one password, in words.
    cost: Option<String>,
    /// How that compares with what is advised today.
    strength: Option<String>,
    verdict: &'static str,
    reason: Option<Unverified>,
}

fn hash(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let config = context.config_if_any()?;
    let verifier = wiring::verifier_if_any(config.as_ref())?;
    let terminal = ControllingTerminal::open()?;
    let stored = asked_hash(config.as_ref(), &terminal)?;
    let password = terminal.ask_passphrase("Password of a test account: ")?;
    let secret = Secret::from(password.as_bytes());
    let TriedHash { verdict, format, .. } = verifier.verify(&stored, std::slice::from_ref(&secret));
    let (verdict, reason, done) = match verdict {
        Verdict::Match { .. } => ("match", None, Done::Whole),
        Verdict::NoMatch => ("no match", None, Done::Refused),
        Verdict::Unverified(reason) => ("not verified", Some(reason), Done::Partial),
    };
    let cost = verifier.cost(&stored);
    let (cost, strength) = (cost.map(|cost| cost.to_string()), cost.map(strength));
    let judged = JudgedHash { format, cost, strength, verdict, reason };
    context.output.result("countersign.verify_hash/1", &judged, |judged| {
        let mut sheet = Sheet::default();
        let format =
            judged.format.map_or_else(|| "none that is known".to_owned(), |f| f.to_string());
        sheet.row("format", format);
        if let (Some(cost), Some(strength)) = (&judged.cost, &judged.strength) {
            sheet.row("cost", cost).row("strength", strength);
        }
        sheet.row("verdict", judged.verdict);
        if let Some(reason) = judged.reason {
            sheet.row("because", reason);
        }
        match done {
            Done::Refused => drop(sheet.row("what to do", OTHER_FORM)),
            Done::Partial => drop(sheet.row("what to do", UNKNOWN_FORM)),
            Done::Whole | Done::Unsound => {}
        }
        sheet.to_string()
    })?;
    Ok(done)
}

const OTHER_FORM: &str = "type it again; if it is right, your site does more with a password than this \
     form says: `countersign verify calibrate` tries every form that is known on an account of yours";
const UNKNOWN_FORM: &str = "docs/hashes.md says what this verdict means, and how to name a form";

fn strength(cost: HashCost) -> String {
    match cost.strength() {
        good @ HashStrength::AsAdvised => good.to_string(),
        bad => format!("{bad}: {}", cost.advice()),
    }
}

#[derive(Serialize)]
struct Explained {
    /// Nobody's.
    password: &'static str,
    /// What stands for the site's own secret, if it has one: no byte of that is shown.
    key: Option<&'static str>,
    forms: Vec<ExplainedForm>,
}

#[derive(Serialize)]
struct ExplainedForm {
    form: HashFormat,
    description: String,
    steps: Vec<ExplainedStep>,
    /// Steps that are not shown: what hashes what the ones before give, and compares it by itself, or what
    /// cannot be done with this password.
    not_shown: Vec<String>,
}

#[derive(Serialize)]
struct ExplainedStep {
    step: String,
    gives: String,
}

fn explain(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let config = context.config_if_any()?;
    let (verifier, has_key) = match &config {
        Some(config) => wiring::verifier_to_show(config)?,
        None => (Verifier::new(password::CostLimits::default(), HashForms::known()), false),
    };
    let stored = asked_hash(config.as_ref(), &ControllingTerminal::open()?)?;
    let secret = Secret::from(INVENTED.as_bytes());
    let explained = verifier.explain(&stored, &secret).map_err(NotExplained)?;
    let forms = explained.into_iter().map(explained_form).collect();
    let key = has_key.then_some(INVENTED_KEY);
    let explained = Explained { password: INVENTED, key, forms };
    context.output.result("countersign.verify_explain/1", &explained, |explained| {
        let shown = explained.forms.iter().map(|form| shown(form, explained.key));
        shown.collect::<Vec<_>>().join("\n")
    })?;
    Ok(Done::Whole)
}

fn explained_form(explanation: Explanation) -> ExplainedForm {
    let Explanation { format, description, steps, not_shown, .. } = explanation;
    let steps =
        steps.into_iter().map(|(step, value)| ExplainedStep { step, gives: text_of(&value) });
    ExplainedForm { form: format, description, steps: steps.collect(), not_shown }
}

fn shown(form: &ExplainedForm, key: Option<&str>) -> String {
    let mut sheet = Sheet::default();
    sheet.row("form", form.form).row("description", &form.description).row("password", INVENTED);
    if let Some(key) = key {
        sheet
            .row("key", format!("{key}: it stands for the secret in `directory.hash.pepper_file`"));
    }
    for ExplainedStep { step, gives } in &form.steps {
        sheet.row(step, gives);
    }
    for step in &form.not_shown {
        sheet.row(step, "not shown: it hashes and compares by itself, or cannot be done");
    }
    sheet.to_string()
}

/// Text as it is, and bytes that are none as hexadecimal digits.
fn text_of(value: &[u8]) -> String {
    match str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => format!("0x{}", hex_of(value)),
    }
}

/// With what stands beside it in columns of its own, where the site keeps any: without that, its form would
/// not be tried.
fn asked_hash(
    config: Option<&Config>,
    terminal: &ControllingTerminal,
) -> Result<StoredHash, CommandFailure> {
    let text = terminal.ask_passphrase("Stored hash, as it stands in the column: ")?;
    let columns = config.map(wiring::hash_columns).transpose()?.unwrap_or_default();
    let mut beside = Vec::new();
    for (name, column) in &columns {
        let typed = terminal.ask(&format!("What stands beside it in `{column}`, or nothing: "))?;
        beside.push((name.as_str(), typed));
    }
    let beside = beside.iter().filter(|(_, typed)| !typed.is_empty());
    let beside: Vec<_> = beside.map(|(name, typed)| (*name, typed.as_str())).collect();
    let hash = StoredHash::from_columns(Some(text.trim().to_owned()), &beside);
    hash.ok_or_else(|| NoHash.into())
}

#[derive(Debug, thiserror::Error)]
#[error("that is no password: empty, or what stands where there is none")]
struct NoHash;

#[derive(Debug, thiserror::Error)]
#[error("the hash cannot be explained: {0}. `countersign verify forms` lists what is known")]
struct NotExplained(Unverified);
