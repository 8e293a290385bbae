//! What Countersign answers over HTTP: decodes, calls the service, answers.
//!
//! People's pages work without scripts and cookies, and look the same whether or not an account
//! exists. TLS comes from certificate files, or from a proxy that is named; without either, only
//! this host is listened to.

mod german;
mod guard;
mod health;
pub mod limits;
mod look;
mod metrics;
mod moment;
mod pages;
mod phrases;
mod server;
mod visit;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use service::{Site, Words};

use guard::{Gate, Throttle};
use limits::FORM_BYTES_MAX;

pub use look::{Accent, AccentError, Logo, LogoError, Look, LookOptions};
pub use pages::Statement;
pub use server::{ServeError, ServeOptions, TlsFiles, serve};

/// What every handler is given.
#[derive(Clone)]
pub struct Office {
    site: Arc<Site>,
    look: Arc<Look>,
    words: Option<Arc<Words>>,
    statements: Arc<[Statement]>,
}

impl Office {
    /// Answers for one site. Without the words of its notices, none can be checked.
    #[must_use]
    pub fn new(site: Arc<Site>, look: Look, words: Option<Arc<Words>>) -> Self {
        Self { site, look: Arc::new(look), words, statements: Arc::default() }
    }

    /// Shows these in public, in this order.
    #[must_use]
    pub fn with_statements(self, statements: Vec<Statement>) -> Self {
        Self { statements: statements.into(), ..self }
    }
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.site.fmt(f)
    }
}

/// Everything that is answered, behind all guards.
pub fn routes(office: Office, options: &ServeOptions) -> Router {
    let options = Arc::new(options.clone());
    let throttle = Arc::new(Throttle::new());
    let gate = Gate { office: office.clone(), options, throttle };
    for_people()
        .layer(from_fn_with_state(gate.clone(), guard::admit))
        .merge(for_machines())
        .with_state(office)
        .layer(from_fn(guard::keep_private))
        .layer(from_fn_with_state(gate.clone(), guard::in_time))
        .layer(from_fn_with_state(gate, guard::secure))
        .layer(from_fn(guard::log_access))
}

fn for_people() -> Router<Office> {
    Router::new()
        .route("/", get(pages::home))
        .route("/check", get(pages::ask).post(pages::check))
        .route("/check/dispute", post(pages::dispute))
        .route("/notices", get(pages::notices))
        .route("/assets/{name}", get(pages::asset))
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

fn for_machines() -> Router<Office> {
    Router::new()
        .route("/robots.txt", get(pages::robots))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics::metrics))
}
