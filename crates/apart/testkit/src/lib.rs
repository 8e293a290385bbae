//! What the tests of several crates need: a throw-away PostgreSQL or MariaDB, Python judges, a
//! Django site, SMTP servers, a witness, somebody at a terminal, a browser.
//!
//! Everything panics when it cannot go on: a test has nobody to hand an error to.

mod applications;
pub mod browser;
pub mod dkim;
mod mariadb;
mod postgres;
mod proxy;
pub mod site;
pub mod smtp;
mod terminal;
mod tools;
mod witness;

pub use applications::{devise, laravel, mediawiki, wordpress};
pub use mariadb::{MariadbDatabase, MariadbServer, mariadb};
pub use postgres::{PostgresServer, TestDatabase, postgres};
pub use proxy::{CommitProxy, LostCommit};
pub use terminal::{Terminal, TerminalRun, no_terminal, terminal};
pub use tools::{full, python, workspace};
pub use witness::{ForeignWitness, foreign_feeder};
