//! What Countersign answers over HTTP: decodes, asks, answers.
//!
//! There are three listeners. [`people_routes`] are for people, anywhere: TLS comes from
//! certificate files, or from a proxy that is named; without either, only this host is listened
//! to. [`console_routes`] are for operators on this host, [`metrics_routes`] for programs that
//! watch over this one.
//!
//! People's pages reach everything else by [`People::ask`] alone. [`InProcess`] answers in this
//! process.

mod console;
mod frame;
mod guard;
mod in_process;
pub mod limits;
mod look;
mod metrics;
mod people;
mod rehearsal;
mod server;
mod state;
mod templates;
mod visit;
mod written;

pub use axum::Router;

pub use console::routes::console_routes;
pub use in_process::InProcess;
pub use look::{Accent, AccentError, Logo, LogoError, Look, LookOptions};
pub use metrics::metrics_routes;
pub use people::{
    ask::{
        Asked, MailKind, MailWish, NoticeFound, PasswordOutcome, PasswordWish, People,
        PeopleAnswer, PublicStatement, Question, TypedNotice, Unanswered,
    },
    routes::people_routes,
};
pub use rehearsal::console::RehearsalConsole;
pub use server::{CertificateError, Listener, ServeError, ServeOptions, TlsFiles, serve};
pub use state::AppState;
