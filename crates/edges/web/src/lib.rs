//! What Countersign answers over HTTP: decodes, calls the service, answers.
//!
//! People's pages work without scripts and cookies, and look the same whether or not an account
//! exists. TLS comes from certificate files, or from a proxy that is named; without either, only
//! this host is listened to.

mod desk;
mod german;
mod guard;
mod health;
pub mod limits;
mod look;
mod metrics;
mod moment;
mod number;
mod pages;
mod phrases;
mod server;
mod visit;

use std::{fmt, sync::Arc};

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use instance::Instance;
use outbox::Words;
use recoveries::Recovery;

use guard::{Gate, Throttle};
use limits::FORM_BYTES_MAX;

pub use desk::Desk;
pub use look::{Accent, AccentError, Logo, LogoError, Look, LookOptions};
pub use server::{ServeError, ServeOptions, TlsFiles, serve};

/// What every handler is given.
#[derive(Clone)]
pub struct Office {
    site: Arc<Instance>,
    look: Arc<Look>,
    words: Option<Arc<Words>>,
    recovery: Option<Arc<Recovery>>,
    desk: Option<Arc<Desk>>,
}

impl Office {
    /// Answers for one site. Without the words of its notices, none can be checked.
    #[must_use]
    pub fn new(site: Arc<Instance>, look: Look, words: Option<Arc<Words>>) -> Self {
        Self { site, look: Arc::new(look), words, recovery: None, desk: None }
    }

    /// Lets people choose new passwords here, and not on the site's own pages.
    #[must_use]
    pub fn with_recovery(self, recovery: Arc<Recovery>) -> Self {
        Self { recovery: Some(recovery), ..self }
    }

    /// Shows the mails and reports of a rehearsal to whoever tries the program on this host. Where
    /// others can reach us, nobody is shown them.
    #[must_use]
    pub fn with_desk(self, desk: Desk) -> Self {
        Self { desk: Some(Arc::new(desk)), ..self }
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
    let desk = office.desk.clone().filter(|_| options.listen.ip().is_loopback());
    let gate = Gate { office: office.clone(), options, throttle };
    for_people(office.recovery.clone(), desk)
        .layer(from_fn_with_state(gate.clone(), guard::admit))
        .merge(for_machines())
        .with_state(office)
        .layer(from_fn(guard::keep_private))
        .layer(from_fn_with_state(gate.clone(), guard::in_time))
        .layer(from_fn_with_state(gate, guard::secure))
        .layer(from_fn(guard::log_access))
}

fn for_people(recovery: Option<Arc<Recovery>>, desk: Option<Arc<Desk>>) -> Router<Office> {
    Router::new()
        .route("/", get(pages::home))
        .route("/check", get(pages::ask).post(pages::check))
        .route("/check/dispute", post(pages::dispute))
        .route("/notices", get(pages::notices))
        .route("/affected", get(pages::affected).post(pages::ask_for_answer))
        .route("/forgot", get(pages::forgot).post(pages::ask_for_link))
        .route("/.well-known/change-password", get(pages::change_password))
        .merge(recovery.map_or_else(Router::new, behind_links))
        .merge(desk.map_or_else(Router::new, desk::routes))
        .route("/assets/{name}", get(pages::asset))
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

/// Where the links of our mails lead. There are none where the site mails its own.
fn behind_links(recovery: Arc<Recovery>) -> Router<Office> {
    let reset = get(pages::open).post(pages::choose).layer(Extension(recovery));
    Router::new().route("/reset/{token}", reset)
}

fn for_machines() -> Router<Office> {
    Router::new()
        .route("/robots.txt", get(pages::robots))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics::metrics))
}
