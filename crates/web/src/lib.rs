//! What Countersign answers over HTTP: decodes, calls the service, answers.
//!
//! TLS comes from certificate files, or from a proxy that is named; without either, only this host
//! is listened to.

mod health;
mod metrics;
mod server;

use std::{fmt, sync::Arc};

use axum::{Router, routing::get};
use service::Site;

pub use server::{ServeError, ServeOptions, TlsFiles, serve};

/// What every handler is given.
#[derive(Clone)]
pub struct Office {
    site: Arc<Site>,
}

impl Office {
    /// Answers for one site.
    #[must_use]
    pub const fn new(site: Arc<Site>) -> Self {
        Self { site }
    }
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.site.fmt(f)
    }
}

fn routes(office: Office) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics::metrics))
        .with_state(office)
}
