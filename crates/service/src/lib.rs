//! One function per operation: where store, directory and the domain crates meet.
