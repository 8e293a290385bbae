use std::{collections::BTreeSet, fmt};

use model::NoticeKind;

use crate::{
    AccountName, Facts, Language, Rendered, ResetUrl, Site, german,
    limits::{ACCOUNTS_NAMED_MAX, ARI_DE_MAX, ARI_EN_MAX, STEPS_MIN, SUBJECT_CHARS_MAX, WORDS_MAX},
    render::is_item_mark,
    text::{is_hidden, looks_like_link},
};

/// Parts of HTML by which something is loaded, opened or sent.
const ACTIVE_HTML: &[&str] =
    &["<a ", "href", "src=", "url(", "<img", "<form", "<input", "<script", "<link", "<iframe"];

/// Asking for what we never ask for. All in lower case.
const CREDENTIAL_REQUESTS: &[&str] = &[
    "enter your password",
    "enter your old password",
    "confirm your",
    "verify your",
    "log in here",
    "sign in here",
    "send us your",
];

/// Pressure, which is what forgeries use.
const URGENCY: &[&str] = &[
    "immediately",
    "urgent",
    "as soon as possible",
    "act now",
    "within 24",
    "expire",
    "suspended",
    "!",
];

/// Speaking of the reader as if we did not know.
const HEDGES: &[&str] =
    &["may have", "might have", "may be", "might be", "possibly", "could have been"];

/// What a site says of itself if it forgets who is speaking: `Example believes`.
const THIRD_PERSON: &[&str] =
    &["believes", "has", "detected", "thinks", "found", "noticed", "reset", "discovered"];

/// What is left where a template was not filled in.
const UNFILLED: &[&str] = &["{{", "}}", "{%", "%}", "none,", "undefined"];

/// Holds what a notice says against the rules. No fault means that it may go out.
///
/// Meant for the templates, filled in with plain facts: a username that is one of the words
/// looked for is no fault of the notice.
#[must_use]
pub fn lint<F: Facts>(
    rendered: &Rendered,
    site: &Site,
    facts: &F,
    language: Language,
) -> Vec<Fault> {
    let link = facts.link().filter(|_| may_hold_link(F::KIND));
    let text = words(&rendered.text);
    let html = words(&bare_text(&rendered.html));
    let mut faults = Vec::new();
    faults.extend(lint_subject(&rendered.subject));
    faults.extend(lint_links(rendered, &text, &html, link));
    faults.extend(link.into_iter().flat_map(|link| lint_link(rendered, &text, &html, link)));
    faults.extend(link.and_then(|link| lint_host(link, site)));
    faults.extend(lint_words(&text, site));
    faults.extend(lint_forms(&text, &html));
    faults.extend(lint_code(&text, &html, facts));
    faults.extend(facts.has_steps().then(|| lint_steps(rendered)).flatten());
    faults.extend(lint_contents(&text, site, facts, language));
    faults.extend(lint_ease(rendered, language));
    faults
}

/// Whether the one link of its facts stands in a notice. Nobody gets a link that they did not ask
/// for: that is what forgeries look like.
const fn may_hold_link(kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::ResetLink => true,
        NoticeKind::ResetRequired | NoticeKind::ResetDone | NoticeKind::ExposureAnswer => false,
    }
}

/// A rule that a notice breaks.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Cut off in lists of mail.
    SubjectLength {
        /// Its characters.
        found: usize,
    },
    /// More than one line, or shouting.
    SubjectForm,
    /// Something to click.
    Link {
        /// The word or tag.
        found: String,
    },
    /// The link does not stand exactly once in each form.
    LinkCount {
        /// How often in the text.
        text: usize,
        /// How often in HTML.
        html: usize,
    },
    /// The link reads otherwise than where it leads.
    LinkTarget,
    /// The link leads to somebody else than who writes.
    LinkHost {
        /// Where it leads.
        host: String,
        /// The domain that the notice comes from.
        from: String,
    },
    /// Words that the rules do not allow, and why.
    Wording {
        /// What they do.
        rule: &'static str,
        /// The words.
        found: String,
    },
    /// The two forms say different things.
    FormsDiffer {
        /// The first word in which the text differs.
        text: String,
        /// The word that HTML has there.
        html: String,
    },
    /// The code does not stand exactly once in each form.
    Code {
        /// How often in the text.
        text: usize,
        /// How often in HTML.
        html: usize,
    },
    /// Too few numbered steps.
    Steps {
        /// How many there are.
        found: usize,
    },
    /// It leaves out a name, a time or a way.
    Untold {
        /// What is not told.
        missing: String,
    },
    /// Nobody reads that far.
    Length {
        /// Its words.
        found: usize,
    },
    /// Hard to read.
    Ease {
        /// The index found.
        found: f64,
        /// The bound of this language.
        limit: f64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SubjectLength { found } => {
                write!(
                    f,
                    "the subject has {found} characters, at most {SUBJECT_CHARS_MAX} are shown"
                )
            }
            Self::SubjectForm => f.write_str("the subject is empty, broken over lines, or shouts"),
            Self::Link { found } => write!(f, "it holds a link: {}", found.escape_debug()),
            Self::LinkCount { text, html } => write!(
                f,
                "the link stands {text} times in the text and {html} times in HTML, not once"
            ),
            Self::LinkTarget => f.write_str("the link does not read as where it leads"),
            Self::LinkHost { host, from } => write!(
                f,
                "the link leads to {}, but the notice comes from {}",
                host.escape_debug(),
                from.escape_debug()
            ),
            Self::Wording { rule, found } => write!(f, "it {rule}: `{}`", found.escape_debug()),
            Self::FormsDiffer { text, html } => {
                write!(
                    f,
                    "the text says `{}` where HTML says `{}`",
                    text.escape_debug(),
                    html.escape_debug()
                )
            }
            Self::Code { text, html } => {
                write!(
                    f,
                    "the code stands {text} times in the text and {html} times in HTML, not once"
                )
            }
            Self::Steps { found } => {
                write!(f, "it has {found} numbered steps, at least {STEPS_MIN} are needed")
            }
            Self::Untold { missing } => write!(f, "it does not say {}", missing.escape_debug()),
            Self::Length { found } => {
                write!(f, "it has {found} words, at most {WORDS_MAX} are read")
            }
            Self::Ease { found, limit } => {
                write!(f, "its readability index is {found:.1}, at most {limit:.1} is easy")
            }
        }
    }
}

fn lint_subject(subject: &str) -> Vec<Fault> {
    let found = subject.chars().count();
    let mut faults = Vec::new();
    if found > SUBJECT_CHARS_MAX {
        faults.push(Fault::SubjectLength { found });
    }
    let shouts = subject.contains('!') || !subject.chars().any(char::is_lowercase);
    if shouts || subject.chars().any(is_hidden) {
        faults.push(Fault::SubjectForm);
    }
    faults
}

/// Finds everything to click but the one link that may be there.
fn lint_links(
    rendered: &Rendered,
    text: &[String],
    html: &[String],
    link: Option<&ResetUrl>,
) -> Vec<Fault> {
    let markup = match link {
        Some(link) => rendered.html.replacen(&anchor(link), "", 1),
        None => rendered.html.clone(),
    };
    let markup = markup.to_lowercase();
    let tags = ACTIVE_HTML.iter().filter(|tag| markup.contains(**tag)).map(|tag| (*tag).to_owned());
    let subject = words(&rendered.subject);
    let body =
        text.iter().chain(html).filter(|word| link.is_none_or(|link| link.as_str() != *word));
    let all = subject.iter().chain(body);
    let links = all.filter(|word| !word.contains("***") && looks_like_link(word)).cloned();
    // The same link mostly stands in both forms.
    let found: BTreeSet<String> = tags.chain(links).collect();
    found.into_iter().map(|found| Fault::Link { found }).collect()
}

/// Looks for the link where it must stand, and for what it reads as.
fn lint_link(rendered: &Rendered, text: &[String], html: &[String], link: &ResetUrl) -> Vec<Fault> {
    let count = |of: &[String]| of.iter().filter(|word| *word == link.as_str()).count();
    let (text, html) = (count(text), count(html));
    let mut faults = Vec::new();
    if text != 1 || html != 1 {
        faults.push(Fault::LinkCount { text, html });
    }
    if !rendered.html.contains(&anchor(link)) {
        faults.push(Fault::LinkTarget);
    }
    faults
}

/// The link as HTML has it: what one reads is where it leads.
fn anchor(link: &ResetUrl) -> String {
    format!("<a href=\"{link}\">{link}</a>", link = link.as_str())
}

fn lint_host(link: &ResetUrl, site: &Site) -> Option<Fault> {
    let (host, from) = (link.host(), site.sender.from().domain());
    let ours = link.is_loopback() || is_same_site(host, from);
    (!ours).then(|| Fault::LinkHost { host: host.to_owned(), from: from.to_owned() })
}

/// Whether two names belong to one registered domain, as far as that can be seen without a list of
/// all registries: one is below the other, or they share two labels - three where the second is as
/// short as in `co.uk`. What is refused for nothing can send from a domain above both.
fn is_same_site(one: &str, other: &str) -> bool {
    let one: Vec<_> = one.rsplit('.').collect();
    let other: Vec<_> = other.rsplit('.').collect();
    let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let registry = one.get(1).is_some_and(|label| label.len() <= 3) && one[0].len() == 2;
    let needed = if registry { 3 } else { 2 };
    shared >= needed || shared == one.len().min(other.len())
}

fn lint_words(text: &[String], site: &Site) -> Vec<Fault> {
    let prose = text.join(" ").to_lowercase();
    let rules = [
        ("asks for a password or code", CREDENTIAL_REQUESTS, german::CREDENTIAL_REQUESTS),
        ("presses the reader", URGENCY, german::URGENCY),
        ("hedges", HEDGES, german::HEDGES),
        ("was not filled in", UNFILLED, &[]),
    ];
    let fixed = rules.iter().flat_map(|(rule, english, german)| {
        let found = english.iter().chain(*german).filter(|words| prose.contains(**words));
        found.map(|found| Fault::Wording { rule, found: (*found).to_owned() })
    });
    let name = site.name.as_str().to_lowercase();
    let verbs = THIRD_PERSON.iter().chain(german::THIRD_PERSON);
    let third = verbs.map(|verb| format!("{name} {verb} ")).filter(|phrase| prose.contains(phrase));
    let third = third.map(|found| Fault::Wording { rule: "speaks in the third person", found });
    fixed.chain(third).collect()
}

fn lint_forms(text: &[String], html: &[String]) -> Option<Fault> {
    let longest = text.len().max(html.len());
    let word = |of: &[String], at: usize| of.get(at).cloned().unwrap_or_default();
    let differs = (0..longest).find(|at| word(text, *at) != word(html, *at))?;
    Some(Fault::FormsDiffer { text: word(text, differs), html: word(html, differs) })
}

fn lint_code(text: &[String], html: &[String], facts: &impl Facts) -> Option<Fault> {
    let code = facts.code().to_string();
    let count = |of: &[String]| of.iter().filter(|word| **word == code).count();
    let (text, html) = (count(text), count(html));
    (text != 1 || html != 1).then_some(Fault::Code { text, html })
}

fn lint_steps(rendered: &Rendered) -> Option<Fault> {
    let lists = rendered.html.matches("<ol>").count();
    let items = rendered.text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let found = items.count();
    (lists == 0 || found < STEPS_MIN).then_some(Fault::Steps { found })
}

/// Whether all is told: the accounts, how to check the notice, and what its kind is about.
fn lint_contents(
    text: &[String],
    site: &Site,
    facts: &impl Facts,
    language: Language,
) -> Vec<Fault> {
    let names = facts.accounts().iter().filter_map(AccountName::shown).take(ACCOUNTS_NAMED_MAX);
    let mut wanted: Vec<_> = names.map(str::to_owned).collect();
    wanted.push(language.path(&site.check_path));
    wanted.extend(facts.essentials(site, language));
    let prose = text.join(" ");
    let missing = wanted.into_iter().filter(|wanted| !prose.contains(wanted.as_str()));
    let mut faults: Vec<_> = missing.map(|missing| Fault::Untold { missing }).collect();
    if facts.accounts().len() == 1 && text.len() > WORDS_MAX {
        faults.push(Fault::Length { found: text.len() });
    }
    faults
}

fn lint_ease(rendered: &Rendered, language: Language) -> Option<Fault> {
    let limit = match language {
        Language::English => ARI_EN_MAX,
        Language::German => ARI_DE_MAX,
    };
    let found = readability(&rendered.text);
    (found > limit).then_some(Fault::Ease { found, limit })
}

/// The automated readability index: longer words and longer sentences raise it.
#[expect(clippy::cast_precision_loss, reason = "a notice has some hundred words")]
fn readability(text: &str) -> f64 {
    let (mut characters, mut count, mut sentences) = (0, 0, 0);
    for paragraph in text.split("\n\n") {
        let mut words = words(paragraph);
        // Nobody reads a link.
        words.retain(|word| !looks_like_link(word));
        let ends = words.iter().filter(|word| ends_sentence(word)).count();
        characters +=
            words.iter().flat_map(|word| word.chars()).filter(|c| c.is_alphanumeric()).count();
        count += words.len();
        // A heading is a sentence without a full stop.
        sentences += if words.is_empty() { 0 } else { ends.max(1) };
    }
    let (characters, count, sentences) = (characters as f64, count as f64, sentences as f64);
    4.71 * characters / count + 0.5 * count / sentences - 21.43
}

/// German writes a full stop behind the day of a date.
fn ends_sentence(word: &str) -> bool {
    let stem = word.trim_end_matches(['.', '?', ':']);
    stem.len() < word.len() && !stem.chars().all(|c| c.is_ascii_digit())
}

/// Words without the marks of lists, which HTML has as tags.
fn words(text: &str) -> Vec<String> {
    let lines = text.lines().flat_map(|line| {
        let mut words = line.split_whitespace().peekable();
        words.next_if(|word| is_item_mark(word));
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    lines.collect()
}

/// What HTML shows: no head, no tags, and its entities read.
fn bare_text(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut text = String::new();
    for piece in body.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, shown)| shown));
        text.push('\n');
    }
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/")];
    let text = entities.iter().fold(text, |text, (entity, shown)| text.replace(entity, shown));
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expected: bool) {
        assert_eq!(is_same_site(one, other), expected, "{one} {other}");
        assert_eq!(is_same_site(other, one), expected, "{other} {one}");
    }

    #[test]
    fn one_site_has_many_names() {
        check("example.org", "example.org", true);
        check("www.example.org", "example.org", true);
        check("accounts.example.org", "mail.example.org", true);
        check("www.example.co.uk", "mail.example.co.uk", true);
        check("sap.de", "www.sap.de", true);
        check("a.sap.de", "b.sap.de", false);
        check("example.org", "example.com", false);
        check("example.co.uk", "evil.co.uk", false);
        check("example.org", "example.org.evil.net", false);
        check("example.org", "badexample.org", false);
    }
}
