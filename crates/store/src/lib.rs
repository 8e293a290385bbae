//! Persistence of Countersign: SQLite and PostgreSQL, one conformance suite for both.
