use std::{path::Path, sync::Arc};

use ledger::{WitnessKey, WitnessName};
use serde::Serialize;
use web::{Listener, ServeOptions, TlsFiles};
use witness::{WitnessDesk, make_key, read_key, witness_routes};

use super::{CommandContext, CommandFailure, worker::stop_signal};
use crate::{
    ambient::{SystemClock, SystemRandomness},
    cli::{WitnessCommand, WitnessRun},
    output::{Done, visible},
};

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &WitnessCommand,
) -> Result<Done, CommandFailure> {
    match command {
        WitnessCommand::Init { folder, name } => init(context, folder, name)?,
        WitnessCommand::Run(arguments) => answer(arguments).await?,
    }
    Ok(Done::Whole)
}

#[derive(Serialize)]
struct MadeWitness {
    folder: String,
    verifier: String,
}

fn init(
    context: &CommandContext<'_>,
    folder: &Path,
    name: &WitnessName,
) -> Result<(), CommandFailure> {
    let key: WitnessKey = make_key(folder, name.clone(), &SystemRandomness)?;
    let made =
        MadeWitness { folder: folder.display().to_string(), verifier: key.verifier().to_string() };
    Ok(context.output.result("countersign.witness_init/1", &made, |made| {
        let MadeWitness { folder, verifier } = made;
        format!("{} was made. What it signs is checked by\n\n{verifier}\n", visible(folder))
    })?)
}

async fn answer(arguments: &WitnessRun) -> Result<(), CommandFailure> {
    let WitnessRun { folder, logs, listen, certificate, key } = arguments;
    let clock = Arc::new(SystemClock);
    let desk = WitnessDesk::new(read_key(folder)?, logs.iter().cloned(), folder.clone(), clock);
    let tls = certificate.as_ref().zip(key.as_ref());
    let options = ServeOptions {
        listener: Listener::Witness,
        listen: *listen,
        tls: tls.map(|(certificate, key)| TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        trusted_proxy: None,
    };
    Ok(web::serve(&options, witness_routes(Arc::new(desk)), stop_signal()?).await?)
}
