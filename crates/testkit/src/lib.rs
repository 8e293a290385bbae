//! What the tests of several crates need: a throw-away PostgreSQL, Python judges, a Django site.
