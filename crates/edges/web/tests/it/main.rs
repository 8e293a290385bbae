//! Pages as strangers meet them, without a network.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod account;
mod answers;
mod asking;
mod german;
mod guards;
mod harness;
mod languages;
mod looks;
mod operators;
mod rehearsal;
mod reset;
