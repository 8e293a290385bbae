use axum::{
    extract::{FromRef, FromRequestParts, Query},
    http::{HeaderMap, header::ACCEPT_LANGUAGE, request::Parts},
};
use notice::Language;
use serde::Deserialize;

use crate::state::AppState;

/// The languages of a header that are looked at. Nobody reads more.
const TAGS_MAX: usize = 20;

/// The language that somebody reads, and whether they chose it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) language: Language,
    /// A choice goes along in every link and form, so that it needs no cookie.
    pub(crate) chosen: bool,
}

impl Visit {
    /// What somebody chose, else what their browser asks for, else the site's own.
    pub(crate) fn new(choice: Option<&str>, headers: &HeaderMap, default: Language) -> Self {
        if let Some(language) = choice.and_then(|choice| choice.parse().ok()) {
            return Self { language, chosen: true };
        }
        let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = wanted.and_then(preferred).unwrap_or(default);
        Self { language, chosen: false }
    }
}

#[derive(Deserialize, Default)]
struct LanguageQuery {
    lang: Option<String>,
}

impl<S> FromRequestParts<S> for Visit
where
    S: Sync,
    AppState: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        // A query that cannot be read chooses nothing.
        let query = Query::<LanguageQuery>::try_from_uri(&parts.uri).map(|Query(choice)| choice);
        let choice = query.unwrap_or_default().lang;
        Ok(Self::new(choice.as_deref(), &parts.headers, AppState::from_ref(state).look.language))
    }
}

/// The first of the most wanted languages that we write.
fn preferred(accept_language: &str) -> Option<Language> {
    let mut best = None;
    for tag in accept_language.split(',').take(TAGS_MAX) {
        let (tag, weight) = tag.split_once(';').unwrap_or((tag, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
        let weight = weight.unwrap_or_default();
        let better = best.is_none_or(|(_, so_far)| weight > so_far);
        if let Some(language) = Language::of_locale(tag.trim()).filter(|_| better && weight > 0.0) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_language_is_taken() {
        use Language::{English, German};
        let cases = [
            ("de", Some(German)),
            ("de-AT,de;q=0.9,en;q=0.8", Some(German)),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some(English)),
            ("en;q=0.2, de;q=0.9", Some(German)),
            ("de;q=0, en;q=0.1", Some(English)),
            ("fr", None),
            ("*", None),
            ("", None),
            (";;q=,de;q=x", None),
        ];
        for (header, expected) in cases {
            assert_eq!(preferred(header), expected, "{header}");
        }
    }
}
