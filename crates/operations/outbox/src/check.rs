use futures_util::future::BoxFuture;
use ledger::{FoldRefusal, NoticeFold, NoticeStep};
use model::{NoticeKind, NoticeState, Timestamp};
use notice::{NoticeCode, ShownText};
use store::{CodedNotice, Notice, Tx};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use instance::{Instance, InstanceFault, LogError};

use crate::{
    code::lookups_of,
    shown::{KeptStanding, kept_of},
};

/// What a recipient is told of a notice that is ours. It names neither account nor address, and says
/// nothing that stands in a row alone, but for the kind of one of which nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedNotice {
    /// What it says.
    pub kind: NoticeKind,
    /// What it says; `None` if that was not kept: it was sent by an earlier version, or nobody can
    /// tell whether it was sent.
    pub shown: Option<ShownText>,
    /// When it was written; `None` if nobody can tell any more.
    pub made_at: Option<Timestamp>,
    /// How far it is.
    pub status: NoticeState,
    /// When it came so far; `None` if nobody can tell any more.
    pub moved_at: Option<Timestamp>,
}

/// Looks a notice up by what its recipient types. Only the pair of code and address answers;
/// everything else is `None`, by the same path.
///
/// # Errors
/// [`CheckError`] if the store fails, or if the log does not know the notice.
pub fn check_notice<'a>(
    instance: &'a Instance,
    code: &'a str,
    address: &'a str,
) -> BoxFuture<'a, Result<Option<CheckedNotice>, CheckError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let Some(found) = find(instance, &mut tx, code, address).await? else { return Ok(None) };
        let notice = found.notice;
        let text = tx.notice_text(notice.id).await?;
        let kept = text.map(|text| kept_of(instance, notice.id, &text)).transpose()?;
        drop(tx);
        let standing = match logged(instance, &notice).await? {
            Some(standing) => Some(standing),
            None => {
                kept.as_ref().and_then(|kept| kept.standing).filter(|kept| kept.state.is_final())
            }
        };
        Ok(Some(CheckedNotice {
            kind: standing.map_or(notice.kind, |standing| standing.kind),
            made_at: standing.map(|standing| standing.made_at),
            status: standing.map_or(NoticeState::Uncertain, |standing| standing.state),
            moved_at: standing.map(|standing| standing.moved_at),
            shown: kept.map(|kept| kept.shown),
        }))
    })
}

/// How far the log says that a notice is. It forgets what people have asked for once that is final.
async fn logged(instance: &Instance, notice: &Notice) -> Result<Option<KeptStanding>, CheckError> {
    let campaign = notice.errand.campaign();
    // One of its own: whoever has asked for something else before sees an earlier log than this
    // process may know already.
    let mut tx = instance.store().read().await?;
    let log = instance.proved(&mut tx).await?;
    match log.notice(campaign, notice.id) {
        Some(&NoticeFold { kind, made_at, state, moved_at, .. }) => {
            Ok(Some(KeptStanding { kind, made_at, state, moved_at }))
        }
        None if campaign.is_some() => {
            Err(LogError::Row(FoldRefusal::Notice { notice: notice.id }).into())
        }
        None => Ok(None),
    }
}

/// Records that a recipient says of a notice that it is not right; `false` for anything but a
/// right pair of code and address. Saying it again changes nothing.
///
/// # Errors
/// [`CheckError`] if the store fails.
pub fn dispute_notice<'a>(
    instance: &'a Instance,
    code: &'a str,
    address: &'a str,
) -> BoxFuture<'a, Result<bool, CheckError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        let Some(found) = find(instance, &mut tx, code, address).await? else { return Ok(false) };
        if tx.dispute_notice(found.notice.id).await? {
            let (campaign, notice) = (found.notice.errand.campaign(), found.notice.id);
            let disputed = NoticeStep::NoticeDisputed { campaign, notice };
            instance.record(&mut tx, &[disputed.into()]).await?;
        }
        tx.commit().await?;
        Ok(true)
    })
}

/// The same look-up and the same hashes whatever was typed.
async fn find(
    instance: &Instance,
    tx: &mut Tx,
    code: &str,
    address: &str,
) -> Result<Option<CodedNotice>, InstanceFault> {
    let code = code.parse::<NoticeCode>().ok();
    // No HMAC is all zeros, as far as anybody will ever see.
    let lookup = |key: Zeroizing<[u8; 32]>| code.map_or([0; 32], |code| code.lookup(&key));
    let lookups: Vec<_> = instance.keys().notice_keys().map(lookup).collect();
    let found = tx.notice_by_code(&lookups).await?;
    let exact = model::address::exact(address).unwrap_or_default();
    let campaign = found.as_ref().and_then(|found| found.notice.errand.campaign());
    let typed = instance.keys().address_key(campaign, &exact);
    let kept = found.as_ref().map_or([0; 32], |found| found.address_key);
    let own = found.as_ref().map_or(Ok([[1; 32]; 2]), |found| lookups_of(instance, found))?;
    let pairs = lookups.iter().flat_map(|typed| own.iter().map(move |own| typed.ct_eq(own)));
    let is_own = pairs.fold(Choice::from(0), |is_own, is_equal| is_own | is_equal);
    let is_pair: bool = (typed.ct_eq(&kept) & is_own).into();
    Ok(found.filter(|_| is_pair))
}

/// Why a notice cannot be checked now. It says nothing of the notice.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

instance::from_faults!(CheckError);
