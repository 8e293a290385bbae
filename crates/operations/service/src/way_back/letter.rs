use ledger::RecoveryEvent;
use model::{Account, CampaignId, NoticeId, NoticeKind};
use notice::{Address, Language, NoticeCode};
use serde::{Deserialize, Serialize};
use store::{LinkId, NewRequestedNotice, RequestedNotice, Tx};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Site, TellError, VaultError, WorkError, campaigns::Addressee};

/// What its data key is wrapped for, and what it is encrypted with.
const LETTER: &str = "requested notice";

/// Whom a notice goes to that no campaign sends, and what it tells: kept, encrypted, until it is
/// final.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Letter {
    address: String,
    pub(super) username: Option<String>,
    #[zeroize(skip)]
    pub(super) told: Told,
}

/// What a notice tells, besides what its row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Told {
    /// A link, whose token is made when the mail leaves.
    Link,
    /// That a password was chosen.
    Done { at_micros: i64, user_agent: Option<String>, others_signed_out: bool },
    /// Whether a password stands in stolen data.
    Answer(Found),
}

/// What is known of an account's password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Found {
    /// Nothing, up to this moment.
    Nothing { until_micros: i64 },
    /// It stands in stolen data, and nothing has been done about it yet.
    Open,
    /// A campaign has taken it out of use.
    SwitchedOff { campaign: CampaignId, at_micros: i64, chosen_since: bool },
}

impl Told {
    pub(super) const fn kind(&self) -> NoticeKind {
        match self {
            Self::Link => NoticeKind::ResetLink,
            Self::Done { .. } => NoticeKind::ResetDone,
            Self::Answer(_) => NoticeKind::ExposureAnswer,
        }
    }
}

impl Letter {
    pub(super) fn recipient(&self) -> Result<Address, TellError> {
        Ok(self.address.parse()?)
    }

    /// Reads what is kept of a notice.
    pub(super) fn of(
        site: &Site,
        id: NoticeId,
        notice: &RequestedNotice,
    ) -> Result<Self, WorkError> {
        let (Some(wrapped), Some(kept)) = (&notice.wrapped_key, &notice.kept) else {
            return Err(TellError::Forgotten { id }.into());
        };
        let key = site.vault.data_key(LETTER, wrapped)?;
        let plain = key.decrypt(LETTER, kept)?;
        Ok(serde_json::from_slice(&plain).map_err(|_| VaultError::new(LETTER))?)
    }
}

/// What is to be told to the owner of an account.
pub(super) struct NewLetter<'a> {
    pub(super) account: &'a Account,
    pub(super) addressee: &'a Addressee,
    pub(super) told: Told,
    pub(super) language: Language,
    pub(super) link: Option<LinkId>,
    /// A keyed hash of where it was asked for.
    pub(super) source: Option<[u8; 32]>,
}

/// Writes a notice that no campaign sends, in the transaction that decided so.
pub(super) async fn post(
    site: &Site,
    tx: &mut Tx,
    new: NewLetter<'_>,
) -> Result<RecoveryEvent, WorkError> {
    let NewLetter { account, addressee, told, language, link, source } = new;
    let kind = told.kind();
    let (address, username) = (addressee.address.to_string(), account.username.clone());
    let letter = Letter { address, username, told };
    let plain = serde_json::to_vec(&letter).map(Zeroizing::new).map_err(TellError::Kept)?;
    let (key, wrapped_key) = site.vault.new_data_key(LETTER, &*site.randomness);
    let notice = NewRequestedNotice {
        kind,
        account: account.id.clone(),
        link,
        language: language.to_string(),
        address_key: *addressee.key.as_bytes(),
        source,
        wrapped_key,
        kept: key.encrypt(LETTER, &plain, &*site.randomness),
    };
    let now = tx.now().await?;
    let id = tx.add_requested_notice(notice, now).await?;
    let key = site.vault.notice_key();
    tx.set_code_lookup(id, NoticeCode::derive(&key, id.0).lookup(&key)).await?;
    Ok(RecoveryEvent::RequestedNoticeMade { notice: id, kind, account: account.id.clone() })
}
