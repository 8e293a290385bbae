//! The way back in, as far as it is decided and not done: tokens, new passwords, reset links.
//!
//! There is no clock, no store and no I/O here. A person asks for a link ([`Allowance`]), gets a
//! [`ResetToken`] by mail, opens the link while [`decide_use`] lets them, types a [`NewPassword`]
//! that a [`PasswordPolicy`] has nothing against, and that is neither the old one nor close to it
//! ([`variants_of`], [`against_old`]).
//!
//! Requirements are named where they are met: NIST SP 800-63B-4 by section, OWASP ASVS 5.0 by
//! number.

mod allowance;
mod breached;
mod context;
pub mod limits;
mod link;
mod old;
mod password;
mod pattern;
mod policy;
mod token;

pub use allowance::{Allowance, RequestCounts};
pub use breached::{Breached, BreachedList};
pub use context::Context;
pub use link::{LinkRefusal, LinkRow, LinkState, decide_use, links_to_supersede};
pub use old::{against_old, variants_of};
pub use password::{LengthRules, LengthRulesError, NewPassword, NewPasswordError};
pub use policy::{Objection, PasswordPolicy};
pub use token::{BoundTo, LinkKey, ResetToken, TokenDigest, TokenError};
