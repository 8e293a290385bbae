//! Takes campaigns' work, as long as there is any, and does it.
//!
//! Any number of these run beside each other, on any hosts: what each may begin is decided in the
//! store, at every claim. Here is only the waiting in between.

use std::time::Duration;

use futures_util::future::join_all;
use service::{Means, Site, WorkError, Worked, Worker};
use tokio::{sync::watch, time};

/// How long to wait before asking again for work where there was none.
pub const IDLE: Duration = Duration::from_millis(500);

/// How long to wait after something went wrong.
pub const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How often to see who has chosen a new password.
pub const LOOK_AROUND: Duration = Duration::from_mins(1);

/// How this process works.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Addresses and mails in hand at the same time.
    pub lanes: usize,
    /// Whether to end once no campaign runs.
    pub until_done: bool,
}

/// Works until it is told to stop, and then finishes what is in hand. With
/// [`Options::until_done`] it also ends when no campaign runs.
///
/// # Errors
/// [`WorkError`] at once if a guard refuses this host, and, with [`Options::until_done`], if a rule
/// keeps a campaign from going on: then too, what is in hand is finished first. Anything else is
/// logged and tried again.
pub async fn run(
    site: &Site,
    means: &Means,
    options: Options,
    stop: watch::Receiver<bool>,
) -> Result<(), WorkError> {
    let first = Worker::new(site, means);
    first.check_guard().await?;
    let over = watch::Sender::new(false);
    let lanes = (0..options.lanes.max(1)).map(|_| {
        let lane =
            Lane { worker: Worker::new(site, means), options, stop: stop.clone(), over: &over };
        lane.run()
    });
    let working = async {
        let done = join_all(lanes).await;
        over.send_replace(true);
        done.into_iter().collect::<Result<(), _>>()
    };
    let (worked, watched) = tokio::join!(working, look_around(&first, over.subscribe()));
    worked.and(watched)
}

/// One piece of work after the other.
struct Lane<'a> {
    worker: Worker<'a>,
    options: Options,
    stop: watch::Receiver<bool>,
    /// Becomes true when one lane cannot go on, and the others are to finish what they have.
    over: &'a watch::Sender<bool>,
}

impl Lane<'_> {
    async fn run(mut self) -> Result<(), WorkError> {
        let done = self.work().await;
        if done.is_err() {
            self.over.send_replace(true);
        }
        done
    }

    async fn work(&mut self) -> Result<(), WorkError> {
        while !*self.stop.borrow() && !*self.over.borrow() {
            match self.worker.work().await {
                Ok(Worked::Something) => {}
                Ok(Worked::Nothing) if self.options.until_done && !self.is_running().await? => {
                    return Ok(());
                }
                Ok(Worked::Nothing) => self.wait(IDLE).await,
                Err(refused) if self.options.until_done && refused.is_refusal() => {
                    return Err(refused);
                }
                Err(error) => {
                    tracing::error!(%error, "a campaign could not go on");
                    self.wait(AFTER_FAILURE).await;
                }
            }
        }
        Ok(())
    }

    async fn is_running(&self) -> Result<bool, WorkError> {
        self.worker.is_anything_running().await
    }

    async fn wait(&mut self, duration: Duration) {
        let mut over = self.over.subscribe();
        tokio::select! {
            () = time::sleep(duration) => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
            _ = over.wait_for(|over| *over) => {}
        }
    }
}

async fn look_around(
    worker: &Worker<'_>,
    mut ended: watch::Receiver<bool>,
) -> Result<(), WorkError> {
    while !*ended.borrow() {
        if let Err(error) = worker.look_around().await {
            tracing::error!(%error, "could not look around");
        }
        tokio::select! {
            () = time::sleep(LOOK_AROUND) => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
    }
    Ok(())
}
