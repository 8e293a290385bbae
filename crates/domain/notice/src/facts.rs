use model::NoticeKind;
use serde::Serialize;

use crate::{Address, Language, MomentError, NoticeCode, ResetUrl, Site, text::shown};

/// What a notice of one kind is made of. One set of templates says it in each language.
pub trait Facts {
    /// Which notice they make, and so which templates and rules it has.
    const KIND: NoticeKind;

    /// Where it goes.
    fn recipient(&self) -> &Address;

    /// What the recipient can check it with.
    fn code(&self) -> NoticeCode;

    /// The accounts that it speaks of, at least one.
    fn accounts(&self) -> &[AccountName];

    /// The one thing in it that can be clicked. Only a notice that somebody asked for has one.
    fn link(&self) -> Option<&ResetUrl> {
        None
    }

    /// Whether its reader has something to do. It then says so step by step.
    fn has_steps(&self) -> bool;

    /// What its templates may speak of, besides what all of them may.
    fn words(&self, language: Language) -> impl Serialize;

    /// What a reader must find in it, besides what is in all of them.
    fn essentials(&self, site: &Site, language: Language) -> Vec<String>;
}

/// Why no notice can be made of these facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// Nobody would know what it is about.
    #[error("a notice names at least one account")]
    NoAccount,
    /// Nobody is told without evidence.
    #[error("a notice names at least one exposure")]
    NoExposure,
    /// Something happened at a moment that cannot be told.
    #[error(transparent)]
    Moment(#[from] MomentError),
}

/// What a person calls their account; nothing, if they sign in by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName(Option<String>);

impl AccountName {
    /// A username as the site has it. What cannot be shown safely is left out or masked.
    #[must_use]
    pub fn of(username: Option<&str>) -> Self {
        Self(username.and_then(shown))
    }

    pub(crate) fn shown(&self) -> Option<&str> {
        self.0.as_deref()
    }
}
