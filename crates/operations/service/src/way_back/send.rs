use model::{NoticeKind, Timestamp};
use notice::{
    AccountName, Answer, Browser, Composed, ExposureAnswer, Language, NoticeCode, ResetDone,
    SelfRequestedLink,
};
use recovery::{LinkRow, ResetToken, links_to_supersede};
use store::{Notice, RequestedNotice, Tx};

use super::letter::{Found, Letter, Told};
use crate::{
    CampaignError, TellError, WorkError, Worker, campaigns::exposures, limits::REQUESTED_RETRY,
    roster::roster_in,
};

impl Worker<'_> {
    /// Sends the next notice that no campaign sends; `false` if none is to be sent now.
    pub(crate) async fn send_requested(&self) -> Result<bool, WorkError> {
        if self.site.store.read().await?.requested_notices_due().await? == 0 {
            return Ok(false);
        }
        let Some(claimed) = self.claim_requested().await? else { return Ok(false) };
        let notice = claimed.notice;
        let mail = self.compose_requested(claimed);
        Box::pin(self.carry(&notice, REQUESTED_RETRY, mail)).await?;
        Ok(true)
    }

    /// Commits one notice as `inflight`. The token of its link is made here: it stands in the
    /// mail, its digest in the store, and nowhere else anything.
    async fn claim_requested(&self) -> Result<Option<Claimed>, WorkError> {
        let mut tx = self.site.store.begin().await?;
        let roster = roster_in(&mut tx, self.site, self.means.founding).await;
        let roster = roster.map_err(CampaignError::from)?;
        self.means.guard.check(&mut tx, self.site, &roster).await?;
        let left = tx.requested_notices_left_in_flight().await?;
        self.give_up_on_dead(&mut tx, &left).await?;
        let Some(notice) = tx.requested_notice_to_send().await? else {
            tx.commit().await?;
            return Ok(None);
        };
        let notice = self.begin_notice(&mut tx, notice).await?;
        let about = tx.requested_notice(notice.id).await?;
        let link = match notice.kind {
            NoticeKind::ResetLink => Some(self.mail_link(&mut tx, &about).await?),
            _ => None,
        };
        tx.commit().await?;
        Ok(Some(Claimed { notice, about, link }))
    }

    /// Gives a link its token, and ends the oldest of too many others.
    async fn mail_link(
        &self,
        tx: &mut Tx,
        about: &RequestedNotice,
    ) -> Result<(ResetToken, LinkRow), WorkError> {
        let id = about.link.ok_or(TellError::NoPages)?;
        let token = ResetToken::generate(&*self.site.randomness);
        let row = LinkRow::new(tx.now().await?);
        let (now, until) = (row.created_at, row.expires_at);
        tx.mail_reset_link(id, *token.digest().as_bytes(), now, until).await?;
        let live = tx.live_reset_links(&about.account, id, now).await?;
        let too_many = links_to_supersede(live.len() as u64);
        for old in live.into_iter().take(usize::try_from(too_many).unwrap_or(usize::MAX)) {
            tx.supersede_reset_link(old).await?;
        }
        Ok((token, row))
    }

    async fn compose_requested(&self, claimed: Claimed) -> Result<Composed, WorkError> {
        let Claimed { notice, about, link } = claimed;
        let letter = Letter::of(self.site, notice.id, &about)?;
        let recipient = letter.recipient()?;
        let name = AccountName::of(letter.username.as_deref());
        let code = NoticeCode::derive(&self.site.vault.notice_key(), notice.id.0);
        let language = self.language(&about);
        match (&letter.told, link) {
            (Told::Link, Some((token, row))) => {
                let pages = self.means.pages.as_ref().ok_or(TellError::NoPages)?;
                let url = pages.reset(&format!("reset/{}", *token.to_text()));
                let url = url.map_err(TellError::from)?;
                let facts = SelfRequestedLink::new(recipient, name, url, row.expires_at, code);
                self.write(&notice, &facts.map_err(TellError::from)?, language)
            }
            (Told::Link, None) => Err(TellError::NoPages.into()),
            (Told::Done { at_micros, user_agent, others_signed_out }, _) => {
                let at = Timestamp::from_micros(*at_micros);
                let browser = user_agent.as_deref().and_then(Browser::of_user_agent);
                let others = *others_signed_out;
                let facts = ResetDone::new(recipient, name, at, browser, others, code);
                self.write(&notice, &facts.map_err(TellError::from)?, language)
            }
            (Told::Answer(found), _) => {
                let answer = self.answer(&about, found).await?;
                let facts = ExposureAnswer::new(recipient, name, answer, code);
                self.write(&notice, &facts.map_err(TellError::from)?, language)
            }
        }
    }

    /// What was found, with where it was.
    async fn answer(&self, about: &RequestedNotice, found: &Found) -> Result<Answer, WorkError> {
        Ok(match found {
            Found::Nothing { until_micros } => {
                Answer::NothingFound { until: Timestamp::from_micros(*until_micros) }
            }
            Found::Open => Answer::UnderReview,
            Found::SwitchedOff { campaign, at_micros, chosen_since } => {
                let mut tx = self.site.store.read().await?;
                let exposures = exposures(tx.reset_exposures(*campaign, &about.account).await?)?;
                let at = Timestamp::from_micros(*at_micros);
                Answer::SwitchedOff { at, exposures, chosen_since: *chosen_since }
            }
        })
    }

    fn language(&self, about: &RequestedNotice) -> Language {
        about.language.parse().unwrap_or_else(|_| self.means.words.language_of(None))
    }
}

/// A notice in this worker's hands.
struct Claimed {
    notice: Notice,
    about: RequestedNotice,
    link: Option<(ResetToken, LinkRow)>,
}
