use futures_util::future::BoxFuture;
use instance::Instance;
use model::NoticeId;
use notice::NoticeCode;
use store::{StoreError, Tx};

/// The code by which a recipient checks a notice: the same whenever it is printed.
#[must_use]
pub fn code_of(instance: &Instance, notice: NoticeId) -> NoticeCode {
    NoticeCode::derive(&instance.keys().notice_key(), notice.0)
}

/// Keeps what a new notice is looked up by: a keyed hash of its code.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn set_code<'a>(
    instance: &'a Instance,
    tx: &'a mut Tx,
    notice: NoticeId,
) -> BoxFuture<'a, Result<(), StoreError>> {
    Box::pin(async move {
        let lookup = code_of(instance, notice).lookup(&instance.keys().notice_key());
        tx.set_code_lookup(notice, lookup).await
    })
}
