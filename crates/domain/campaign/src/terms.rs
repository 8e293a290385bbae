//! What a plan can say beside whom it resets, and says only where it differs from the usual. A field
//! that is as usual is left out of a plan's bytes, so plans from before it existed are still read.

use std::collections::BTreeMap;

use model::{AccountId, digest_type};
use serde::{Deserialize, Serialize};

use crate::TemplateName;

digest_type! {
    /// SHA-256 over a template's text.
    TemplateDigest
}

/// Which of a plan's targets are taken up in its round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of them, step by step.
    #[default]
    All,
    /// Those who were begun before a halt: they are settled, and nobody else is touched.
    Begun,
}

/// The terms of a plan that are mostly as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Which targets are taken up.
    #[serde(skip_serializing_if = "is_usual")]
    pub scope: Scope,
    /// What happens to their passwords.
    #[serde(skip_serializing_if = "is_usual")]
    pub mode: Mode,
    /// The mails in full, as an invented recipient gets them: what signers read.
    #[serde(skip_serializing_if = "is_usual")]
    pub mails: BTreeMap<TemplateName, String>,
    /// The words by which a mistake would be taken back.
    #[serde(skip_serializing_if = "is_usual")]
    pub corrections: BTreeMap<TemplateName, TemplateDigest>,
    /// The site's own test accounts, by which a wrong list is noticed.
    #[serde(skip_serializing_if = "is_usual")]
    pub sentinels: Vec<Sentinel>,
    /// How many targets were declared before the list was made.
    #[serde(skip_serializing_if = "is_usual")]
    pub declared: Option<CountBounds>,
    /// Whom other campaigns reset: shares of all accounts are counted together with theirs. Plans
    /// from before that count themselves alone.
    #[serde(skip_serializing_if = "is_usual")]
    pub others: Option<OtherCampaigns>,
    /// Whether witnesses sign for the log before anybody is sealed or told.
    #[serde(skip_serializing_if = "is_usual")]
    pub is_witnessed: bool,
    /// Whether the author has to sign it, too; nobody asked so in plans of before.
    #[serde(skip_serializing_if = "is_usual")]
    pub author_signs: bool,
}

/// What other campaigns of the same site do to its accounts. A list that is split into several small
/// ones needs as many approvers as if it were one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherCampaigns {
    /// How far back they count.
    pub window_seconds: u64,
    /// Accounts whose passwords they have taken out of use since, or are still to.
    pub accounts: u64,
}

/// What happens to the passwords of a plan's targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are taken out of use.
    #[default]
    Seal,
    /// They are to be changed at the next sign-in.
    AtNextSignIn,
    /// They are taken out of use after a time in which their owners may change them.
    Grace,
}

/// A test account of the site's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentinel {
    /// Which one.
    pub account: AccountId,
    /// Whether it must be found exposed.
    pub is_exposed: bool,
}

/// At least and at most so many targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountBounds {
    /// At least.
    pub targets_min: u64,
    /// At most.
    pub targets_max: u64,
}

impl Terms {
    /// The first term that this program could not keep to: it must not act on such a plan.
    pub(crate) fn unkept(&self) -> Option<&'static str> {
        let terms = [
            (self.mode != Mode::Seal, "mode"),
            (!self.corrections.is_empty(), "corrections"),
            (!self.sentinels.is_empty(), "sentinels"),
            (self.declared.is_some(), "declared"),
        ];
        terms.into_iter().find_map(|(unkept, name)| unkept.then_some(name))
    }
}

/// Whether a field is left out.
pub(crate) fn is_usual<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}
