use std::collections::HashSet;

use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault};
use model::NoticeId;
use store::KeptCode;

use crate::{
    code::lookups,
    limits::{CODES_PER_ROUND, ENDED_PER_ROUND},
};

/// How far a look at all notices has come, by their codes and by the log. Behind the last one it begins
/// anew.
#[derive(Debug)]
pub struct CodeWatch {
    after: NoticeId,
    ended: NoticeId,
}

impl Default for CodeWatch {
    fn default() -> Self {
        Self { after: FIRST, ended: FIRST }
    }
}

/// Before every notice.
const FIRST: NoticeId = NoticeId(0);

/// A notice that the page denies whoever has got it.
#[derive(Debug, thiserror::Error)]
pub enum DeniedNotice {
    /// It has a code that was never mailed.
    #[error(
        "the code of notice {0} is not the one that its mail has, so that the page denies that mail: its \
         row, or its address's, is not as it was written; put it back from a backup"
    )]
    Code(NoticeId),
    /// Somebody had asked for it.
    #[error(
        "notice {0} was written for somebody who had asked for it, by the audit log, and its row is gone, \
         so that the page denies that mail: somebody else has written to the store; put it back from a \
         backup"
    )]
    Gone(NoticeId),
}

/// Looks at the notices whose turn it is. A table of millions takes many rounds.
///
/// # Errors
/// [`InstanceFault`] if the store fails, or the log is not what was signed.
pub fn watch_codes<'a>(
    instance: &'a Instance,
    watch: &'a mut CodeWatch,
) -> BoxFuture<'a, Result<Vec<DeniedNotice>, InstanceFault>> {
    Box::pin(async move {
        let mut denied = denied(instance, &mut watch.after).await?;
        denied.extend(gone(instance, &mut watch.ended).await?);
        Ok(denied)
    })
}

/// Looks at all notices.
///
/// # Errors
/// As [`watch_codes`].
pub fn check_codes(instance: &Instance) -> BoxFuture<'_, Result<Vec<DeniedNotice>, InstanceFault>> {
    Box::pin(async move {
        let (mut watch, mut found) = (CodeWatch::default(), Vec::new());
        loop {
            found.extend(denied(instance, &mut watch.after).await?);
            if watch.after == FIRST {
                break;
            }
        }
        loop {
            found.extend(gone(instance, &mut watch.ended).await?);
            if watch.ended == FIRST {
                return Ok(found);
            }
        }
    })
}

async fn denied(
    instance: &Instance,
    after: &mut NoticeId,
) -> Result<Vec<DeniedNotice>, InstanceFault> {
    let mut tx = instance.store().read().await?;
    let kept = tx.notice_codes_after(*after, CODES_PER_ROUND).await?;
    *after = kept.last().map_or(FIRST, |last| last.notice);
    let denied = kept.iter().filter(|kept| is_denied(instance, kept));
    Ok(denied.map(|kept| DeniedNotice::Code(kept.notice)).collect())
}

/// Those of campaigns are counted wherever these are compared with the log.
async fn gone(
    instance: &Instance,
    after: &mut NoticeId,
) -> Result<Vec<DeniedNotice>, InstanceFault> {
    let mut tx = instance.store().read().await?;
    let ended = instance.proved(&mut tx).await?.requested_ended_after(*after, ENDED_PER_ROUND);
    let last = ended.last().copied().unwrap_or(FIRST);
    let kept: HashSet<_> = tx.requested_notices_among(*after, last).await?.into_iter().collect();
    *after = last;
    let gone = ended.into_iter().filter(|notice| !kept.contains(notice));
    Ok(gone.map(DeniedNotice::Gone).collect())
}

/// A key that nobody has can be the one of no mail that was sent.
fn is_denied(instance: &Instance, kept: &KeptCode) -> bool {
    let KeptCode { notice, key, address_key, lookup } = kept;
    let own = address_key.as_ref().map(|address| lookups(instance, *notice, *key, address));
    !matches!(own, Some(Ok(own)) if own.contains(lookup))
}
