use minijinja::{Environment, UndefinedBehavior, value::Serde};
use serde::Serialize;

use crate::{
    AccountName, Facts, Language, Site,
    limits::{ACCOUNTS_NAMED_MAX, TEXT_COLUMNS},
};

/// The three templates of a kind in a language, each with its name; and what other kinds repeat of
/// its words, which is one text for both forms: the name decides how it is escaped.
macro_rules! templates {
    ($(($kind:literal, $language:literal $(, $text:literal escaped as $html:literal)?),)+) => {
        &[$(
            template!($kind, $language, "subject.txt", "subject.txt"),
            template!($kind, $language, "txt", "txt"),
            template!($kind, $language, "html", "html"),
            $(
                template!($kind, $language, $text, $text),
                template!($kind, $language, $html, $text),
            )?
        )+]
    };
}

macro_rules! template {
    ($kind:literal, $language:literal, $part:literal, $file:literal) => {
        (
            concat!($kind, ".", $language, ".", $part),
            include_str!(concat!("../templates/", $kind, ".", $language, ".", $file)),
        )
    };
}

/// Every template by its name: kind, language and part. A plan's digest covers its kind's.
pub const TEMPLATES: &[(&str, &str)] = templates![
    ("reset_required", "en", "found.txt" escaped as "found.html"),
    ("reset_required", "de", "found.txt" escaped as "found.html"),
    ("reset_link", "en"),
    ("reset_link", "de"),
    ("reset_done", "en"),
    ("reset_done", "de"),
    ("exposure_answer", "en"),
    ("exposure_answer", "de"),
];

/// What a recipient sees of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The text part, wrapped, its lines ending in LF.
    pub text: String,
    /// The HTML part, the same words.
    pub html: String,
}

/// Fills in the templates. A fact that is missing is an error, never a gap.
#[derive(Debug)]
pub struct Renderer {
    templates: Environment<'static>,
}

impl Renderer {
    /// Parses the templates, once for many notices.
    ///
    /// # Errors
    /// [`RenderError`] if one of them is no template.
    pub fn new() -> Result<Self, RenderError> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in TEMPLATES {
            templates.add_template(name, text)?;
        }
        Ok(Self { templates })
    }

    /// Writes one notice in one language.
    ///
    /// # Errors
    /// [`RenderError`] if a template asks for what is not there.
    pub fn render<F: Facts>(
        &self,
        site: &Site,
        facts: &F,
        language: Language,
    ) -> Result<Rendered, RenderError> {
        let name = |part: &str| format!("{}.{language}.{part}", F::KIND);
        let mut words = words_of(site, facts, language);
        let subject = self.fill(&name("subject.txt"), &words)?;
        subject.trim().clone_into(&mut words.subject);
        let text = wrapped(&self.fill(&name("txt"), &words)?);
        let html = self.fill(&name("html"), &words)?;
        let rendered = Rendered { subject: words.subject, text, html };
        Ok(if site.is_rehearsal { rehearsed(rendered, language) } else { rendered })
    }

    fn fill(&self, name: &str, words: &impl Serialize) -> Result<String, RenderError> {
        Ok(self.templates.get_template(name)?.render(Serde(words))?)
    }
}

/// The same notice, which says before everything else that it is none in earnest.
fn rehearsed(rendered: Rendered, language: Language) -> Rendered {
    let told = match language {
        Language::English => "This is a rehearsal.",
        Language::German => "Dies ist eine Probe.",
    };
    let Rendered { subject, text, html } = rendered;
    let (text, paragraph) = (format!("{told}\n\n{text}"), format!("<p><b>{told}</b></p>\n<p>"));
    Rendered { subject, text, html: html.replacen("<p>", &paragraph, 1) }
}

/// A fault in a template.
#[derive(Debug, thiserror::Error)]
#[error("a notice's template cannot be filled in: {0}")]
pub struct RenderError(#[from] minijinja::Error);

/// What all templates may speak of, and what those of one kind may besides.
#[derive(Serialize)]
struct RenderedWords<'a, W> {
    subject: String,
    site: &'a str,
    greeting: Option<&'a str>,
    accounts: Vec<Option<&'a str>>,
    accounts_count: usize,
    accounts_more: usize,
    reset_path: String,
    check_path: String,
    code: String,
    #[serde(flatten)]
    of_kind: W,
}

fn words_of<'a, F: Facts>(
    site: &'a Site,
    facts: &'a F,
    language: Language,
) -> RenderedWords<'a, impl Serialize + use<'a, F>> {
    let accounts: Vec<_> = facts.accounts().iter().map(AccountName::shown).collect();
    let named = accounts.len().min(ACCOUNTS_NAMED_MAX);
    RenderedWords {
        subject: String::new(),
        site: site.name.as_str(),
        greeting: accounts.iter().copied().flatten().next(),
        accounts_count: accounts.len(),
        accounts_more: accounts.len() - named,
        accounts: accounts[..named].to_vec(),
        reset_path: language.path(&site.reset_path),
        check_path: language.path(&site.check_path),
        code: facts.code().to_string(),
        of_kind: facts.words(language),
    }
}

/// Breaks long lines between words, and keeps one empty line where there were several.
fn wrapped(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() {
            wrap_line(line, &mut wrapped);
        } else if !wrapped.is_empty() && !wrapped.ends_with("\n\n") {
            wrapped.push('\n');
        }
    }
    wrapped
}

fn wrap_line(line: &str, wrapped: &mut String) {
    let indent = " ".repeat(hanging_indent(line));
    let mut column = 0;
    for word in line.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > TEXT_COLUMNS {
            wrapped.push('\n');
            wrapped.push_str(&indent);
            column = indent.len();
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped.push('\n');
}

/// The width of `1. ` or `- `, below which the rest of an item is set.
fn hanging_indent(line: &str) -> usize {
    match line.split_once(' ') {
        Some((mark, _)) if is_item_mark(mark) => mark.len() + 1,
        _ => 0,
    }
}

/// Whether a word numbers or marks an item of a list.
pub(crate) fn is_item_mark(word: &str) -> bool {
    let number = word.strip_suffix('.').is_some_and(|n| n.parse::<u8>().is_ok_and(|n| n < 10));
    word == "-" || number
}

#[cfg(test)]
mod tests {
    use model::NoticeKind;

    use super::*;

    #[test]
    fn every_kind_is_written_in_every_language() {
        let kinds = NoticeKind::ALL.iter().flat_map(|kind| {
            let names = Language::ALL.iter().map(move |language| format!("{kind}.{language}"));
            names.flat_map(|name| {
                ["subject.txt", "txt", "html"].map(|part| format!("{name}.{part}"))
            })
        });
        let found = ["txt", "html"].iter().flat_map(|form| {
            Language::ALL.iter().map(move |it| format!("reset_required.{it}.found.{form}"))
        });
        let mut expected: Vec<_> = kinds.chain(found).collect();
        let mut found: Vec<_> = TEMPLATES.iter().map(|(name, _)| *name).collect();
        expected.sort();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_are_wrapped_below_their_mark() {
        let word = "x".repeat(40);
        let text = format!("a\n\n\n\n1. {word} {word}\n{}\n", "y".repeat(90));
        let expected = format!("a\n\n1. {word}\n   {word}\n{}\n", "y".repeat(90));
        assert_eq!(wrapped(&text), expected);
    }
}
