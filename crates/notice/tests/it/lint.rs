//! What the rules find in notices that break them.

use notice::{Composer, Language, Rendered, lint};

use crate::facts::{facts, one_exposure, site};

/// What is wrong with a notice after a change to it.
fn faults(change: impl Fn(&mut Rendered)) -> String {
    let facts = facts("jane@example.net", &[Some("janedoe")], one_exposure());
    let site = site(Language::English);
    let composer = Composer::new(site.clone()).unwrap();
    let mut rendered = composer.preview(&facts, Language::English).unwrap();
    change(&mut rendered);
    let faults = lint(&rendered, &site, &facts, Language::English);
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The same words added to both forms.
#[track_caller]
fn check_words(words: &str, expected: &str) {
    let found = faults(|rendered| {
        rendered.text = format!("{words}\n\n{}", rendered.text);
        rendered.html = rendered.html.replacen("<p>", &format!("<p>{words}</p><p>"), 1);
    });
    assert_eq!(found, expected);
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
    let found = faults(|rendered| rendered.text = rendered.text.replace("janedoe", "johndoe"));
    assert!(found.starts_with("the text says `johndoe,` where HTML says `janedoe,`"), "{found}");
    let found = faults(|rendered| rendered.html = rendered.html.replace("<p>", "<p><img src=x>"));
    assert_eq!(found, "it holds a link: <img\nit holds a link: src=");
}

#[test]
fn what_is_missing_is_found() {
    let found = faults(|rendered| rendered.text = rendered.text.replace("CDQV", "0000"));
    assert!(found.contains("the code stands 0 times in the text and 1 times in HTML"), "{found}");
    let found = faults(|rendered| rendered.html = rendered.html.replace("<ol>", "<div>"));
    assert!(found.contains("numbered steps"), "{found}");
}

#[test]
fn a_subject_that_shouts_or_is_cut_is_found() {
    let found = faults(|rendered| rendered.subject = "RESET NOW".to_owned());
    assert_eq!(found, "the subject is empty, broken over lines, or shouts");
    let found = faults(|rendered| rendered.subject = "a long subject ".repeat(5));
    assert_eq!(found, "the subject has 75 characters, at most 60 are shown");
}

#[test]
fn hard_words_are_found() {
    let words = "Notwithstanding organisational countermeasures, unauthorised dissemination of \
                 authentication credentials necessitates comprehensive remediation ";
    let found = faults(|rendered| {
        rendered.text = words.repeat(12);
        rendered.html = format!("<body><p>{}</p>", words.repeat(12));
    });
    assert!(found.contains("its readability index is"), "{found}");
}
