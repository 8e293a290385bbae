use std::path::Path;

use authority::OperatorKey;
use model::OperatorName;
use serde::Serialize;

use crate::{
    ambient::SystemRandomness,
    commands::{CommandContext, CommandFailure},
    files,
    output::visible,
    terminal::ControllingTerminal,
};

#[derive(Serialize)]
struct KeyMade {
    file: String,
    public: String,
}

pub(super) fn run(
    context: &CommandContext<'_>,
    name: &OperatorName,
    output: &Path,
) -> Result<(), CommandFailure> {
    files::refuse_existing(output)?;
    let passphrase = ControllingTerminal::open()?.ask_new_passphrase()?;
    let key = OperatorKey::generate(name.clone(), &SystemRandomness);
    let text = key.to_file(&passphrase, &SystemRandomness)?;
    files::create(output, text.as_bytes())?;
    let made = KeyMade { file: output.display().to_string(), public: key.public().to_string() };
    Ok(context.output.result("countersign.operator_keygen/1", &made, for_people)?)
}

fn for_people(made: &KeyMade) -> String {
    let (file, public) = (visible(&made.file), &made.public);
    format!("{public}\n\nThat line is for your colleagues. {file} is for nobody but you.\n")
}
