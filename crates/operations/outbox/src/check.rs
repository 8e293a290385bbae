use futures_util::future::BoxFuture;
use ledger::NoticeStep;
use model::{CampaignId, NoticeId, NoticeKind, NoticeState, Timestamp};
use notice::NoticeCode;
use store::{CodedNotice, Errand, StoreError, Tx};
use subtle::ConstantTimeEq;

use instance::{Instance, InstanceFault};

use crate::{Kept, Words};

/// What a recipient is told of a notice that is ours. It names neither account nor address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedNotice {
    /// What it says.
    pub kind: NoticeKind,
    /// The subject that it bears.
    pub subject: String,
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
    words: &'a Words,
    code: &'a str,
    address: &'a str,
) -> BoxFuture<'a, Result<Option<CheckedNotice>, CheckError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let Some(notice) = find(instance, &mut tx, code, address).await? else { return Ok(None) };
        let CodedNotice { notice, ended_at, ref language, .. } = notice;
        let language = match (language, notice.errand) {
            (Some(written), _) => written.parse().ok(),
            (None, Errand::Campaign { campaign, .. }) => {
                let locale = locale(instance, &mut tx, campaign, notice.id).await?;
                Some(words.language_of(locale.as_deref()))
            }
            (None, Errand::Request) => None,
        };
        let language = language.unwrap_or_else(|| words.language_of(None));
        Ok(Some(CheckedNotice {
            kind: notice.kind,
            subject: words.subject(notice.kind, language),
            made_at: notice.made_at,
            ended_at,
            status: notice.state,
        }))
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
) -> Result<Option<CodedNotice>, StoreError> {
    let key = instance.keys().notice_key();
    // No HMAC is all zeros, as far as anybody will ever see.
    let lookup = code.parse::<NoticeCode>().map_or([0; 32], |code| code.lookup(&key));
    let found = tx.notice_by_code(lookup).await?;
    let exact = model::address::exact(address).unwrap_or_default();
    let campaign = found.as_ref().and_then(|found| found.notice.errand.campaign());
    let typed = instance.keys().address_key(campaign, &exact);
    let kept = found.as_ref().map_or([0; 32], |found| found.address_key);
    let is_pair: bool = typed.ct_eq(&kept).into();
    Ok(found.filter(|_| is_pair))
}

/// A campaign's notice is written in the language of its accounts' locale.
async fn locale(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    notice: NoticeId,
) -> Result<Option<String>, CheckError> {
    for account in tx.notice_lines(notice).await? {
        let line = tx.reset_line(campaign, &account).await?;
        let Some(line) = line else { continue };
        if let (Some(wrapped), Some(kept)) = (&line.wrapped_key, &line.kept) {
            let kept = Kept::decrypt(instance, campaign, &account, wrapped, kept)?;
            if kept.locale.is_some() {
                return Ok(kept.locale.clone());
            }
        }
    }
    Ok(None)
}

/// Why a notice cannot be checked now. It says nothing of the notice.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

instance::from_faults!(CheckError);
