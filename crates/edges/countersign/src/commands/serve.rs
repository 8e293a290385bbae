use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use instance::Instance;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{sync::watch, time};
use web::ServeOptions;

use super::{
    CommandContext, CommandFailure,
    worker::{stop_signal, while_key_holds, work},
};
use crate::{cli::Serve, config::Config, output::Done, wiring};

/// How long to wait before looking again whether this host may send.
const DISARMED_POLL: Duration = Duration::from_mins(1);

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Serve,
) -> Result<Done, CommandFailure> {
    raise_file_limit();
    let config = context.config()?;
    let instance = Arc::new(wiring::instance(&config).await?);
    let workers = if arguments.no_worker { Workers::Elsewhere } else { Workers::Inside };
    serve(&config, instance, workers, stop_signal()?).await?;
    Ok(Done::Whole)
}

/// A connection is a file, and the listeners hold as many as this process may open. Most systems
/// begin with 1,024 and allow more.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// Where campaigns are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workers {
    /// In this process, beside the pages.
    Inside,
    /// In processes of their own, or nowhere.
    Elsewhere,
}

/// Answers, and runs campaigns if it is to, until it is told to stop.
pub(super) async fn serve(
    config: &Config,
    instance: Arc<Instance>,
    workers: Workers,
    stop: watch::Receiver<bool>,
) -> Result<(), CommandFailure> {
    let listeners = wiring::listeners(config)?;
    let pages = wiring::Pages::new(config, Arc::clone(&instance)).await?;
    while_key_holds(&instance, stop, |stop| {
        answer(config, &instance, pages, &listeners, workers, stop)
    })
    .await
}

async fn answer(
    config: &Config,
    instance: &Instance,
    pages: wiring::Pages,
    listeners: &[ServeOptions],
    workers: Workers,
    stop: watch::Receiver<bool>,
) -> Result<(), CommandFailure> {
    let answering = listeners.iter().map(|options| {
        let routes = pages.routes(options);
        web::serve(options, routes, stop.clone())
    });
    tokio::try_join!(try_join_all(answering), async {
        if workers == Workers::Inside {
            run_campaigns(config, instance, stop.clone()).await;
        }
        Ok(())
    })?;
    Ok(())
}

/// Pages are answered whether or not this host may send.
async fn run_campaigns(config: &Config, instance: &Instance, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = run_worker(config, instance, stop.clone()).await {
            tracing::warn!(%error, "campaigns are not run by this process");
        }
        tokio::select! {
            () = time::sleep(DISARMED_POLL) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

async fn run_worker(
    config: &Config,
    instance: &Instance,
    stop: watch::Receiver<bool>,
) -> Result<(), CommandFailure> {
    let means = wiring::means(config, instance).await?;
    work(config, instance, &means, false, stop).await
}
