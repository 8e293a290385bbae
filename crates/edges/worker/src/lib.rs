//! The scheduler: takes the work of campaigns and requests, as long as there is any, and does it.
//!
//! Any number of these run beside each other, on any hosts: what each may begin is decided in the
//! store, at every claim. Here is only the waiting in between.

mod alarm;
mod failure;
mod lane;
mod left;
mod maintenance;
mod options;
mod reconciling;
mod resting;
mod standstill;

use std::collections::BTreeSet;

use campaigns::{CampaignError, Means, StandingStill, WorkerContext, contradictions};
use futures_util::future::{BoxFuture, join_all};
use instance::Instance;
use tokio::sync::{Notify, watch};

pub use failure::WorkError;
pub use options::Options;

use alarm::Alarm;
use lane::Lane;
use maintenance::maintain;
use reconciling::keep_comparing;
use resting::Resting;
use standstill::StandstillWatch;

/// Works until it is told to stop, and then finishes what is in hand. With
/// [`Options::until_done`] it also ends when no campaign runs, nothing is left in between, and nobody waits
/// for a mail that they have asked for.
///
/// # Errors
/// [`WorkError`] at once if this host may not send, and, with [`Options::until_done`], if a rule
/// keeps a campaign from going on, once the others are over, or if one stands still. Anything else is
/// logged and tried again.
pub fn run<'a>(
    instance: &'a Instance,
    means: &'a Means,
    options: Options,
    stop: watch::Receiver<bool>,
) -> BoxFuture<'a, Result<(), WorkError>> {
    Box::pin(async move {
        match means.outbox.permission.confirm(instance).await {
            // It goes on by itself once they answer: nothing is begun before.
            Err(error) if error.is_for_want_of_witnesses() && !options.until_done => {
                tracing::warn!(%error, "nothing is sealed or sent for now");
            }
            confirmed => confirmed?,
        }
        let (over, due) = (watch::Sender::new(false), Notify::new());
        let lanes = (0..options.concurrency.max(1)).map(|_| {
            let context = WorkerContext::new(instance, means);
            let (stop, refused) = (stop.clone(), BTreeSet::new());
            let resting = Resting::default();
            Lane { context, options, stop, over: &over, due: &due, refused, resting }.run()
        });
        let working = async {
            let done = join_all(lanes).await;
            over.send_replace(true);
            done.into_iter().collect::<Result<(), _>>()
        };
        let upkeep = WorkerContext::new(instance, means);
        let standstill = StandstillWatch::begin(instance, options.standstill_after);
        let alarm = Alarm { instance, options, due: &due, over: &over, standstill };
        let comparing =
            Box::pin(keep_comparing(&upkeep, options.reconcile_every, over.subscribe()));
        let maintaining = maintain(&upkeep, standstill, over.subscribe());
        let (worked, (), (), still) =
            tokio::join!(working, maintaining, comparing, alarm.keep_watch());
        worked?;
        if let Some(StandingStill { name, since }) = still {
            return Err(CampaignError::StandsStill { name, since }.into());
        }
        if options.until_done && !*stop.borrow() {
            find_contradiction(instance).await
        } else {
            Ok(())
        }
    })
}

/// Rows that nobody has come upon may hide people who are still to be told.
async fn find_contradiction(instance: &Instance) -> Result<(), WorkError> {
    let found = contradictions(instance).await?.into_iter().next();
    found.map_or(Ok(()), |row| Err(CampaignError::from(row).into()))
}
