//! The pages that anybody may open.

mod assets;
mod check;
mod home;
mod notices;
mod refusal;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use notice::Language;

use crate::{Look, Office, phrases::Phrases, visit::Visit};

pub(crate) use assets::{asset, robots};
pub(crate) use check::{ask, check, dispute};
pub(crate) use home::home;
pub(crate) use notices::notices;
pub(crate) use refusal::{Refusal, not_found, wrong_method};

pub use notices::Statement;

/// What surrounds the content of every page.
pub(crate) struct Frame<'a> {
    look: &'a Look,
    visit: Visit,
    words: &'static Phrases,
    /// The page itself, or the form that led to it: where a change of language leads.
    here: &'static str,
    title: &'static str,
}

impl<'a> Frame<'a> {
    fn new(
        office: &'a Office,
        visit: Visit,
        here: &'static str,
        title: impl FnOnce(&Phrases) -> &'static str,
    ) -> Self {
        let words = Phrases::of(visit.language);
        Self { look: &office.look, visit, words, here, title: title(words) }
    }

    fn lang(&self) -> &'static str {
        self.visit.language.as_str()
    }

    /// The site's name, in the header and in titles.
    fn brand(&self) -> &str {
        self.named(self.words.unnamed)
    }

    /// The site in a sentence.
    fn site(&self) -> &str {
        self.named(self.words.this_site)
    }

    /// The site in a sentence, where German asks for the dative.
    fn at_site(&self) -> &str {
        self.named(self.words.at_this_site)
    }

    fn named(&self, unnamed: &'static str) -> &str {
        self.look.name.as_ref().map_or(unnamed, |name| name.as_str())
    }

    /// A page of ours, in the language that was chosen.
    fn link(&self, path: &str) -> String {
        if self.visit.chosen { self.translated(path, self.lang()) } else { path.to_owned() }
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    const fn languages(&self) -> &'static [(Language, &'static str)] {
        &LANGUAGES
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn translated(&self, path: &str, lang: &str) -> String {
        format!("{path}?lang={lang}")
    }
}

/// Every language with what it calls itself.
const LANGUAGES: [(Language, &str); 2] =
    [(Language::English, "English"), (Language::German, "Deutsch")];

fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
