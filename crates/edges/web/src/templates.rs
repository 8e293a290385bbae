use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
    value::Serde,
};
use serde::Serialize;

use crate::written::counted;

/// What fills in one template. A field that the template names and the page lacks is an error,
/// never a gap.
pub(crate) trait PageTemplate: Serialize {
    /// Its place below `templates`.
    const TEMPLATE: &'static str;

    /// The page as browsers get it.
    fn render(&self) -> Result<String, Error> {
        render(Self::TEMPLATE, Serde(self).into())
    }
}

/// Answers with a page.
pub(crate) fn page(status: StatusCode, page: &impl PageTemplate) -> Response {
    answer(status, page.render())
}

fn answer(status: StatusCode, page: Result<String, Error>) -> Response {
    match page {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn render(template: &str, page: Value) -> Result<String, Error> {
    TEMPLATES.get_template(template)?.render(page)
}

macro_rules! sources {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../templates/", $name))),)+]
    };
}

const SOURCES: &[(&str, &str)] = sources![
    "console/campaigns.html",
    "console/chart.html",
    "console/frame.html",
    "console/home.html",
    "console/report.html",
    "console/unsound.html",
    "frame.html",
    "people/affected.de.html",
    "people/affected.en.html",
    "people/affected.html",
    "people/affected.then.de.html",
    "people/affected.then.en.html",
    "people/changed.de.html",
    "people/changed.en.html",
    "people/changed.html",
    "people/check.de.html",
    "people/check.en.html",
    "people/check.html",
    "people/choose.de.html",
    "people/choose.en.html",
    "people/confirmed.de.html",
    "people/confirmed.en.html",
    "people/confirmed.html",
    "people/dead.de.html",
    "people/dead.en.html",
    "people/dead.html",
    "people/disputed.de.html",
    "people/disputed.en.html",
    "people/disputed.html",
    "people/fault.de.html",
    "people/fault.en.html",
    "people/forgot.de.html",
    "people/forgot.en.html",
    "people/forgot.html",
    "people/forgot.then.de.html",
    "people/forgot.then.en.html",
    "people/form.html",
    "people/frame.html",
    "people/home.de.html",
    "people/home.en.html",
    "people/home.html",
    "people/mailed.de.html",
    "people/mailed.en.html",
    "people/mailed.html",
    "people/notices.de.html",
    "people/notices.en.html",
    "people/notices.html",
    "people/refusal.html",
    "people/reset.de.html",
    "people/reset.en.html",
    "people/reset.html",
    "people/statement.de.html",
    "people/statement.en.html",
    "people/steps.html",
    "rehearsal/frame.html",
    "rehearsal/home.html",
    "rehearsal/mail.html",
    "rehearsal/mails.html",
];

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.set_formatter(write_escaped);
    templates.add_filter("counted", counted_in);
    templates.add_filter("urlencode", |text: &str| urlencode(text));
    for (name, source) in SOURCES {
        templates.add_template(name, source).expect("a test renders every template");
    }
    templates
});

/// Writes text and numbers. Anything else on a page is a mistake of its template.
fn write_escaped(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_number() {
        return Ok(write!(out, "{value}")?);
    }
    let wrong = || Error::new(ErrorKind::BadEscape, format!("{} is written", value.kind()));
    let text = value.as_str().ok_or_else(wrong)?;
    if value.is_safe() {
        return Ok(out.write_str(text)?);
    }
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '"' | '\'' => write!(out, "&#{};", u32::from(character))?,
            _ => out.write_char(character)?,
        }
    }
    Ok(())
}

/// As [`counted`], in the language of a page.
fn counted_in(count: u64, one: &str, many: &str, lang: &str) -> Result<String, Error> {
    let language = lang.parse().map_err(|error: model::UnknownWord| {
        Error::new(ErrorKind::InvalidOperation, error.to_string())
    })?;
    Ok(counted(language, count, one, many))
}

/// A text as a part of a path or a query (RFC 3986: all but the unreserved).
fn urlencode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[derive(Serialize)]
    struct Nothing {}

    impl PageTemplate for Nothing {
        const TEMPLATE: &'static str = "people/home.html";
    }

    /// Every template in these folders.
    fn files(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "html") {
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_template_is_embedded_and_can_be_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut found = BTreeSet::new();
        files(&root, &mut found);
        let embedded = SOURCES.iter().map(|(name, _)| root.join(name).to_str().unwrap().to_owned());
        assert_eq!(embedded.collect::<BTreeSet<_>>(), found);
        assert_eq!(TEMPLATES.templates().count(), SOURCES.len());
    }

    #[test]
    fn every_text_is_there_in_both_languages() {
        let languages = |code: &str| {
            let names = SOURCES.iter().filter_map(|(name, _)| name.strip_suffix(code));
            names.collect::<BTreeSet<_>>()
        };
        assert_eq!(languages(".en.html"), languages(".de.html"));
        assert!(!languages(".en.html").is_empty());
    }

    #[test]
    fn what_a_page_lacks_is_an_error() {
        assert_eq!(Nothing {}.render().unwrap_err().kind(), ErrorKind::UndefinedError);
    }

    #[test]
    fn only_text_and_numbers_are_written_and_text_is_escaped() {
        let render = |source: &str, value: Value| TEMPLATES.render_str(source, value);
        let text =
            minijinja::context! { x => "<a href='/'>\"&\"</a>", n => 7, none => (), l => [1] };
        let escaped = "&#60;a href=&#39;/&#39;&#62;&#34;&#38;&#34;&#60;/a&#62;";
        assert_eq!(render("{{ x }}", text.clone()).unwrap(), escaped);
        assert_eq!(render("{{ n }}", text.clone()).unwrap(), "7");
        for wrong in ["{{ none }}", "{{ l }}", "{{ missing }}", "{{ x.missing }}"] {
            assert!(render(wrong, text.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_part_of_an_address_holds_nothing_that_divides_it() {
        assert_eq!(urlencode("a-Z_0.~"), "a-Z_0.~");
        assert_eq!(urlencode("/?#&%+ é\""), "%2F%3F%23%26%25%2B%20%C3%A9%22");
    }
}
