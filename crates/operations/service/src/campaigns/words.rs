use std::collections::BTreeMap;

use campaign::{NameError, Plan, TemplateDigest, TemplateName};
use model::NoticeKind;
use notice::{BaseUrl, Composer, Language, Rendered, TEMPLATES};
use sha2::{Digest, Sha256};

use super::{CampaignError, specimen::Specimens};

/// The words that a site's notices are made of.
#[derive(Debug)]
pub struct Words {
    composer: Composer,
    /// For people whose language is not known, or not written.
    pub(super) language: Language,
    digests: BTreeMap<TemplateName, TemplateDigest>,
    subjects: BTreeMap<(NoticeKind, Language), String>,
}

impl Words {
    /// Writes a specimen of every notice, holds it against the rules, and takes the digest of what
    /// campaigns send. `pages` is where reset links lead, if any are mailed.
    ///
    /// # Errors
    /// [`WordsError`] if the site's name or paths would make a notice that reads like a forgery.
    pub fn new(
        site: &notice::Site,
        language: Language,
        pages: Option<&BaseUrl>,
    ) -> Result<Self, WordsError> {
        let composer = Composer::new(site.clone()).map_err(WordsError::compose)?;
        let specimens = Specimens::new(site, &composer, pages)?;
        let (mut digests, mut subjects) = (BTreeMap::new(), BTreeMap::new());
        for language in Language::ALL.iter().copied() {
            for kind in NoticeKind::ALL.iter().copied() {
                let rendered = specimens.write(kind, language)?;
                if kind == NoticeKind::ResetRequired {
                    let name = format!("{kind}/{language}").parse()?;
                    digests.insert(name, digest(site, &rendered, language));
                }
                subjects.insert((kind, language), rendered.subject);
            }
        }
        Ok(Self { composer, language, digests, subjects })
    }

    pub(crate) const fn composer(&self) -> &Composer {
        &self.composer
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

    /// The subject of a notice.
    pub(crate) fn subject(&self, kind: NoticeKind, language: Language) -> String {
        self.subjects.get(&(kind, language)).cloned().unwrap_or_default()
    }

    /// The language of somebody whose locale this is.
    pub(crate) fn language_of(&self, locale: Option<&str>) -> Language {
        locale.and_then(Language::of_locale).unwrap_or(self.language)
    }
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

/// Why the site's words cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// It would read like a forgery.
    #[error(
        "the notice {kind} in {language} breaks the rules: {faults}; look at the section [site]{}",
        if *kind == NoticeKind::ResetLink { " and at `recovery.pages_url`" } else { "" }
    )]
    Faults {
        /// Which notice.
        kind: NoticeKind,
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
    pub(super) fn compose(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Compose(Box::new(error))
    }
}
