//! Invented people's notices, the same for ever: what a site's words look like.

use model::{NoticeKind, Provenance, Tier, Timestamp};
use notice::{
    AccountName, Address, Answer, BaseUrl, Composer, Exposure, ExposureAnswer, Facts, Language,
    NoticeCode, Rendered, ResetDone, ResetRequired, SelfRequestedLink, lint,
};

use crate::WordsError;

/// 17 May 2016.
const FOUND: Timestamp = Timestamp::from_micros(1_463_443_200_000_000);

/// The last part of the path of a link that leads nowhere.
const NO_TOKEN: &str = "reset/specimen";

/// What specimens are written with.
pub(super) struct Specimens<'a> {
    site: &'a notice::Site,
    composer: &'a Composer,
    pages: BaseUrl,
}

impl<'a> Specimens<'a> {
    /// Where nobody has said where links lead, they lead to the sender's own domain.
    pub(super) fn new(
        site: &'a notice::Site,
        composer: &'a Composer,
        pages: Option<&BaseUrl>,
    ) -> Result<Self, WordsError> {
        let own = format!("https://{}", site.sender.from().domain());
        let own = || own.parse().map_err(WordsError::compose);
        Ok(Self { site, composer, pages: pages.cloned().map_or_else(own, Ok)? })
    }

    /// What a recipient would see, if it keeps the rules.
    pub(super) fn write(
        &self,
        kind: NoticeKind,
        language: Language,
    ) -> Result<Rendered, WordsError> {
        match kind {
            NoticeKind::ResetRequired => self.checked(&self.reset_required()?, language),
            NoticeKind::ResetLink => self.checked(&self.reset_link()?, language),
            NoticeKind::ResetDone => self.checked(&self.reset_done()?, language),
            NoticeKind::ExposureAnswer => self.checked(&self.exposure_answer()?, language),
        }
    }

    fn checked<F: Facts>(&self, facts: &F, language: Language) -> Result<Rendered, WordsError> {
        let rendered = self.composer.preview(facts, language).map_err(WordsError::compose)?;
        let faults = lint(&rendered, self.site, facts, language);
        if faults.is_empty() {
            return Ok(rendered);
        }
        let faults = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Err(WordsError::Faults { kind: F::KIND, language, faults })
    }

    fn reset_required(&self) -> Result<ResetRequired, WordsError> {
        let (accounts, exposures) = (vec![account()], vec![exposure()?]);
        let facts = ResetRequired::new(self.recipient(), accounts, exposures, code());
        facts.map_err(WordsError::compose)
    }

    fn reset_link(&self) -> Result<SelfRequestedLink, WordsError> {
        let url = self.pages.reset(NO_TOKEN).map_err(WordsError::compose)?;
        let facts = SelfRequestedLink::new(self.recipient(), account(), url, FOUND, code());
        facts.map_err(WordsError::compose)
    }

    fn reset_done(&self) -> Result<ResetDone, WordsError> {
        let facts = ResetDone::new(self.recipient(), account(), FOUND, None, true, code());
        facts.map_err(WordsError::compose)
    }

    fn exposure_answer(&self) -> Result<ExposureAnswer, WordsError> {
        let answer =
            Answer::SwitchedOff { at: FOUND, exposures: vec![exposure()?], chosen_since: false };
        let facts = ExposureAnswer::new(self.recipient(), account(), answer, code());
        facts.map_err(WordsError::compose)
    }

    fn recipient(&self) -> Address {
        self.site.sender.from().clone()
    }
}

fn account() -> AccountName {
    AccountName::of(Some("specimen"))
}

/// The same in every version: plans are signed with the digest of what specimens say.
fn code() -> NoticeCode {
    NoticeCode::derive_unbound(&[0; 32], 0)
}

fn exposure() -> Result<Exposure, WordsError> {
    let name = "Specimen Books".parse().map_err(WordsError::compose)?;
    let date = "2016-05".parse().map_err(WordsError::compose)?;
    let exposure = Exposure::new(FOUND, Tier::Exact, name, Some(date), Provenance::Circulating);
    exposure.map_err(WordsError::compose)
}
