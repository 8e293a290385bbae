use std::{fs, path::Path};

use campaign::Policy;
use campaigns::NewDraft;
use serde_json::{Map, Value};

use super::super::{CommandContext, CommandFailure};
use crate::{
    cli::CampaignDraft,
    output::{self, Done},
};

/// What was typed, with the policy's file read.
pub(super) fn new(arguments: &CampaignDraft) -> Result<NewDraft, CommandFailure> {
    let policy = match &arguments.policy {
        Some(file) => read(file)?,
        None => Policy::default(),
    };
    let CampaignDraft { name, author, leaks, .. } = arguments;
    Ok(NewDraft { name: name.clone(), author: author.clone(), leaks: leaks.clone(), policy })
}

/// The default policy, as TOML.
pub(super) fn print_policy(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let policy = Policy::default();
    if context.cli.json {
        context.output.result("countersign.campaign_policy/1", &policy, |_| String::new())?;
    } else {
        output::print(&toml::to_string(&policy)?)?;
    }
    Ok(Done::Whole)
}

/// The default policy with what the file says instead.
pub(super) fn read(file: &Path) -> Result<Policy, CommandFailure> {
    let named = |reason: String| PolicyFile { file: file.display().to_string(), reason };
    let text = fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
    let changes: Map<String, Value> =
        toml::from_str(&text).map_err(|error| named(error.to_string()))?;
    let Value::Object(mut policy) = serde_json::to_value(Policy::default())? else {
        return Ok(Policy::default());
    };
    policy.extend(changes);
    let policy = serde_json::from_value(Value::Object(policy));
    Ok(policy.map_err(|error| named(error.to_string()))?)
}

#[derive(Debug, thiserror::Error)]
#[error("--policy {file}: {reason}; `countersign campaign policy` prints the default")]
struct PolicyFile {
    file: String,
    reason: String,
}
