//! A scheduler in the place of chance. Outside of a simulated task nothing happens here either.

use std::{io, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{task::futures::TaskLocalFuture, time};

tokio::task_local! {
    static HOOK: Arc<dyn Hook>;
}

/// Who decides over a simulated task.
pub trait Hook: Send + Sync {
    /// Ready when the task may go on from a named moment. Dropping the task there is a crash.
    fn reach(&self, name: &'static str) -> BoxFuture<'static, ()>;

    /// Ready when so much of the simulation's time has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// What becomes of the commit that is about to be made.
    fn fate(&self) -> CommitFate;

    /// The hook of what goes on beside the task.
    fn beside(&self) -> Arc<dyn Hook>;

    /// Whether a fault of the past is put back.
    fn is_mutant(&self, name: &'static str) -> bool;
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFate {
    /// It is made, and answered.
    Answered,
    /// It is made, and its answer is lost.
    AnswerLost,
    /// It never arrives.
    NeverArrives,
}

/// Runs a task under a hook.
pub fn simulated<F: Future>(hook: Arc<dyn Hook>, task: F) -> TaskLocalFuture<Arc<dyn Hook>, F> {
    HOOK.scope(hook, task)
}

/// Passes a named moment.
pub async fn reach(name: &'static str) {
    if let Some(hook) = hook() {
        hook.reach(name).await;
    }
}

/// Commits. `lost` is what an answer that did not come is to its caller.
pub fn committing<E: Send + 'static>(
    commit: BoxFuture<'static, Result<(), E>>,
    lost: fn(io::Error) -> E,
) -> BoxFuture<'static, Result<(), E>> {
    Box::pin(async move {
        let Some(hook) = hook() else { return commit.await };
        let fate = hook.fate();
        if fate == CommitFate::NeverArrives {
            drop(commit);
            hook.reach("commit_failed").await;
            return Err(lost(broken()));
        }
        commit.await?;
        hook.reach("committed").await;
        if fate == CommitFate::AnswerLost { Err(lost(broken())) } else { Ok(()) }
    })
}

/// Waits.
pub async fn sleep(duration: Duration) {
    match hook() {
        Some(hook) => hook.sleep(duration).await,
        None => time::sleep(duration).await,
    }
}

/// What goes on beside the rest of its task, at its own pace.
pub async fn beside<F: Future>(work: F) -> F::Output {
    match hook() {
        Some(hook) => HOOK.scope(hook.beside(), work).await,
        None => work.await,
    }
}

pub(crate) fn hook() -> Option<Arc<dyn Hook>> {
    HOOK.try_with(Arc::clone).ok()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection broke at COMMIT")
}
