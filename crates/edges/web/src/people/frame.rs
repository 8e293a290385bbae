use notice::{Address, Language, SiteName};
use recovery::limits::LINK_LIFETIME;
use serde::Serialize;

use super::phrases::PagePhrases;
use crate::{frame::Frame, look::Asset, state::AppState, visit::Visit};

/// What surrounds the content of every page for people, in the language of a visit.
#[derive(Serialize)]
pub(super) struct PeopleFrame<'a> {
    #[serde(flatten)]
    frame: Frame<'a>,
    pub(super) words: &'static PagePhrases,
    /// The page itself, or the form that led to it: where a change of language leads.
    here: &'static str,
    /// What links to our pages end with, so that a chosen language goes along.
    query: String,
    languages: [LanguageChoice; 2],
    /// The path of the site's logo.
    logo: Option<String>,
    is_named: bool,
    /// The site in a sentence.
    site: &'a str,
    /// The site in a sentence, where German asks for the dative.
    at_site: &'a str,
    /// The address that the site's notices come from.
    sender: Option<&'a str>,
    /// Where on the site one chooses a new password.
    reset_path: &'a [String],
    /// Whether people choose new passwords here, and not on the site's own pages.
    resets_here: bool,
    link_minutes: u64,
}

/// A language with what it calls itself.
#[derive(Serialize)]
struct LanguageChoice {
    code: Language,
    name: &'static str,
}

const LANGUAGES: [LanguageChoice; 2] = [
    LanguageChoice { code: Language::English, name: "English" },
    LanguageChoice { code: Language::German, name: "Deutsch" },
];

impl<'a> PeopleFrame<'a> {
    pub(super) fn new(
        state: &'a AppState,
        visit: Visit,
        here: &'static str,
        title: &dyn Fn(&PagePhrases) -> &'static str,
    ) -> Self {
        let words = PagePhrases::of(visit.language);
        let (look, lang) = (&*state.look, visit.language.as_str());
        let named = |unnamed| look.name.as_ref().map_or(unnamed, SiteName::as_str);
        let (brand, styles) = (named(words.unnamed), vec![look.style.path()]);
        Self {
            frame: Frame { lang, title: title(words), brand, skip: words.skip, styles },
            words,
            here,
            query: if visit.chosen { format!("?lang={lang}") } else { String::new() },
            languages: LANGUAGES,
            logo: look.logo.as_ref().map(Asset::path),
            is_named: look.name.is_some(),
            site: named(words.this_site),
            at_site: named(words.at_this_site),
            sender: look.sender.as_ref().map(Address::as_str),
            reset_path: look.reset_path.labels(),
            resets_here: state.resets_here(),
            link_minutes: LINK_LIFETIME.as_secs() / 60,
        }
    }
}
