//! What the rules find in notices that break them.

use notice::{Answer, Composer, Facts, Language, Rendered, lint};

use crate::facts::{
    answer, code, done, facts, link, nothing_found, one_exposure, site, switched_off, url,
};

const JANE: &str = "jane@example.net";
const BASE: &str = "https://www.example.org";

/// What is wrong with a notice of some kind after a change to it.
fn faults_of(facts: &impl Facts, change: impl Fn(&mut Rendered)) -> String {
    let site = site(Language::English);
    let composer = Composer::new(site.clone()).unwrap();
    let mut rendered = composer.preview(facts, Language::English).unwrap();
    change(&mut rendered);
    let faults = lint(&rendered, &site, facts, Language::English);
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The same of the notice that passwords were reset.
fn faults(change: &dyn Fn(&mut Rendered)) -> String {
    faults_of(&facts(JANE, &[Some("janedoe")], one_exposure()), change)
}

/// The same of the link that somebody asked for.
fn link_faults(change: &dyn Fn(&mut Rendered)) -> String {
    faults_of(&link(JANE, Some("janedoe"), BASE), change)
}

/// The same of the notice that a new password was chosen.
fn done_faults(change: &dyn Fn(&mut Rendered)) -> String {
    faults_of(&done(JANE, Some("janedoe"), true), change)
}

/// The same of an answer after which something is to be done.
fn switched_off_faults(change: &dyn Fn(&mut Rendered)) -> String {
    answer_faults(switched_off(one_exposure(), false), change)
}

/// The same of an answer after which nothing is.
fn nothing_found_faults(change: &dyn Fn(&mut Rendered)) -> String {
    answer_faults(nothing_found(), change)
}

fn answer_faults(told: Answer, change: impl Fn(&mut Rendered)) -> String {
    faults_of(&answer(JANE, Some("janedoe"), told), change)
}

/// One of those above.
type Faults = fn(&dyn Fn(&mut Rendered)) -> String;

/// Every kind, and where rules depend on what it says, each of these.
const ALL: [Faults; 5] =
    [faults, link_faults, done_faults, switched_off_faults, nothing_found_faults];

/// Adds words to both forms.
fn add(rendered: &mut Rendered, words: &str) {
    rendered.text = format!("{words}\n\n{}", rendered.text);
    rendered.html = rendered.html.replacen("<p>", &format!("<p>{words}</p><p>"), 1);
}

/// Puts one thing in the place of another, in both forms.
fn swap(rendered: &mut Rendered, from: &str, to: &str) {
    rendered.text = rendered.text.replace(from, to);
    rendered.html = rendered.html.replace(from, to);
}

/// No kind may have these words.
#[track_caller]
fn check_words(words: &str, expected: &str) {
    for found in ALL.map(|faults| faults(&|it| add(it, words))) {
        assert_eq!(found, expected);
    }
}

#[test]
fn words_of_forgeries_are_found() {
    check_words("Hello.", "");
    check_words("Visit example.com today.", "it holds a link: example.com");
    check_words("Please confirm your account.", "it asks for a password or code: `confirm your`");
    check_words("Act now.", "it presses the reader: `act now`");
    check_words("You may have been a victim.", "it hedges: `may have`");
    check_words("Example believes it.", "it speaks in the third person: `example believes `");
}

#[test]
fn forms_that_differ_are_found() {
    let found = faults(&|rendered| rendered.text = rendered.text.replace("janedoe", "johndoe"));
    assert!(found.starts_with("the text says `johndoe,` where HTML says `janedoe,`"), "{found}");
    let found = faults(&|rendered| rendered.html = rendered.html.replace("<p>", "<p><img src=x>"));
    assert_eq!(found, "it holds a link: <img\nit holds a link: src=");
}

#[test]
fn nobody_gets_a_link_that_they_did_not_ask_for() {
    let (url, anchor) = anchor();
    for faults in [faults, done_faults, switched_off_faults, nothing_found_faults] {
        let found = faults(&|rendered| {
            rendered.text = format!("{}\n\n{}", url, rendered.text);
            rendered.html = rendered.html.replacen("<p>", &format!("{anchor}<p>"), 1);
        });
        let expected =
            format!("it holds a link: <a \nit holds a link: href\nit holds a link: {url}");
        assert_eq!(found, expected);
    }
}

#[test]
fn whoever_asked_for_a_link_gets_one() {
    let (url, anchor) = anchor();
    let not_once = |text, html| {
        format!("the link stands {text} times in the text and {html} times in HTML, not once")
    };
    let not_target = "the link does not read as where it leads";

    let found = link_faults(&|rendered| swap(rendered, &url, ""));
    assert_eq!(
        found,
        format!("it holds a link: <a \nit holds a link: href\n{}\n{not_target}", not_once(0, 0))
    );

    let twice = format!("<p>{anchor}</p><p>");
    let found = link_faults(&|rendered| {
        rendered.text = format!("{url}\n\n{}", rendered.text);
        rendered.html = rendered.html.replacen("<p>", &twice, 1);
    });
    assert_eq!(found, format!("it holds a link: <a \nit holds a link: href\n{}", not_once(2, 2)));

    let found = link_faults(&|rendered| add(rendered, "Or https://evil.example/reset here."));
    assert_eq!(found, "it holds a link: https://evil.example/reset");
    let found = link_faults(&|rendered| rendered.subject = format!("See {url}"));
    assert!(found.contains(&format!("it holds a link: {url}")), "{found}");
}

#[test]
fn a_link_that_hides_where_it_leads_is_found() {
    let (url, anchor) = anchor();
    let elsewhere = format!("<a href=\"https://evil.example\">{url}</a>");
    let found = link_faults(&|rendered| rendered.html = rendered.html.replace(&anchor, &elsewhere));
    assert!(found.ends_with("the link does not read as where it leads"), "{found}");
    let words = format!("<a href=\"{url}\">Choose</a>");
    let found = link_faults(&|rendered| rendered.html = rendered.html.replace(&anchor, &words));
    assert!(found.contains("the link stands 1 times in the text and 0 times in HTML"), "{found}");
}

#[test]
fn a_link_leads_to_whoever_writes() {
    let found = |base: &str| faults_of(&link(JANE, None, base), |_| ());
    for base in ["https://example.org", "https://a.b.example.org", "http://localhost:8080"] {
        assert_eq!(found(base), "");
    }
    for host in ["example.com", "example.org.evil.net", "badexample.org"] {
        let expected = format!("the link leads to {host}, but the notice comes from example.org");
        assert_eq!(found(&format!("https://{host}")), expected);
    }
}

/// The link as the notice has it, and as its HTML has it.
fn anchor() -> (String, String) {
    let url = url(BASE).as_str().to_owned();
    let anchor = format!("<a href=\"{url}\">{url}</a>");
    (url, anchor)
}

#[test]
fn what_is_missing_is_found() {
    let missing = "the code stands 0 times in the text and 0 times in HTML, not once";
    for (faults, notice_id) in ALL.into_iter().zip([7, 8, 9, 10, 10]) {
        let printed = code(notice_id).to_string();
        assert_eq!(faults(&|rendered| swap(rendered, &printed, "0000")), missing);
    }
    for faults in [faults, done_faults, switched_off_faults] {
        let found = faults(&|rendered| rendered.html = rendered.html.replace("<ol>", "<div>"));
        assert!(found.contains("numbered steps"), "{found}");
    }
}

#[test]
fn an_answer_has_steps_where_something_is_to_be_done() {
    let answers = [
        (nothing_found(), false),
        (Answer::NotChecked { is_named: true, is_partial: false }, true),
        (Answer::NotChecked { is_named: false, is_partial: true }, false),
        (Answer::UnderReview, true),
        (switched_off(one_exposure(), false), true),
        (switched_off(one_exposure(), true), false),
    ];
    for (told, expected) in answers {
        let found = answer_faults(told, |rendered| {
            assert_eq!(rendered.html.contains("<ol>"), expected, "{}", rendered.html);
            rendered.html = rendered.html.replace("<ol>", "<div>");
        });
        assert_eq!(found.contains("numbered steps"), expected, "{found}");
    }
}

#[test]
fn what_is_not_told_is_found() {
    for faults in ALL {
        let found = faults(&|rendered| swap(rendered, "janedoe", "jane"));
        assert_eq!(found, "it does not say janedoe");
        // In HTML, quotes are entities.
        let found = faults(&|rendered| {
            rendered.text = rendered.text.replace("\"Help\"", "Help");
            rendered.html = rendered.html.replace("&quot;Help&quot;", "Help");
        });
        assert!(found.starts_with("it does not say \\\"Help\\\", then "), "{found}");
    }
    for faults in [link_faults, done_faults, nothing_found_faults] {
        let found = faults(&|rendered| swap(rendered, "at 10:00", "at 11:00"));
        assert_eq!(found, "it does not say 23 November 2026 at 10:00 UTC");
    }
    let found = switched_off_faults(&|rendered| swap(rendered, "on 24", "on 25"));
    assert_eq!(found, "it does not say 24 November 2026");
    for faults in [faults, done_faults, switched_off_faults] {
        let found = faults(&|rendered| swap(rendered, "Forgot", "Lost"));
        assert!(found.contains("then \\\"Forgot password\\\""), "{found}");
    }
}

#[test]
fn a_subject_that_shouts_or_is_cut_is_found() {
    let found = faults(&|rendered| rendered.subject = "RESET NOW".to_owned());
    assert_eq!(found, "the subject is empty, broken over lines, or shouts");
    let found = faults(&|rendered| rendered.subject = "a long subject ".repeat(5));
    assert_eq!(found, "the subject has 75 characters, at most 60 are shown");
}

#[test]
fn hard_words_are_found() {
    let words = "Notwithstanding organisational countermeasures, unauthorised dissemination of \
                 authentication credentials necessitates comprehensive remediation ";
    let found = faults(&|rendered| {
        rendered.text = words.repeat(12);
        rendered.html = format!("<body><p>{}</p>", words.repeat(12));
    });
    assert!(found.contains("its readability index is"), "{found}");
}
