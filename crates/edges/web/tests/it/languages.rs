//! German and English, by what the browser asks for and by choice.

use axum::http::Request;

use crate::harness::{Answer, Pages, named};

const GERMAN: &str = "<html lang=\"de\">";

async fn asked_for(pages: &Pages, path: &str, languages: &str) -> Answer {
    pages.send(Request::get(path).header("accept-language", languages)).await
}

#[tokio::test]
async fn the_browsers_language_is_spoken() {
    let pages = Pages::open().await;
    for path in ["/", "/check", "/forgot", "/affected", "/notices", "/nothing"] {
        let german = asked_for(&pages, path, "de-AT,de;q=0.9,en;q=0.5").await;
        assert!(german.body.contains(GERMAN), "{path}");
        let other = asked_for(&pages, path, "fr").await;
        assert!(other.body.contains("<html lang=\"en\">"), "{path}");
    }
    let german = asked_for(&pages, "/check", "de").await;
    assert_eq!(german.title(), "Nachricht prüfen – Example");
}

#[tokio::test]
async fn a_choice_wins_and_goes_along() {
    let pages = Pages::open().await;
    let chosen = asked_for(&pages, "/check?lang=de", "en").await.body;
    assert!(chosen.contains(GERMAN));
    assert!(chosen.contains("<input type=\"hidden\" name=\"lang\" value=\"de\">"));
    assert!(chosen.contains("href=\"/notices?lang=de\""));
    let unchosen = asked_for(&pages, "/check", "de").await.body;
    assert!(unchosen.contains("href=\"/notices\""));
    let answer = pages.post("/check", "lang=de&code=1&address=2").await;
    assert!(answer.body.contains(GERMAN));
    assert!(answer.title().starts_with("Wir können diese Nachricht nicht bestätigen"));
    assert!(answer.body.contains("href=\"/check?lang=en\""));
}

#[tokio::test]
async fn what_is_no_language_chooses_nothing() {
    let pages = Pages::open().await;
    for query in ["lang=xx", "lang=", "lang=%zz", "lang=de&lang=en", "lang=\"><script>"] {
        let path = format!("/check?{}", query.replace(['"', '<', '>'], "%22"));
        assert!(pages.get(&path).await.body.contains("<html lang=\"en\">"), "{query}");
    }
}

#[tokio::test]
async fn a_site_without_a_name_is_spoken_of_in_whole_sentences() {
    let unnamed = web::LookOptions { name: None, sender: None, ..named() };
    let pages = Pages::with(unnamed, |state| state).await;
    let english = pages.get("/check").await;
    assert_eq!(english.title(), "Check a notice – Account security");
    assert!(english.body.contains("says it is from this site?"));
    let german = pages.get("/check?lang=de").await;
    assert!(german.body.contains("angeblich von dieser Seite"));
}
