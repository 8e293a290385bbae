//! One piece of work after the other.

use std::{collections::BTreeSet, time::Duration};

use campaigns::{
    Worked, WorkerContext, check_campaigns_kept, is_anything_under_way, judge_left_sealings,
    moving_campaigns, work_on,
};
use model::CampaignId;
use recoveries::{resolve_next, send_requested};
use tokio::{
    sync::{Notify, watch},
    time,
};

use crate::{Options, WorkError};

/// How long to wait after something went wrong.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

pub(crate) struct Lane<'a> {
    pub(crate) context: WorkerContext<'a>,
    pub(crate) options: Options,
    pub(crate) stop: watch::Receiver<bool>,
    /// Becomes true when one lane cannot go on, and the others are to finish what they have.
    pub(crate) over: &'a watch::Sender<bool>,
    /// Wakes it when there is something to do.
    pub(crate) due: &'a Notify,
    /// Campaigns that a rule keeps from going on: with [`Options::until_done`], they are left alone,
    /// and what is said of the first is this lane's error once nothing else is under way.
    pub(crate) refused: BTreeSet<CampaignId>,
}

impl Lane<'_> {
    pub(crate) async fn run(mut self) -> Result<(), WorkError> {
        let done = self.work().await;
        if done.is_err() {
            self.over.send_replace(true);
        }
        done
    }

    async fn work(&mut self) -> Result<(), WorkError> {
        let mut refusal = None;
        while !*self.stop.borrow() && !*self.over.borrow() {
            // Registered before looking, so that no call in between is missed.
            let called = self.due.notified();
            let worked = work_once(&self.context, self.options, &mut self.refused).await;
            self.context.instance.store().log_growths().check_known()?;
            match worked {
                Ok(Worked::Told | Worked::Something) => {}
                Ok(Worked::Nothing) if refusal.is_some() && self.is_rest_over().await? => break,
                Ok(Worked::Nothing) => {
                    self.keep_up().await;
                    wait(called, &mut self.stop, self.over).await;
                }
                Err(refused) if self.options.until_done && refused.is_refusal() => {
                    refusal.get_or_insert(refused);
                    if self.is_rest_over().await? {
                        break;
                    }
                    // What refuses may be no campaign's: then it refuses again at once.
                    wait(called, &mut self.stop, self.over).await;
                }
                Err(error) => {
                    tracing::error!(%error, "a campaign could not go on");
                    self.keep_up().await;
                    wait(time::sleep(AFTER_FAILURE), &mut self.stop, self.over).await;
                }
            }
        }
        self.keep_up().await;
        refusal.map_or(Ok(()), Err)
    }

    /// What is recorded last, such as a halt, is nothing that anything else is done after.
    async fn keep_up(&self) {
        let permission = &self.context.means.outbox.permission;
        if let Err(error) = permission.keep_up(self.context.instance).await {
            tracing::error!(%error, "what was done last is not remembered outside the store");
        }
    }

    async fn is_rest_over(&self) -> Result<bool, WorkError> {
        Ok(!is_anything_under_way(self.context.instance, &self.refused).await?)
    }
}

async fn wait(
    call: impl Future<Output = ()>,
    stop: &mut watch::Receiver<bool>,
    over: &watch::Sender<bool>,
) {
    let mut over = over.subscribe();
    tokio::select! {
        () = call => {}
        _ = stop.wait_for(|stop| *stop) => {}
        _ = over.wait_for(|over| *over) => {}
    }
}

/// Does the next thing that is to be done: sees to people who wait for a mail, then to any campaign,
/// and then to what another worker has left. One that something is wrong with does not keep the
/// others from going on: its error is returned after all have been tried.
async fn work_once(
    context: &WorkerContext<'_>,
    options: Options,
    refused: &mut BTreeSet<CampaignId>,
) -> Result<Worked, WorkError> {
    let (mut worked, mut is_told) = (Worked::Nothing, false);
    let mut failed = None;
    match see_to_requests(context).await {
        Ok(true) => worked = Worked::Something,
        Ok(false) => {}
        Err(error) => failed = Some(error),
    }
    for campaign in moving_campaigns(context.instance).await? {
        if refused.contains(&campaign) {
            continue;
        }
        match work_on(context, campaign).await {
            Ok(Worked::Told) => (worked, is_told) = (Worked::Something, true),
            Ok(Worked::Something) => worked = Worked::Something,
            Ok(Worked::Nothing) => {}
            Err(error) => {
                let error = WorkError::from(error);
                if options.until_done && error.is_refusal() {
                    refused.insert(campaign);
                }
                failed = failed.or(Some(error));
            }
        }
    }
    // Rows of the site may be waited for here: whoever is to be told by now is told before.
    if is_told {
        return failed.map_or(Ok(worked), Err);
    }
    // In whatever state its campaign is: what is intended is done or undone, never in between.
    let mut contradicted = BTreeSet::new();
    match judge_left_sealings(context, &mut contradicted).await {
        Ok(true) => worked = Worked::Something,
        Ok(false) => {}
        Err(error) => failed = failed.or(Some(error.into())),
    }
    if options.until_done {
        refused.extend(contradicted);
    }
    if let Err(error) = check_campaigns_kept(context.instance).await {
        failed = failed.or(Some(error.into()));
    }
    failed.map_or(Ok(worked), Err)
}

/// Somebody sits before a page and waits.
async fn see_to_requests(context: &WorkerContext<'_>) -> Result<bool, WorkError> {
    let resolved = resolve_next(context).await?;
    Ok(send_requested(context).await? || resolved)
}
