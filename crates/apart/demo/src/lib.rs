//! An invented site, and leaks of known truth that concern it: what `countersign demo` runs on.
//!
//! It depends on no other crate of this workspace, and is to stay so. Addresses are spelled, hashes
//! made and lines written by code of its own, and what has to be found follows from what was
//! written, not from reading it again. A misunderstanding can then not be on both sides.
//!
//! There is no clock and no randomness here: equal [`DemoOptions`] give equal bytes, salts
//! included. Nobody in it exists. The domains are those that RFC 2606 keeps for examples, but for a
//! few names at Gmail that are longer than any that Gmail gives out.

mod address;
mod broken;
mod export;
mod form;
mod hash;
pub mod limits;
mod lines;
mod names;
mod password;
mod people;
mod random;
mod record;
mod site;
mod sketch;
mod spelling;
mod truth;

pub use hash::Format;
pub use password::Password;
pub use people::Person;
pub use site::{DemoLeak, DemoOptions, DemoSite, MakeError, make};
pub use truth::{LeakTruth, Match, Reject, TrueTally, TrueTier, Truth};
