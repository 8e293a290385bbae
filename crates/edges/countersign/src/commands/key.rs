use std::path::{Path, PathBuf};

use instance::{
    Instance, InstanceError, InstanceKey, KeyRing, ListedKey, RotateError, list_keys, rotate_key,
    wrap_data_keys_anew,
};
use model::KeyId;
use serde::Serialize;

use super::{CommandContext, CommandFailure, Refused};
use crate::{
    ambient::SystemRandomness,
    cli::KeyCommand,
    config::{Config, KEY_VARIABLE},
    files,
    output::{Done, Grid, grouped, visible},
    terminal::ControllingTerminal,
    wiring::{self, WiringError},
};

/// Characters of the new key's id that an operator types.
const TYPED_CHARS: usize = 8;

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &KeyCommand,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    match command {
        KeyCommand::New { file } => make(context, &config, file).await?,
        KeyCommand::Rotate { new_key } => rotate(context, &config, new_key.as_deref()).await?,
        KeyCommand::List => list(context, &config).await?,
    }
    Ok(Done::Whole)
}

#[derive(Serialize)]
struct InstanceKeyMade {
    key_file: String,
    key: KeyId,
    verifier: String,
}

async fn make(
    context: &CommandContext<'_>,
    config: &Config,
    file: &Path,
) -> Result<(), CommandFailure> {
    let instance = wiring::instance(config).await?;
    let key = InstanceKey::generate(&SystemRandomness);
    files::create(file, format!("{}\n", *key.to_text()).as_bytes())?;
    let made = InstanceKeyMade {
        key_file: file.display().to_string(),
        key: key.id(),
        verifier: KeyRing::new(key).checkpoint_key(instance.id()).verifier().to_string(),
    };
    Ok(context.output.result("countersign.key_new/1", &made, |made| {
        let file = visible(&made.key_file);
        format!(
            "{file} holds key {}, which is not in force yet. Keep a copy of it apart from every \
             backup of the store.\nIf witnesses watch over the log, tell each of them of its next \
             verifier key now, and let it keep the present one:\n{}\nThen: countersign key rotate \
             --new-key {file}\n",
            made.key, made.verifier
        )
    })?)
}

#[derive(Serialize)]
struct KeyRotation {
    key: KeyId,
    /// Data keys that this run has wrapped anew.
    wrapped: u64,
}

async fn rotate(
    context: &CommandContext<'_>,
    config: &Config,
    new_key: Option<&Path>,
) -> Result<(), CommandFailure> {
    let instance = match new_key {
        None => wiring::instance(config).await?,
        Some(file) => in_force(context, config, file).await?,
    };
    // A store from before would take the old key again.
    wiring::remember(config, &instance).await?;
    let progress = context.progress();
    let wrapped = wrap_data_keys_anew(&instance, &*progress).await?;
    let rotation = KeyRotation { key: instance.keys().id(), wrapped };
    Ok(context.output.result("countersign.key_rotate/1", &rotation, |rotation| {
        let (key, wrapped) = (rotation.key, grouped(rotation.wrapped));
        format!("key {key} is in force and wraps every data key; {wrapped} were wrapped anew\n")
    })?)
}

/// The instance opened with the new key, which is put into force unless it is. Whoever runs this again
/// after a crash may have either key in the configured file.
async fn in_force(
    context: &CommandContext<'_>,
    config: &Config,
    file: &Path,
) -> Result<Instance, CommandFailure> {
    let new = wiring::key_in(file)?;
    let is_new = match wiring::instance(config).await {
        Ok(instance) if instance.keys().id() == new.id() => return Ok(instance),
        Ok(instance) => {
            confirm(&instance, new.id())?;
            rotate_key(&instance, &new).await.map_err(refused)?;
            true
        }
        Err(WiringError::Instance(InstanceError::KeyRotated(found)))
            if found.in_force == new.id() =>
        {
            false
        }
        Err(error) => return Err(error.into()),
    };
    let done = if is_new { "is in force now" } else { "has been in force" };
    context.tell(format!("key {} {done}. {}", new.id(), next_step(config, file)));
    Ok(wiring::instance_with(config, new).await?)
}

fn confirm(instance: &Instance, new: KeyId) -> Result<(), CommandFailure> {
    let terminal = ControllingTerminal::open()?;
    let (id, old) = (instance.id(), instance.keys().id());
    terminal.show(&format!(
        "Instance {id}\n  key in force  {old}\n  new key       {new}\n\nEvery process that holds key \
         {old} is refused from now on and ends: workers, page servers, on all hosts.\nLinks that were \
         mailed go on for 30 minutes. There is no way back to key {old}.\n\n"
    ))?;
    let question = format!("Type the first {TYPED_CHARS} characters of the new key's id: ");
    let (typed, expected) = (terminal.ask(&question)?, new.to_string());
    if typed == expected[..TYPED_CHARS] {
        return Ok(());
    }
    Err(Refused::because(OtherKeyTyped { typed, expected }))
}

#[derive(Debug, thiserror::Error)]
#[error("`{typed}` is not how {expected} begins: nothing was changed")]
struct OtherKeyTyped {
    typed: String,
    expected: String,
}

fn refused(error: RotateError) -> CommandFailure {
    if matches!(error, RotateError::Used { .. }) {
        return Refused::because(error);
    }
    error.into()
}

/// What to do now, so that everything goes on.
fn next_step(config: &Config, file: &Path) -> String {
    let file = file.display();
    if config.key.is_some() {
        return format!(
            "Set {KEY_VARIABLE} to the text in {file} and restart workers and page servers, on every \
             host; the data keys are wrapped anew meanwhile."
        );
    }
    let present: PathBuf = config.resolve(&config.settings.instance.key_file);
    let present = present.display();
    format!(
        "Now run `mv {file} {present}`, which replaces the file in one step, and restart workers and \
         page servers. On every other host, put a copy in the place of its `instance.key_file` in the \
         same way (mode 600, beside it, then mv). The data keys are wrapped anew meanwhile."
    )
}

#[derive(Serialize)]
struct KeyList {
    keys: Vec<ListedKey>,
}

async fn list(context: &CommandContext<'_>, config: &Config) -> Result<(), CommandFailure> {
    let instance = wiring::instance(config).await?;
    let keys = KeyList { keys: list_keys(&instance).await? };
    Ok(context.output.result("countersign.key_list/1", &keys, for_people)?)
}

fn for_people(keys: &KeyList) -> String {
    let mut grid = Grid::new(["key", "state", "signs entries", "data keys"]);
    for key in &keys.keys {
        let state = match key.retired_at {
            None => "in force".to_owned(),
            Some(at) => format!("retired {at}"),
        };
        let to = key.signed_to.map_or_else(String::new, grouped);
        let signs = format!("{} to {to}", grouped(key.signed_from)).trim_end().to_owned();
        grid.row([key.key.to_string(), state, signs, grouped(key.data_keys)]);
    }
    let unfinished = keys.keys.iter().any(|key| !key.in_force && key.data_keys > 0);
    let way_on = if unfinished {
        "A retired key still wraps data keys: run `countersign key rotate` to finish.\n"
    } else {
        ""
    };
    format!("{grid}{way_on}")
}
