//! Pages as strangers meet them, without a network.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod answers;
mod guards;
mod harness;
mod languages;
mod looks;
