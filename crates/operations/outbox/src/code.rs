use futures_util::future::BoxFuture;
use instance::{DecryptError, Instance, InstanceFault};
use model::NoticeId;
use notice::NoticeCode;
use store::{Notice, Tx};

/// The code by which a recipient checks a notice: the same whenever it is printed, whichever instance
/// key is in force by then.
///
/// # Errors
/// [`DecryptError`] if the store has not had the key that the notice names.
pub fn code_of(instance: &Instance, notice: &Notice) -> Result<NoticeCode, DecryptError> {
    Ok(NoticeCode::derive(&*instance.keys().notice_key(notice.key)?, notice.id.0))
}

/// Keeps what a new notice is looked up by: a keyed hash of its code, which is of the key in force.
///
/// # Errors
/// [`InstanceFault`] if the store fails.
pub fn set_code<'a>(
    instance: &'a Instance,
    tx: &'a mut Tx,
    notice: NoticeId,
) -> BoxFuture<'a, Result<(), InstanceFault>> {
    Box::pin(async move {
        let id = instance.keys().id();
        let key = instance.keys().notice_key(Some(id))?;
        let lookup = NoticeCode::derive(&key, notice.0).lookup(&key);
        Ok(tx.set_code_lookup(notice, lookup, id).await?)
    })
}
