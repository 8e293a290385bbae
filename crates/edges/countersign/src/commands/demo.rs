//! The whole job on an invented site, by the same operations as all other commands.

mod outcome;
mod play;
mod stage;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use demo::{DemoOptions, DemoSite};
use tempfile::TempDir;

use super::{
    CommandContext, CommandFailure,
    serve::{Workers, serve},
    worker::stop_signal,
};
use crate::{
    cli::Demo,
    output::{Done, Output, grouped},
};
use outcome::DemoOutcome;
use stage::DemoStage;

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Demo,
) -> Result<Done, CommandFailure> {
    let begun = Instant::now();
    let folder = Folder::of(arguments)?;
    let site = invent(context, folder.path(), arguments)?;
    let stage = DemoStage::set(folder.path(), free_address(arguments.port)?).await?;
    let played = play::play(context, &stage, &site).await?;
    let outcome = DemoOutcome::of(&played, &site, begun.elapsed());
    context.output.result("countersign.demo/1", &outcome, outcome::for_people)?;
    if let Some(wrong) = outcome.wrong() {
        Output::tell(format!("\nThe outcome is not the truth: {wrong}"));
        return Ok(Done::Unsound);
    }
    if !arguments.once {
        show(context, stage).await?;
    }
    Ok(Done::Whole)
}

/// Where everything of a demonstration is.
enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn of(arguments: &Demo) -> Result<Self, CommandFailure> {
        let Some(folder) = &arguments.dir else {
            return Ok(Self::Temporary(tempfile::Builder::new().prefix("countersign-").tempdir()?));
        };
        std::fs::create_dir(folder)
            .map_err(|source| NoFolder { folder: folder.clone(), source })?;
        Ok(Self::Kept(folder.clone()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(folder) => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// Other people's accounts, and what other sites have lost of them.
fn invent(
    context: &CommandContext<'_>,
    folder: &Path,
    arguments: &Demo,
) -> Result<DemoSite, CommandFailure> {
    let options = DemoOptions { accounts: arguments.accounts, seed: arguments.seed };
    let site = demo::make(folder, options)?;
    let (accounts, records) = (site.truth.accounts, site.truth.all.tally.records);
    context.tell(format!(
        "An invented site of {} accounts, and {} leaks with {} records whose truth is known.",
        grouped(accounts),
        site.leaks.len(),
        grouped(records),
    ));
    Ok(site)
}

/// Links in mails name the port before anybody listens there.
fn free_address(port: u16) -> Result<SocketAddr, CommandFailure> {
    let on = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    Ok(on(port).or_else(|_| on(0))?.local_addr()?)
}

/// What there is to see, in the order in which somebody would look at it.
fn places() -> [(String, &'static str); 6] {
    let place = |path: &str, what| (path.to_owned(), what);
    [
        place("/rehearsal", "where to start"),
        (format!("/rehearsal/campaign/{}", play::CAMPAIGN), "the report, with its chart"),
        place("/rehearsal/mail", "the mailbox: open a notice"),
        place("/check", "check its code, with the address it came to"),
        place("/forgot", "ask for a link to a new password; it comes into the mailbox"),
        place("/notices", "what the site says in public"),
    ]
}

/// Serves what there is to see, until somebody has seen enough.
async fn show(context: &CommandContext<'_>, stage: DemoStage) -> Result<(), CommandFailure> {
    let origin = format!("http://{}", stage.address);
    context.tell("\nOpen next:\n");
    for (path, what) in places() {
        context.tell(format!("  {:<50} {what}", format!("{origin}{path}")));
    }
    context.tell("\nCtrl-C ends it, and removes everything that was not asked to be kept.");
    let DemoStage { config, instance, .. } = stage;
    serve(&config, Arc::new(instance), Workers::Inside, stop_signal()?).await
}

#[derive(Debug, thiserror::Error)]
#[error("--dir {}: {source}; name a folder that does not exist yet", folder.display())]
struct NoFolder {
    folder: PathBuf,
    source: std::io::Error,
}
