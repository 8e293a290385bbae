//! What the tests of several crates need: a throw-away PostgreSQL, Python judges, a Django site.
//!
//! Everything panics when it cannot go on: a test has nobody to hand an error to.

mod postgres;
pub mod site;
mod tools;

pub use postgres::{PostgresServer, TestDatabase, postgres};
pub use tools::{full, python, workspace};
