//! What the tests of several crates need: a throw-away PostgreSQL, Python judges, a Django site,
//! somebody at a terminal.
//! site, SMTP servers.
//!
//! Everything panics when it cannot go on: a test has nobody to hand an error to.

mod postgres;
pub mod site;
mod terminal;
pub mod smtp;
mod tools;

pub use postgres::{PostgresServer, TestDatabase, postgres};
pub use terminal::{Terminal, TerminalRun, no_terminal, terminal};
pub use tools::{full, python, workspace};
