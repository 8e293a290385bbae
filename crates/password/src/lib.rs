//! Stored-hash formats: make one, verify one, verify many.
