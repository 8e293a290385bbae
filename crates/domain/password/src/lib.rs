//! Stored-hash formats: make one, verify one, verify many.
//!
//! A [`Verifier`] tries leaked secrets on the hashes of a site's own table. A [`Recipe`] makes a
//! hash of the same format and cost as one that stands there, so that the site can go on using it.
//!
//! A match is the evidence on which a person is later told, so this crate never guesses: a hash
//! that cannot be computed exactly as the site computes it is [`Unverified`](model::Unverified).
//! It takes as loose an encoding as the software that writes the format does, and none looser.
//!
//! Two properties of the formats themselves are kept, because the site has them too:
//! - bcrypt reads 72 bytes, so a longer secret matches whatever it shares them with. A secret with
//!   a NUL byte matches no bcrypt hash: `crypt(3)` would stop there, other software would not.
//! - `$2a$`, `$2b$` and `$2y$` are one function. `$2x$` marks hashes of a faulty one, and `$2$` of
//!   one without the closing NUL; both are `unknown_format`.

mod cost;
pub mod limits;
mod make_error;
mod pepper;
mod recipe;
#[cfg(test)]
mod samples;
mod stored;
mod threads;
mod verifier;

pub use cost::CostLimits;
pub use make_error::MakeHashError;
pub use pepper::{Pepper, PepperMode};
pub use recipe::Recipe;
pub use stored::{format_of, recognise};
pub use threads::ThreadError;
pub use verifier::{Attempt, ImitateError, Verifier};
