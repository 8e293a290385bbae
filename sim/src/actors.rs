//! Who acts: workers, upkeep, operators. Each is a task that calls the program's operations.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use campaigns::{
    Reconciling, ResetWatch, Worked, WorkerContext, judge_left_sealings, moving_campaigns, work_on,
};
use failpoint::{reach, sleep};
use futures_util::future::LocalBoxFuture;
use recoveries::{finish_resets, resolve_next, send_requested};

use crate::{
    SimResult,
    world::{CAMPAIGN, Host, Silent},
};

/// How long a worker that has nothing to do waits, longer each time, and one that something went
/// wrong for.
const IDLE: Duration = Duration::from_secs(4);
const IDLE_MAX: Duration = Duration::from_secs(64);
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How often a host sees to upkeep.
const UPKEEP: Duration = Duration::from_mins(1);

/// How often the site's table is compared with what is kept, by whichever host comes first.
const RECONCILE: Duration = Duration::from_mins(2);

/// What happened, line by line: equal seeds make equal lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    /// Errors that were told, since they were forgotten.
    errors: usize,
}

impl Trace {
    pub(crate) fn line(&self, line: String) {
        self.lock().lines.push(line);
    }

    /// What the program tells somebody.
    fn error(&self, of: &str, error: impl fmt::Display) {
        let mut told = self.lock();
        told.lines.push(format!("  {of}: {error}"));
        told.errors += 1;
    }

    pub(crate) fn errors(&self) -> usize {
        self.lock().errors
    }

    pub(crate) fn forget_errors(&self) {
        self.lock().errors = 0;
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Halt,
    HaltAll,
    Resume,
    Finish,
    Close,
}

/// A lane of a worker, until it is killed.
pub(crate) fn worker(host: Arc<Host>, name: String, trace: Trace) -> LocalBoxFuture<'static, ()> {
    Box::pin(async move {
        let context = WorkerContext::new(&host.instance, &host.means);
        let mut idle = IDLE;
        loop {
            reach("idle").await;
            match work_once(&context, &trace, &name).await {
                Ok(Worked::Told | Worked::Something) => idle = IDLE,
                Ok(Worked::Nothing) => {
                    sleep(idle).await;
                    idle = (idle * 2).min(IDLE_MAX);
                }
                Err(error) => {
                    trace.error(&name, error);
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
    })
}

/// As a lane of `worker` does it.
async fn work_once(context: &WorkerContext<'_>, trace: &Trace, name: &str) -> SimResult<Worked> {
    let (mut worked, mut is_told) = (Worked::Nothing, false);
    if resolve_next(context).await? || send_requested(context).await? {
        worked = Worked::Something;
    }
    for campaign in moving_campaigns(context.instance).await? {
        match work_on(context, campaign).await {
            Ok(Worked::Told) => (worked, is_told) = (Worked::Something, true),
            Ok(Worked::Something) => worked = Worked::Something,
            Ok(Worked::Nothing) => {}
            Err(error) => {
                trace.error(name, error);
                sleep(AFTER_FAILURE).await;
            }
        }
    }
    if is_told {
        return Ok(worked);
    }
    match judge_left_sealings(context, &mut BTreeSet::new()).await {
        Ok(true) => worked = Worked::Something,
        Ok(false) => {}
        Err(error) => {
            trace.error(name, error);
            sleep(AFTER_FAILURE).await;
        }
    }
    Ok(worked)
}

/// What a host does now and then.
pub(crate) fn upkeep(host: Arc<Host>, name: String, trace: Trace) -> LocalBoxFuture<'static, ()> {
    Box::pin(async move {
        let context = WorkerContext::new(&host.instance, &host.means);
        let mut watch = ResetWatch::default();
        loop {
            sleep(UPKEEP).await;
            if let Err(error) = upkeep_once(&context, &mut watch).await {
                trace.error(&name, error);
            }
        }
    })
}

async fn upkeep_once(context: &WorkerContext<'_>, watch: &mut ResetWatch) -> SimResult {
    let (instance, means) = (context.instance, context.means);
    campaigns::watch_round(instance, &*means.directory, &means.verifier, watch).await?;
    finish_resets(context).await?;
    let reconciling = Reconciling {
        instance,
        directory: &*means.directory,
        verifier: &means.verifier,
        progress: &Silent,
    };
    campaigns::reconcile_if_due(&reconciling, RECONCILE, Box::pin(std::future::pending())).await?;
    campaigns::destroy_old_secrets(instance).await?;
    Ok(means.outbox.permission.confirm(instance).await?)
}

/// One command of an operator.
pub(crate) fn operator(
    host: Arc<Host>,
    order: Order,
    name: String,
    trace: Trace,
) -> LocalBoxFuture<'static, ()> {
    Box::pin(async move {
        match carry_out(&host, order).await {
            Ok(()) => trace.line(format!("  {name}: {order:?} is done")),
            Err(error) => trace.error(&format!("{name}: {order:?}"), error),
        }
    })
}

async fn carry_out(host: &Host, order: Order) -> SimResult {
    match order {
        Order::Halt => drop(campaigns::halt_campaign(&host.instance, CAMPAIGN).await?),
        Order::HaltAll => drop(campaigns::halt_everything(&host.instance).await?),
        Order::Close => drop(campaigns::close_campaign(&host.instance, CAMPAIGN).await?),
        Order::Resume => {
            host.freeze().await?;
            host.sign().await?;
            host.resume().await?;
        }
        Order::Finish => {
            host.finish().await?;
            host.sign().await?;
            host.resume().await?;
        }
    }
    Ok(())
}
