use std::io;

use service::{Means, Site, WorkError};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use worker::Options;

use super::{Context, Failure, Refused};
use crate::{cli::WorkerArguments, config::Config, output::Done, wiring};

pub(super) async fn run(
    context: &Context<'_>,
    arguments: &WorkerArguments,
) -> Result<Done, Failure> {
    let config = context.config()?;
    let site = wiring::site(&config).await?;
    let means = wiring::means(&config, &site).await.map_err(Refused::if_disarmed)?;
    work(&config, &site, &means, arguments.until_done, stop_signal()?).await?;
    Ok(Done::Whole)
}

/// Runs campaigns until it is told to stop.
pub(super) async fn work(
    config: &Config,
    site: &Site,
    means: &Means,
    until_done: bool,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let lanes = usize::try_from(config.settings.work.lanes).unwrap_or(1);
    let options = Options { lanes, until_done };
    worker::run(site, means, options, stop).await.map_err(|error: WorkError| {
        if error.is_refusal() { Refused::because(error) } else { error.into() }
    })
}

/// Becomes true with SIGTERM or Ctrl-C.
pub(super) fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping after what is in hand");
        // Nobody listens any more when everything has ended by itself.
        let _ = stop.send(true);
    });
    Ok(stopped)
}
