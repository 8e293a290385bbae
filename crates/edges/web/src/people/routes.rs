use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};

use super::{assets, check, home, mail, notices, refusal, reset};
use crate::{
    guard::{self, PeopleGate, Throttle, guarded},
    rehearsal,
    server::ServeOptions,
    state::AppState,
};

/// Everything that people are answered, behind all guards. A rehearsal's console is there only
/// where nobody else can reach us.
pub fn people_routes(state: AppState, options: &ServeOptions) -> Router {
    let rehearsal = state.rehearsal.clone().filter(|_| options.listen.ip().is_loopback());
    let gate = PeopleGate {
        state: state.clone(),
        trusted_proxy: options.trusted_proxy,
        throttle: Arc::new(Throttle::new()),
    };
    let routes = pages(state.resets_here())
        .merge(rehearsal.map_or_else(Router::new, rehearsal::routes::routes))
        .fallback(refusal::not_found)
        .method_not_allowed_fallback(refusal::wrong_method)
        .layer(from_fn_with_state(gate.clone(), guard::admit))
        .route("/robots.txt", get(assets::robots))
        .with_state(state)
        .layer(from_fn_with_state(gate, guard::in_time));
    guarded(routes, options.is_private())
}

fn pages(resets_here: bool) -> Router<AppState> {
    let pages = Router::new()
        .route("/", get(home::home))
        .route("/check", get(check::ask).post(check::check))
        .route("/check/dispute", post(check::dispute))
        .route("/notices", get(notices::notices))
        .route("/affected", get(mail::affected).post(mail::ask_for_answer))
        .route("/forgot", get(mail::forgot).post(mail::ask_for_link))
        .route("/.well-known/change-password", get(mail::change_password))
        .route("/assets/{name}", get(assets::asset));
    if !resets_here {
        // Where the site mails its own links, ours lead nowhere.
        return pages;
    }
    pages.route("/reset/{token}", get(reset::open).post(reset::choose))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        extract::ConnectInfo,
        http::{Request, StatusCode, header::CONTENT_TYPE},
    };
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        Logo, LookOptions,
        people::testing::{look, state, state_of},
        server::Listener,
    };

    /// A token of the right form.
    const LINK: &str = "/reset/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    /// Every page that is opened, and every form that is sent, with what it bears on success.
    const PAGES: [(&str, Option<&str>, u16); 17] = [
        ("/", None, 200),
        ("/check", None, 200),
        ("/check", Some("code=&address="), 200),
        ("/check", Some("code=1&address=%3Cb%3E"), 200),
        ("/check/dispute", Some("code=1"), 200),
        ("/check/dispute", None, 405),
        ("/notices", None, 200),
        ("/affected", None, 200),
        ("/affected", Some("address=%3Cb%3E"), 200),
        ("/forgot", None, 200),
        ("/forgot", Some("name=%3Cb%3E"), 200),
        ("/nothing", None, 404),
        (LINK, None, 200),
        (LINK, Some("password=a&again=b"), 200),
        (LINK, Some("password=a&again=a"), 200),
        (LINK, Some("password=fail&again=fail"), 503),
        ("/reset/x", None, 404),
    ];

    async fn send(state: &AppState, path: &str, form: Option<&str>) -> (StatusCode, String) {
        let options = ServeOptions {
            listener: Listener::People,
            listen: ([127, 0, 0, 1], 0).into(),
            tls: None,
            trusted_proxy: None,
        };
        let peer: std::net::SocketAddr = ([192, 0, 2, 1], 1).into();
        let request = Request::builder().uri(path).extension(ConnectInfo(peer));
        let request = match form {
            None => request.body(Body::empty()),
            Some(form) => request
                .method("POST")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(form.to_owned())),
        };
        let answer = people_routes(state.clone(), &options).oneshot(request.unwrap()).await;
        let answer = answer.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// A template that names what its page lacks is answered with 500 and no text.
    #[tokio::test]
    async fn every_page_is_whole_for_every_site_in_every_language() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
        let sender = Some("security@example.org".parse().unwrap());
        let rich = LookOptions { logo: Some(Logo::new(svg.into()).unwrap()), sender, ..look() };
        let bare = LookOptions { name: None, ..look() };
        for state in [state(), state_of(rich).with_resets(8), state_of(bare)] {
            for lang in ["en", "de", "fr"] {
                for (path, form, expected) in PAGES {
                    let path = format!("{path}?lang={lang}");
                    let form = form.map(|form| format!("{form}&lang={lang}"));
                    let (status, page) = send(&state, &path, form.as_deref()).await;
                    let is_there = state.resets_here() || !path.starts_with("/reset");
                    assert_eq!(status.as_u16(), if is_there { expected } else { 404 }, "{path}");
                    assert!(page.ends_with("</html>"), "{path}: {page}");
                    assert!(!page.contains("<b>\""), "{path}: {page}");
                }
            }
        }
    }
}
