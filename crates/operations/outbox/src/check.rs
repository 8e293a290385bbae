use futures_util::future::BoxFuture;
use ledger::NoticeStep;
use model::{NoticeKind, NoticeState, Timestamp};
use notice::{NoticeCode, ShownText};
use store::{CodedNotice, Notice, Tx};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use instance::{Instance, InstanceFault};

use crate::{code::lookups_of, shown::shown_of};

/// What a recipient is told of a notice that is ours. It names neither account nor address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedNotice {
    /// What it says.
    pub kind: NoticeKind,
    /// What it says; `None` if that was not kept: it was sent by an earlier version, or nobody can
    /// tell whether it was sent.
    pub shown: Option<ShownText>,
    /// When it was written.
    pub made_at: Timestamp,
    /// When the mail server had the last word on it.
    pub ended_at: Option<Timestamp>,
    /// How far it is.
    pub status: NoticeState,
}

/// Looks a notice up by what its recipient types. Only the pair of code and address answers;
/// everything else is `None`, by the same path.
///
/// # Errors
/// [`CheckError`] if the store fails.
pub fn check_notice<'a>(
    instance: &'a Instance,
    code: &'a str,
    address: &'a str,
) -> BoxFuture<'a, Result<Option<CheckedNotice>, CheckError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let Some(found) = find(instance, &mut tx, code, address).await? else { return Ok(None) };
        let CodedNotice { notice, ended_at, .. } = found;
        let kept = tx.notice_text(notice.id).await?;
        let shown = kept.map(|kept| shown_of(instance, notice.id, &kept)).transpose()?;
        let Notice { kind, made_at, state: status, .. } = notice;
        Ok(Some(CheckedNotice { kind, shown, made_at, ended_at, status }))
    })
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
