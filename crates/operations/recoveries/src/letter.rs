use instance::{Encrypted, Instance, purpose::LETTER};
use ledger::RecoveryEvent;
use model::{Account, CampaignId, NoticeId, NoticeKind, SubjectId};
use notice::{Address, Language};
use outbox::{Addressee, TellError, requested_digest};
use serde::{Deserialize, Serialize};
use store::{LinkId, NewRequestedNotice, RequestedNotice, Tx};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Whom a notice goes to that no campaign sends, and what it tells: kept, encrypted, until it is
/// final.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Letter {
    address: String,
    pub(crate) username: Option<String>,
    #[zeroize(skip)]
    pub(crate) told: LetterBody,
}

/// What a notice tells, besides what its row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LetterBody {
    /// A link, whose token is made when the mail leaves.
    Link,
    /// That a password was chosen.
    Done { at_micros: i64, user_agent: Option<String>, others_signed_out: bool },
    /// Whether a password stands in stolen data.
    Answer(Found),
}

/// What is known of an account's password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Found {
    /// Nothing, when it was compared last.
    Nothing {
        until_micros: i64,
        /// Whether leaks name the account. Letters of versions before 0.2.0 do not say it.
        #[serde(default)]
        is_compared: bool,
    },
    /// Nobody can tell: of what leaks hold about the account, not all was compared with it.
    NotChecked {
        is_named: bool,
        /// Whether they may name it in what could not be read. Letters of versions before 0.2.0 do not say
        /// it.
        #[serde(default)]
        is_partial: bool,
    },
    /// It stands in stolen data, and nothing has been done about it yet.
    Open,
    /// A campaign has taken it out of use.
    SwitchedOff { campaign: CampaignId, at_micros: i64, chosen_since: bool },
}

impl LetterBody {
    pub(crate) const fn kind(&self) -> NoticeKind {
        match self {
            Self::Link => NoticeKind::ResetLink,
            Self::Done { .. } => NoticeKind::ResetDone,
            Self::Answer(_) => NoticeKind::ExposureAnswer,
        }
    }
}

impl Letter {
    pub(crate) fn recipient(&self) -> Result<Address, TellError> {
        Ok(self.address.parse()?)
    }

    /// Reads what is kept of a notice.
    pub(crate) fn of(
        instance: &Instance,
        id: NoticeId,
        notice: &RequestedNotice,
    ) -> Result<Self, TellError> {
        let (Some(wrapped), Some(kept)) = (&notice.wrapped_key, &notice.kept) else {
            return Err(TellError::Forgotten { id });
        };
        Ok(instance.decrypt(LETTER, LETTER, wrapped, kept)?)
    }
}

/// What is to be told to the owner of an account.
pub(crate) struct NewLetter<'a> {
    pub(crate) account: &'a Account,
    pub(crate) subject: SubjectId,
    pub(crate) addressee: &'a Addressee,
    pub(crate) told: LetterBody,
    pub(crate) language: Language,
    pub(crate) link: Option<LinkId>,
    /// A keyed hash of where it was asked for.
    pub(crate) source: Option<[u8; 32]>,
}

/// Writes a notice that no campaign sends, in the transaction that decided so.
pub(crate) async fn post(
    instance: &Instance,
    tx: &mut Tx,
    new: NewLetter<'_>,
) -> Result<RecoveryEvent, TellError> {
    let NewLetter { account, subject, addressee, told, language, link, source } = new;
    let kind = told.kind();
    let (address, username) = (addressee.address.to_string(), account.username.clone());
    let letter = Letter { address, username, told };
    let encrypted = instance.encrypt(LETTER, LETTER, &letter);
    let Encrypted { wrapped_key, body } = encrypted.map_err(TellError::Kept)?;
    let notice = NewRequestedNotice {
        kind,
        subject,
        link,
        language: language.to_string(),
        address_key: *addressee.key.as_bytes(),
        source,
        wrapped_key,
        kept: body,
    };
    let now = tx.now().await?;
    let id = tx.add_requested_notice(notice, now).await?;
    let row = Some(requested_digest(&tx.requested_notice(id).await?));
    Ok(RecoveryEvent::RequestedNoticeMade { notice: id, kind, whom: subject.into(), row })
}
