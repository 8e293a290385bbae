use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault};
use model::NoticeId;
use store::KeptCode;

use crate::{code::lookups, limits::CODES_PER_ROUND};

/// How far a look at the codes of all notices has come. Behind the last one it begins anew.
#[derive(Debug)]
pub struct CodeWatch {
    after: NoticeId,
}

impl Default for CodeWatch {
    fn default() -> Self {
        Self { after: FIRST }
    }
}

/// Before every notice.
const FIRST: NoticeId = NoticeId(0);

/// A notice that the page denies whoever has got it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the code of notice {0} is not the one that its mail has, so that the page denies that mail: its row, or \
     its address's, is not as it was written; put it back from a backup"
)]
pub struct DeniedNotice(NoticeId);

/// Looks at the codes of the notices whose turn it is. A table of millions takes many rounds.
///
/// # Errors
/// [`InstanceFault`] if the store fails.
pub fn watch_codes<'a>(
    instance: &'a Instance,
    watch: &'a mut CodeWatch,
) -> BoxFuture<'a, Result<Vec<DeniedNotice>, InstanceFault>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let kept = tx.notice_codes_after(watch.after, CODES_PER_ROUND).await?;
        watch.after = kept.last().map_or(FIRST, |last| last.notice);
        let denied = kept.iter().filter(|kept| is_denied(instance, kept));
        Ok(denied.map(|kept| DeniedNotice(kept.notice)).collect())
    })
}

/// Looks at the codes of all notices.
///
/// # Errors
/// As [`watch_codes`].
pub fn check_codes(instance: &Instance) -> BoxFuture<'_, Result<Vec<DeniedNotice>, InstanceFault>> {
    Box::pin(async move {
        let (mut watch, mut denied) = (CodeWatch::default(), Vec::new());
        loop {
            denied.extend(watch_codes(instance, &mut watch).await?);
            if watch.after == FIRST {
                return Ok(denied);
            }
        }
    })
}

/// A key that nobody has can be the one of no mail that was sent.
fn is_denied(instance: &Instance, kept: &KeptCode) -> bool {
    let KeptCode { notice, key, address_key, lookup } = kept;
    let own = address_key.as_ref().map(|address| lookups(instance, *notice, *key, address));
    !matches!(own, Some(Ok(own)) if own.contains(lookup))
}
