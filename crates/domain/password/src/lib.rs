//! Stored-hash formats: make one, verify one, verify many.
//!
//! A [`Verifier`] tries leaked secrets on the hashes of a site's own table, and makes hashes of the same
//! form and cost as one that stands there, so that the site can go on using it. [`HashForms`] are the forms
//! that those hashes may have: each is a line in a small language (docs/hashes.md) that says what stands
//! in the column, and what the site does with a password before it compares the two.
//!
//! A match is the evidence on which a person is later told, so this crate never guesses: a hash
//! that cannot be computed exactly as the site computes it is [`Unverified`](model::Unverified).
//! It takes as loose an encoding as the software that writes the format does, and none looser.
//!
//! Two properties of the formats themselves are kept, because the site has them too:
//! - bcrypt reads 72 bytes, so a longer secret matches whatever it shares them with. `crypt(3)`
//!   stops at a NUL byte and other software does not, so none is hashed anew.
//! - `$2a$`, `$2b$` and `$2y$` are one function. `$2x$` marks hashes of a faulty one, which is the same
//!   for ASCII, and `$2$` of one without the closing NUL.

mod coding;
mod cost;
mod description;
mod form_id;
mod forms;
mod hash_cost;
mod hash_head;
mod known;
mod known_form;
pub mod limits;
mod make_error;
mod named;
mod native;
#[cfg(test)]
mod read_tests;
mod salt;
#[cfg(test)]
mod samples;
mod threads;
mod verifier;

pub use cost::CostLimits;
pub use description::DescriptionError;
pub use form_id::FormId;
pub use forms::{FormError, HashForms};
pub use hash_cost::{HashCost, HashStrength};
pub use hash_head::{HashHead, HashShape};
pub use make_error::MakeHashError;
pub use threads::ThreadError;
pub use verifier::{Attempt, Explanation, ImitateError, TriedHash, Verifier};
