use std::collections::BTreeMap;

use campaign::{TemplateDigest, TemplateName};
use model::NoticeKind;
use notice::{Address, BaseUrl, Composer, Language, Rendered, TEMPLATES};
use sha2::{Digest, Sha256};

use crate::{WordsError, parts::put, specimen::Specimens};

/// The words that a site's notices are made of.
#[derive(Debug)]
pub struct Words {
    composer: Composer,
    /// For people whose language is not known, or not written.
    language: Language,
    digests: BTreeMap<TemplateName, TemplateDigest>,
    mails: BTreeMap<TemplateName, String>,
}

impl Words {
    /// Writes a specimen of every notice, holds it against the rules, and takes the digest of what
    /// campaigns send. `pages` is where reset links lead, if any are mailed; `bounces` is where what
    /// cannot be delivered goes, if not to the sender.
    ///
    /// # Errors
    /// [`WordsError`] if the site's name or paths would make a notice that reads like a forgery.
    pub fn new(
        site: &notice::Site,
        language: Language,
        pages: Option<&BaseUrl>,
        bounces: Option<&Address>,
    ) -> Result<Self, WordsError> {
        let composer = Composer::new(site.clone()).map_err(WordsError::compose)?;
        let specimens = Specimens::new(site, &composer, pages)?;
        let (mut digests, mut mails) = (BTreeMap::new(), BTreeMap::new());
        for language in Language::ALL.iter().copied() {
            for kind in NoticeKind::ALL.iter().copied() {
                let rendered = specimens.write(kind, language)?;
                if kind == NoticeKind::ResetRequired {
                    let name: TemplateName = format!("{kind}/{language}").parse()?;
                    digests.insert(name.clone(), digest(site, &rendered, language));
                    mails.insert(name, in_full(site, bounces, &rendered));
                }
            }
        }
        Ok(Self { composer, language, digests, mails })
    }

    /// What puts facts into words.
    #[must_use]
    pub const fn composer(&self) -> &Composer {
        &self.composer
    }

    /// What campaigns send: the digest of each template with the words that it makes.
    #[must_use]
    pub const fn digests(&self) -> &BTreeMap<TemplateName, TemplateDigest> {
        &self.digests
    }

    /// What campaigns send, in full and to an invented person: what signers read.
    #[must_use]
    pub const fn mails(&self) -> &BTreeMap<TemplateName, String> {
        &self.mails
    }

    /// The language of somebody whose locale this is.
    #[must_use]
    pub fn language_of(&self, locale: Option<&str>) -> Language {
        locale.and_then(Language::of_locale).unwrap_or(self.language)
    }
}

/// Over the templates as they are written, and over what a recipient would see.
fn digest(site: &notice::Site, rendered: &Rendered, language: Language) -> TemplateDigest {
    let mut hash = Sha256::new();
    for (name, text) in TEMPLATES.iter().filter(|(name, _)| is_of(name, language)) {
        put(&mut hash, name.as_bytes());
        put(&mut hash, text.as_bytes());
    }
    let Rendered { subject, text, html } = rendered;
    for part in [subject, text, html] {
        put(&mut hash, part.as_bytes());
    }
    put(&mut hash, site.sender.from().as_str().as_bytes());
    let reply_to = site.sender.reply_to().map_or("", |address| address.as_str());
    put(&mut hash, reply_to.as_bytes());
    TemplateDigest::from_bytes(hash.finalize().into())
}

/// The text part says all that the other one says.
fn in_full(site: &notice::Site, bounces: Option<&Address>, rendered: &Rendered) -> String {
    let (name, address) = (site.sender.name().as_str(), site.sender.from());
    let line = |field: &str, to: Option<&Address>| {
        to.map(|to| format!("{field}: {to}\n")).unwrap_or_default()
    };
    let reply_to = line("Reply-To", site.sender.reply_to());
    let return_path = line("Return-Path", bounces);
    let Rendered { subject, text, .. } = rendered;
    format!("From: {name} <{address}>\n{reply_to}{return_path}Subject: {subject}\n\n{text}")
}

/// A campaign sends one kind; a plan's signers sign its words, and no other's.
fn is_of(template: &str, language: Language) -> bool {
    let mut parts = template.split('.');
    let kind = parts.next() == Some(NoticeKind::ResetRequired.as_str());
    kind && parts.next() == Some(language.as_str())
}
