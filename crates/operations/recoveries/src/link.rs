//! Reset links are made when their mail leaves: the token stands in the mail, what it is found and
//! bound by in the store, and nowhere else anything.

use campaigns::WorkerContext;
use instance::Instance;
use model::{CredentialVersion, KeyId, SubjectId, Timestamp};
use outbox::TellError;
use recovery::{BoundTo, LinkKey, LinkRow, ResetToken, limits::LINK_LIFETIME, links_to_supersede};
use store::{LinkId, MailedLink, RequestedNotice, StoreError, Tx};

use crate::{RequestError, finish::account_now};

/// Gives a link its token, for the password and the address of this moment, and ends the oldest of
/// too many others.
pub(crate) async fn mail_link(
    context: &WorkerContext<'_>,
    about: &RequestedNotice,
) -> Result<(ResetToken, LinkRow), RequestError> {
    let instance = context.instance;
    let id = about.link.ok_or(TellError::NoPages)?;
    let version = version_now(context, about.subject).await?;
    let token = ResetToken::generate(instance.randomness());
    let mut tx = instance.store().begin().await?;
    let row = LinkRow::new(tx.now().await?);
    let (mailed_at, expires_at) = (row.created_at, row.expires_at);
    let RequestedNotice { subject, address_key, .. } = *about;
    let bound = BoundTo { link: id.0, subject, version, address_key, mailed_at, expires_at };
    let key = link_key(instance);
    let digest = *token.digest(&key).as_bytes();
    let binding = *token.binding(&key, &bound).as_bytes();
    let mailed = MailedLink { digest, binding, mailed_at, expires_at, key: instance.keys().id() };
    tx.mail_reset_link(id, mailed).await?;
    end_oldest(&mut tx, subject, id, mailed_at).await?;
    tx.commit().await?;
    Ok((token, row))
}

/// What links are made with.
fn link_key(instance: &Instance) -> LinkKey {
    LinkKey::new(*instance.keys().link_key())
}

/// What links that may work now were made with. Those of a key that was rotated end with the last link
/// that was mailed by it.
pub(crate) fn live_link_keys(instance: &Instance, now: Timestamp) -> Vec<(KeyId, LinkKey)> {
    let keys = instance.keys().live_link_keys(now, LINK_LIFETIME).into_iter();
    keys.map(|(id, key)| (id, LinkKey::new(*key))).collect()
}

/// The password that a link is to replace, as the connection has it that writes: a copy that lags may
/// still hold the one that was sealed. A link to an account without one leads nowhere.
async fn version_now(
    context: &WorkerContext<'_>,
    subject: SubjectId,
) -> Result<CredentialVersion, RequestError> {
    let mut tx = context.instance.store().read().await?;
    let account = context.instance.account_of(&mut tx, subject).await?;
    drop(tx);
    let found = account_now(&*context.means.directory, &account).await?;
    let credential = found.and_then(|account| account.credential);
    let version = credential.map(|credential| credential.version(context.instance.keys()));
    Ok(version.unwrap_or(CredentialVersion::from_bytes([0; 32])))
}

async fn end_oldest(
    tx: &mut Tx,
    subject: SubjectId,
    newest: LinkId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let live = tx.live_reset_links(subject, newest, now).await?;
    let too_many = links_to_supersede(live.len() as u64);
    for old in live.into_iter().take(usize::try_from(too_many).unwrap_or(usize::MAX)) {
        tx.supersede_reset_link(old).await?;
    }
    Ok(())
}
