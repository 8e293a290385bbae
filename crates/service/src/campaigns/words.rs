use std::collections::BTreeMap;

use campaign::{NameError, Plan, TemplateDigest, TemplateName};
use model::{NoticeKind, Provenance, Tier, Timestamp};
use notice::{
    AccountName, Composer, Exposure, Language, NoticeCode, Rendered, ResetRequired, TEMPLATES, lint,
};
use sha2::{Digest, Sha256};

use super::CampaignError;

/// The words that a site's notices are made of.
#[derive(Debug)]
pub struct Words {
    pub(super) composer: Composer,
    /// For people whose language is not known, or not written.
    pub(super) language: Language,
    digests: BTreeMap<TemplateName, TemplateDigest>,
    subjects: BTreeMap<Language, String>,
}

impl Words {
    /// Writes a specimen of every notice, holds it against the rules, and takes its digest.
    ///
    /// # Errors
    /// [`WordsError`] if the site's name or paths would make a notice that reads like a forgery.
    pub fn new(site: &notice::Site, language: Language) -> Result<Self, WordsError> {
        let composer = Composer::new(site.clone()).map_err(WordsError::compose)?;
        let (mut digests, mut subjects) = (BTreeMap::new(), BTreeMap::new());
        for language in Language::ALL.iter().copied() {
            let rendered = specimen(site, &composer, language)?;
            let name = format!("reset_required/{language}").parse()?;
            digests.insert(name, digest(site, &rendered, language));
            subjects.insert(language, rendered.subject);
        }
        Ok(Self { composer, language, digests, subjects })
    }

    pub(super) const fn digests(&self) -> &BTreeMap<TemplateName, TemplateDigest> {
        &self.digests
    }

    /// Passes a plan that was signed with these very words.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), CampaignError> {
        let names = plan.templates().keys().chain(self.digests.keys());
        let differs = |name: &&TemplateName| plan.templates().get(name) != self.digests.get(name);
        match names.into_iter().find(differs) {
            None => Ok(()),
            Some(name) => {
                Err(CampaignError::OtherWords { what: name.to_string(), plan: plan.digest() })
            }
        }
    }

    /// The subject of the notice that passwords were reset.
    pub(crate) fn subject(&self, language: Language) -> String {
        self.subjects.get(&language).cloned().unwrap_or_default()
    }

    /// The language of somebody whose locale this is.
    pub(crate) fn language_of(&self, locale: Option<&str>) -> Language {
        locale.and_then(Language::of_locale).unwrap_or(self.language)
    }
}

/// What a recipient would see of an invented notice, if it keeps the rules.
fn specimen(
    site: &notice::Site,
    composer: &Composer,
    language: Language,
) -> Result<Rendered, WordsError> {
    let facts = invented(site)?;
    let rendered = composer.preview(&facts, language).map_err(WordsError::compose)?;
    let faults = lint(&rendered, site, &facts, language);
    if faults.is_empty() {
        return Ok(rendered);
    }
    let faults = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Err(WordsError::Faults { language, faults })
}

/// Over the templates as they are written, and over what a recipient would see.
fn digest(site: &notice::Site, rendered: &Rendered, language: Language) -> TemplateDigest {
    let mut hash = Sha256::new();
    for (name, text) in TEMPLATES.iter().filter(|(name, _)| is_of(name, language)) {
        put(&mut hash, name);
        put(&mut hash, text);
    }
    let Rendered { subject, text, html } = rendered;
    for part in [subject, text, html] {
        put(&mut hash, part);
    }
    put(&mut hash, site.sender.from().as_str());
    put(&mut hash, site.sender.reply_to().map_or("", |address| address.as_str()));
    TemplateDigest::from_bytes(hash.finalize().into())
}

/// A campaign sends one kind; a plan's signers sign its words, and no other's.
fn is_of(template: &str, language: Language) -> bool {
    let mut parts = template.split('.');
    let kind = parts.next() == Some(NoticeKind::ResetRequired.as_str());
    kind && parts.next() == Some(language.as_str())
}

/// Lengths go before texts, so that no two lists of texts are one.
fn put(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}

/// An invented person's notice: the same for ever.
fn invented(site: &notice::Site) -> Result<ResetRequired, WordsError> {
    let found = Timestamp::from_micros(1_463_443_200_000_000);
    let leak = "Specimen Books".parse().map_err(WordsError::compose)?;
    let date = "2016-05".parse().map_err(WordsError::compose)?;
    let exposure = Exposure::new(found, Tier::Exact, leak, Some(date), Provenance::Circulating);
    let exposure = exposure.map_err(WordsError::compose)?;
    let recipient = site.sender.from().clone();
    let accounts = vec![AccountName::of(Some("specimen"))];
    let code = NoticeCode::derive(&[0; 32], 0);
    ResetRequired::new(recipient, accounts, vec![exposure], code).map_err(WordsError::compose)
}

/// Why the site's words cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// It would read like a forgery.
    #[error("the notice in {language} breaks the rules: {faults}; look at the section [site]")]
    Faults {
        /// In which language.
        language: Language,
        /// What is wrong with it.
        faults: String,
    },
    /// A template's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No specimen can be written.
    #[error("no specimen of a notice can be written: {0}")]
    Compose(Box<dyn std::error::Error + Send + Sync>),
}

impl WordsError {
    fn compose(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Compose(Box::new(error))
    }
}
