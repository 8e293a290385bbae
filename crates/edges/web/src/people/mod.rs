//! The pages that anybody may open.

mod assets;
mod check;
mod home;
mod mail;
mod notices;
mod refusal;
mod reset;

use askama::Template;
use axum::{
    Form,
    extract::rejection::FormRejection,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse as _, Response},
};
use notice::Language;
use recovery::limits::LINK_LIFETIME;

use crate::{Look, Office, number::number, phrases::Phrases, visit::Visit};

pub(crate) use assets::{FOR_EVER, asset, robots};
pub(crate) use check::{ask, check, dispute};
pub(crate) use home::home;
pub(crate) use mail::{affected, ask_for_answer, ask_for_link, change_password, forgot};
pub(crate) use notices::notices;
pub(crate) use refusal::{Refusal, not_found, wrong_method};
pub(crate) use reset::{choose, open};

/// What surrounds the content of every page.
pub(crate) struct Frame<'a> {
    look: &'a Look,
    visit: Visit,
    words: &'static Phrases,
    /// The page itself, or the form that led to it: where a change of language leads.
    here: &'static str,
    title: &'static str,
    /// Whether people choose new passwords here, and not on the site's own pages.
    resets_here: bool,
}

impl<'a> Frame<'a> {
    fn new(
        office: &'a Office,
        visit: Visit,
        here: &'static str,
        title: impl FnOnce(&Phrases) -> &'static str,
    ) -> Self {
        let words = Phrases::of(visit.language);
        let resets_here = office.recovery.is_some();
        Self { look: &office.look, visit, words, here, title: title(words), resets_here }
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

    /// How many of something, in words.
    fn counted(&self, count: u64, one: &str, many: &str) -> String {
        if count == 1 {
            return one.to_owned();
        }
        format!("{} {many}", number(self.visit.language, count))
    }

    /// How long a reset link works.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    const fn link_minutes(&self) -> u64 {
        LINK_LIFETIME.as_secs() / 60
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

/// What axum makes of a form of ours.
type Filled<T> = Result<Form<T>, FormRejection>;

/// A form that cannot be read was filled in with nothing.
fn read<T: Default>(
    office: &Office,
    headers: &HeaderMap,
    form: Filled<T>,
    lang: impl FnOnce(&T) -> Option<&str>,
) -> (T, Visit) {
    let typed = form.map(|Form(typed)| typed).unwrap_or_default();
    let visit = Visit::new(lang(&typed), headers, office.look.language);
    (typed, visit)
}

pub(crate) fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
