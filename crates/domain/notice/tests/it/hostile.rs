//! Names that want to be headers, tags or links.

use model::{Provenance, Tier};
use notice::{Composed, Composer, Facts, Language};
use proptest::prelude::*;

use crate::facts::{
    answer, done, exposure, facts, link, one_exposure, posting, site, switched_off,
};

const JANE: &str = "jane@example.net";

/// The headers of a notice, all of them, in order.
const HEADERS: [&str; 10] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
];

/// One notice of each kind to somebody of this name.
fn notices(username: &str, language: Language) -> Vec<Composed> {
    let posting = posting(1);
    let composer = Composer::new(site(language)).unwrap();
    let link = link(JANE, Some(username), "https://www.example.org");
    let answer = answer(JANE, Some(username), switched_off(one_exposure(), false));
    let notices = [
        composer.compose(&facts(JANE, &[Some(username), None], one_exposure()), language, &posting),
        composer.compose(&link, language, &posting),
        composer.compose(&done(JANE, Some(username), true), language, &posting),
        composer.compose(&answer, language, &posting),
    ];
    notices.into_iter().map(Result::unwrap).collect()
}

/// The names of a notice's headers.
fn headers(notice: &Composed) -> Vec<String> {
    let text = std::str::from_utf8(notice.bytes()).unwrap();
    let (headers, _) = text.split_once("\r\n\r\n").unwrap();
    let lines = headers.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

fn html(facts: &impl Facts) -> String {
    let composer = Composer::new(site(Language::English)).unwrap();
    composer.preview(facts, Language::English).unwrap().html
}

#[test]
fn a_name_is_no_markup() {
    let named = "<script>x</script>&amp;<a href='http://evil.test'>";
    let leak = exposure(Tier::Exact, "<b>\"Leak\"</b>", "2016", Provenance::Circulating);
    let answer = answer(JANE, Some(named), switched_off(vec![leak.clone()], false));
    for html in [html(&facts(JANE, &[Some(named)], vec![leak])), html(&answer)] {
        for tag in ["<script", "<a ", "<b>", "http://", "evil.test"] {
            assert!(!html.contains(tag), "{tag}\n{html}");
        }
        assert!(html.contains("&lt;b&gt;&quot;Leak&quot;&lt;"), "{html}");
    }
}

#[test]
fn a_name_is_no_template() {
    let facts = facts(JANE, &[Some("{{ code }}{% raw %}")], one_exposure());
    let composer = Composer::new(site(Language::English)).unwrap();
    let text = composer.preview(&facts, Language::English).unwrap().text;
    assert!(text.starts_with("Hello {{ code }}{% raw %},"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_name_adds_a_header(name in ".*|[a-z:\r\n ]{0,60}|(\r\n)*Bcc: x@y\r\n\r\n") {
        for language in Language::ALL {
            for notice in notices(&name, *language) {
                prop_assert_eq!(headers(&notice), HEADERS);
            }
        }
    }
}
