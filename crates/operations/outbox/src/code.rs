use instance::{DecryptError, Instance, InstanceFault};
use model::{KeyId, NoticeId};
use notice::NoticeCode;
use store::{CodedNotice, Tx};

use crate::SendError;

/// Makes the code by which a recipient checks a notice, and keeps what it is looked up by: a keyed
/// hash of it. Both are of the key in force, which is named.
///
/// The code is bound to the address: whoever gives the notice's row another one in the store makes
/// the page confirm it to nobody.
pub(crate) async fn set_code(
    instance: &Instance,
    tx: &mut Tx,
    notice: NoticeId,
) -> Result<(KeyId, NoticeCode), SendError> {
    let id = instance.keys().id();
    let key = instance.keys().notice_key(Some(id)).map_err(InstanceFault::from)?;
    let code = NoticeCode::derive(&key, notice.0, &tx.notice_address_key(notice).await?);
    tx.set_code_lookup(notice, code.lookup(&key), id).await?;
    Ok((id, code))
}

/// By what a notice is looked up, made anew, since whoever can write to the store may have exchanged
/// two of them: by its code, or by the one that versions before gave it.
pub(crate) fn lookups_of(
    instance: &Instance,
    found: &CodedNotice,
) -> Result<[[u8; 32]; 2], DecryptError> {
    let CodedNotice { notice, address_key, .. } = found;
    lookups(instance, notice.id, notice.key, address_key)
}

/// The same of a notice of this id and key, to this address.
pub(crate) fn lookups(
    instance: &Instance,
    notice: NoticeId,
    key: Option<KeyId>,
    address_key: &[u8; 32],
) -> Result<[[u8; 32]; 2], DecryptError> {
    let key = instance.keys().notice_key(key)?;
    let bound = NoticeCode::derive(&key, notice.0, address_key);
    let codes = [bound, NoticeCode::derive_unbound(&key, notice.0)];
    Ok(codes.map(|code| code.lookup(&key)))
}
