//! The pages for people: whether a notice is real, and the way back to their account.
//!
//! They work without scripts and cookies, look the same whether or not an account exists, and
//! reach everything else through [`ask::People`].

pub(crate) mod ask;
mod assets;
mod check;
mod english;
mod form;
mod frame;
mod german;
mod home;
mod languages;
mod mail;
mod notices;
mod phrases;
pub(crate) mod refusal;
mod reset;
pub(crate) mod routes;
#[cfg(test)]
mod testing;
