use std::time::Duration;

use campaigns::{WorkerContext, exposures};
use futures_util::future::BoxFuture;
use model::{NoticeKind, Timestamp};
use notice::{
    AccountName, Answer, Browser, Composed, ExposureAnswer, Language, ResetDone, SelfRequestedLink,
};
use outbox::{NoticeSource, TellError, code_of, send_next};
use recovery::{LinkRow, ResetToken, links_to_supersede};
use store::{Notice, RequestedNotice, StoreError, Tx};

use crate::{
    RequestError,
    letter::{Found, Letter, LetterBody},
    limits::REQUESTED_RETRY,
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

/// What a requested notice is made of.
struct RequestedDraft {
    about: RequestedNotice,
    /// The token of its link stands in the mail, its digest in the store, and nowhere else
    /// anything.
    link: Option<(ResetToken, LinkRow)>,
}

impl NoticeSource for RequestedNotices<'_> {
    type Gate = ();
    type Draft = RequestedDraft;
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

    async fn draft(&self, tx: &mut Tx, notice: &Notice) -> Result<RequestedDraft, RequestError> {
        let about = tx.requested_notice(notice.id).await?;
        let link = match notice.kind {
            NoticeKind::ResetLink => Some(self.mail_link(tx, &about).await?),
            _ => None,
        };
        Ok(RequestedDraft { about, link })
    }

    async fn compose(
        &self,
        notice: &Notice,
        draft: RequestedDraft,
    ) -> Result<Composed, RequestError> {
        Ok(self.write(notice, draft).await?)
    }
}

impl RequestedNotices<'_> {
    /// Gives a link its token, and ends the oldest of too many others.
    async fn mail_link(
        &self,
        tx: &mut Tx,
        about: &RequestedNotice,
    ) -> Result<(ResetToken, LinkRow), RequestError> {
        let id = about.link.ok_or(TellError::NoPages)?;
        let token = ResetToken::generate(self.context.instance.randomness());
        let row = LinkRow::new(tx.now().await?);
        let (now, until) = (row.created_at, row.expires_at);
        tx.mail_reset_link(id, *token.digest().as_bytes(), now, until).await?;
        let live = tx.live_reset_links(about.subject, id, now).await?;
        let too_many = links_to_supersede(live.len() as u64);
        for old in live.into_iter().take(usize::try_from(too_many).unwrap_or(usize::MAX)) {
            tx.supersede_reset_link(old).await?;
        }
        Ok((token, row))
    }

    async fn write(&self, notice: &Notice, draft: RequestedDraft) -> Result<Composed, TellError> {
        let (instance, sender) = (self.context.instance, self.context.sender());
        let RequestedDraft { about, link } = draft;
        let letter = Letter::of(instance, notice.id, &about)?;
        let recipient = letter.recipient()?;
        let name = AccountName::of(letter.username.as_deref());
        let code = code_of(instance, notice.id);
        let language = self.language(&about);
        match (&letter.told, link) {
            (LetterBody::Link, Some((token, row))) => {
                let pages = sender.outbox.pages.as_ref().ok_or(TellError::NoPages)?;
                let url = pages.reset(&format!("reset/{}", *token.to_text()))?;
                let facts = SelfRequestedLink::new(recipient, name, url, row.expires_at, code)?;
                sender.write(notice, &facts, language)
            }
            (LetterBody::Link, None) => Err(TellError::NoPages),
            (LetterBody::Done { at_micros, user_agent, others_signed_out }, _) => {
                let at = Timestamp::from_micros(*at_micros);
                let browser = user_agent.as_deref().and_then(Browser::of_user_agent);
                let others = *others_signed_out;
                let facts = ResetDone::new(recipient, name, at, browser, others, code)?;
                sender.write(notice, &facts, language)
            }
            (LetterBody::Answer(found), _) => {
                let answer = self.answer(&about, found).await?;
                let facts = ExposureAnswer::new(recipient, name, answer, code)?;
                sender.write(notice, &facts, language)
            }
        }
    }

    /// What was found, with where it was.
    async fn answer(&self, about: &RequestedNotice, found: &Found) -> Result<Answer, TellError> {
        Ok(match found {
            Found::Nothing { until_micros } => {
                Answer::NothingFound { until: Timestamp::from_micros(*until_micros) }
            }
            Found::Open => Answer::UnderReview,
            Found::SwitchedOff { campaign, at_micros, chosen_since } => {
                let mut tx = self.context.instance.store().read().await?;
                let exposures = exposures(tx.reset_exposures(*campaign, about.subject).await?)?;
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
