use std::time::Duration;

use campaigns::{WorkerContext, exposures_of};
use futures_util::future::BoxFuture;
use model::Timestamp;
use notice::{
    AccountName, Answer, Browser, Composed, ExposureAnswer, Language, NoticeCode, ResetDone,
    SelfRequestedLink,
};
use outbox::{NoticeSource, TellError, send_next};
use recovery::{LinkRow, ResetToken};
use store::{Notice, RequestedNotice, StoreError, Tx};

use crate::{
    RequestError,
    letter::{Found, Letter, LetterBody},
    limits::REQUESTED_RETRY,
    link::mail_link,
};

/// Sends the next notice that no campaign sends; `false` if none is to be sent now.
///
/// # Errors
/// [`RequestError`] says why it could not be sent.
pub fn send_requested<'a>(
    context: &'a WorkerContext<'a>,
) -> BoxFuture<'a, Result<bool, RequestError>> {
    Box::pin(async move {
        if context.instance.store().read().await?.requested_notices_due().await? == 0 {
            return Ok(false);
        }
        send_next(&context.sender(), &RequestedNotices { context }).await
    })
}

/// The mails that people ask for, and the confirmations of what they did.
struct RequestedNotices<'a> {
    context: &'a WorkerContext<'a>,
}

impl NoticeSource for RequestedNotices<'_> {
    type Gate = ();
    type Draft = RequestedNotice;
    type Error = RequestError;

    async fn gate(&self, tx: &mut Tx) -> Result<Option<()>, RequestError> {
        self.context.means.outbox.permission.check(tx, self.context.instance).await?;
        Ok(Some(()))
    }

    async fn left_in_flight(&self, tx: &mut Tx) -> Result<Vec<Notice>, StoreError> {
        tx.requested_notices_left_in_flight().await
    }

    async fn next(&self, tx: &mut Tx, (): &()) -> Result<Option<(Notice, Duration)>, RequestError> {
        let notice = tx.requested_notice_to_send().await?;
        Ok(notice.map(|notice| (notice, REQUESTED_RETRY)))
    }

    async fn draft(
        &self,
        tx: &mut Tx,
        (): &(),
        notice: &Notice,
    ) -> Result<RequestedNotice, RequestError> {
        Ok(tx.requested_notice(notice.id).await?)
    }

    async fn compose(
        &self,
        notice: &Notice,
        code: NoticeCode,
        about: RequestedNotice,
    ) -> Result<Composed, RequestError> {
        let letter = Letter::of(self.context.instance, notice.id, &about)?;
        let told = self.facts(&letter, &about).await?;
        let language = self.language(&about);
        Ok(self.write(notice, code, &letter, told, language)?)
    }
}

/// What a letter tells, with all that is known only as it leaves.
enum LetterFacts {
    Link(ResetToken, LinkRow),
    Done { at: Timestamp, browser: Option<Browser>, others_signed_out: bool },
    Answer(Answer),
}

impl RequestedNotices<'_> {
    async fn facts(
        &self,
        letter: &Letter,
        about: &RequestedNotice,
    ) -> Result<LetterFacts, RequestError> {
        Ok(match &letter.told {
            LetterBody::Link => {
                let (token, row) = mail_link(self.context, about).await?;
                LetterFacts::Link(token, row)
            }
            LetterBody::Done { at_micros, user_agent, others_signed_out } => LetterFacts::Done {
                at: Timestamp::from_micros(*at_micros),
                browser: user_agent.as_deref().and_then(Browser::of_user_agent),
                others_signed_out: *others_signed_out,
            },
            LetterBody::Answer(found) => LetterFacts::Answer(self.answer(about, found).await?),
        })
    }

    fn write(
        &self,
        notice: &Notice,
        code: NoticeCode,
        letter: &Letter,
        told: LetterFacts,
        language: Language,
    ) -> Result<Composed, TellError> {
        let (recipient, sender) = (letter.recipient()?, self.context.sender());
        let name = AccountName::of(letter.username.as_deref());
        match told {
            LetterFacts::Link(token, row) => {
                let pages = sender.outbox.pages.as_ref().ok_or(TellError::NoPages)?;
                let url = pages.reset(&format!("reset/{}", *token.to_text()))?;
                let facts = SelfRequestedLink::new(recipient, name, url, row.expires_at, code)?;
                sender.write(notice, &facts, language)
            }
            LetterFacts::Done { at, browser, others_signed_out: others } => {
                let facts = ResetDone::new(recipient, name, at, browser, others, code)?;
                sender.write(notice, &facts, language)
            }
            LetterFacts::Answer(answer) => {
                let facts = ExposureAnswer::new(recipient, name, answer, code)?;
                sender.write(notice, &facts, language)
            }
        }
    }

    /// What was found, with where it was.
    async fn answer(&self, about: &RequestedNotice, found: &Found) -> Result<Answer, RequestError> {
        Ok(match found {
            Found::Nothing { until_micros, is_compared } => {
                let until = Timestamp::from_micros(*until_micros);
                Answer::NothingFound { until, is_compared: *is_compared }
            }
            Found::NotChecked { is_named, is_partial } => {
                Answer::NotChecked { is_named: *is_named, is_partial: *is_partial }
            }
            Found::Open => Answer::UnderReview,
            Found::SwitchedOff { campaign, at_micros, chosen_since } => {
                let instance = self.context.instance;
                let mut tx = instance.store().begin().await?;
                let exposures = exposures_of(instance, &mut tx, *campaign, about.subject).await?;
                let at = Timestamp::from_micros(*at_micros);
                Answer::SwitchedOff { at, exposures, chosen_since: *chosen_since }
            }
        })
    }

    fn language(&self, about: &RequestedNotice) -> Language {
        let words = &self.context.means.outbox.words;
        about.language.parse().unwrap_or_else(|_| words.language_of(None))
    }
}
