//! One piece of work after the other.

use std::collections::BTreeSet;

use campaigns::{
    Worked, WorkerContext, check_campaigns_kept, judge_left_sealings, moving_campaigns, work_on,
};
use recoveries::{is_request_due, resolve_next, send_requested};
use tokio::sync::{Notify, watch};

use crate::{
    Options, WorkError,
    left::is_anything_left,
    resting::{Resting, WorkPart},
};

pub(crate) struct Lane<'a> {
    pub(crate) context: WorkerContext<'a>,
    pub(crate) options: Options,
    pub(crate) stop: watch::Receiver<bool>,
    /// Becomes true when one lane cannot go on, and the others are to finish what they have.
    pub(crate) over: &'a watch::Sender<bool>,
    /// Wakes it when there is something to do.
    pub(crate) due: &'a Notify,
    /// What a rule keeps from going on: with [`Options::until_done`], it is left alone, and what is said of
    /// the first is this lane's error once nothing else is under way.
    pub(crate) refused: BTreeSet<WorkPart>,
    /// What something has just gone wrong with: others' work does not wait for it.
    pub(crate) resting: Resting,
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
            let worked = self.work_once().await;
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
                    wait(self.resting.wait(called), &mut self.stop, self.over).await;
                }
            }
        }
        self.keep_up().await;
        refusal.map_or(Ok(()), Err)
    }

    /// Does the next thing that is to be done: sees to people who wait for a mail, then to any campaign,
    /// and then to what another worker has left. What something is wrong with does not keep the rest from
    /// going on: it rests for a while, and its error is returned after all have been tried.
    async fn work_once(&mut self) -> Result<Worked, WorkError> {
        let mut round = Round::default();
        if self.may_try(WorkPart::Requests) {
            let seen_to = see_to_requests(&self.context).await;
            if let Err(error) = &seen_to {
                self.refuse_requests(error).await?;
            }
            round.add(seen_to.map(worked_if), WorkPart::Requests, &mut self.resting);
        }
        let moving = moving_campaigns(self.context.instance).await;
        let moving = moving.inspect_err(|_| self.resting.begin(WorkPart::All))?;
        for campaign in moving {
            let part = WorkPart::Campaign(campaign);
            if !self.may_try(part) {
                continue;
            }
            let worked = work_on(&self.context, campaign).await.map_err(WorkError::from);
            if self.options.until_done && worked.as_ref().is_err_and(WorkError::is_refusal) {
                self.refused.insert(part);
            }
            round.add(worked, part, &mut self.resting);
        }
        // Rows of the site may be waited for here: whoever is to be told by now is told before.
        if !round.is_told {
            self.see_to_what_is_left(&mut round).await;
        }
        round.failed.map_or(Ok(round.worked), Err)
    }

    fn may_try(&self, part: WorkPart) -> bool {
        !self.refused.contains(&part) && self.resting.is_over(part)
    }

    /// A mail whose row is refused is put aside: others that are due may leave all the same.
    async fn refuse_requests(&mut self, error: &WorkError) -> Result<(), WorkError> {
        let may_go_on = error.is_of_one_mail() && is_request_due(self.context.instance).await?;
        if self.options.until_done && error.is_refusal() && !may_go_on {
            self.refused.insert(WorkPart::Requests);
        }
        Ok(())
    }

    /// In whatever state its campaign is: what is intended is done or undone, never in between.
    async fn see_to_what_is_left(&mut self, round: &mut Round) {
        if self.may_try(WorkPart::Left) {
            let mut contradicted = BTreeSet::new();
            let judged = judge_left_sealings(&self.context, &mut contradicted).await;
            let judged = judged.map(worked_if).map_err(WorkError::from);
            round.add(judged, WorkPart::Left, &mut self.resting);
            if self.options.until_done {
                self.refused.extend(contradicted.into_iter().map(WorkPart::Campaign));
            }
        }
        if self.may_try(WorkPart::Kept) {
            let kept = check_campaigns_kept(self.context.instance).await;
            let kept = kept.map(|()| Worked::Nothing).map_err(WorkError::from);
            round.add(kept, WorkPart::Kept, &mut self.resting);
        }
    }

    /// What is recorded last, such as a halt, is nothing that anything else is done after.
    async fn keep_up(&self) {
        let permission = &self.context.means.outbox.permission;
        if let Err(error) = permission.keep_up(self.context.instance).await {
            tracing::error!(%error, "what was done last is not remembered outside the store");
        }
    }

    async fn is_rest_over(&self) -> Result<bool, WorkError> {
        Ok(!is_anything_left(self.context.instance, &self.refused).await?)
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

/// What came of trying everything once.
struct Round {
    worked: Worked,
    is_told: bool,
    failed: Option<WorkError>,
}

impl Default for Round {
    fn default() -> Self {
        Self { worked: Worked::Nothing, is_told: false, failed: None }
    }
}

impl Round {
    fn add(&mut self, worked: Result<Worked, WorkError>, part: WorkPart, resting: &mut Resting) {
        match worked {
            Ok(Worked::Nothing) => {}
            Ok(Worked::Something) => self.worked = Worked::Something,
            Ok(Worked::Told) => (self.worked, self.is_told) = (Worked::Something, true),
            Err(error) => {
                resting.begin(part);
                self.failed.get_or_insert(error);
            }
        }
    }
}

const fn worked_if(so: bool) -> Worked {
    if so { Worked::Something } else { Worked::Nothing }
}

/// Somebody sits before a page and waits.
async fn see_to_requests(context: &WorkerContext<'_>) -> Result<bool, WorkError> {
    let resolved = resolve_next(context).await?;
    Ok(send_requested(context).await? || resolved)
}
