use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use crate::{InstanceId, OperatorName, Timestamp, canonical};

/// What operators sign: a text to be read, one form in bytes, and who has to sign.
///
/// A new kind of document implements this, with [`Approvable`] if its signatures come in files of
/// their own. Everything else about signing is done by `authority` for all kinds alike.
pub trait Document: Serialize + DeserializeOwned {
    /// The first line of its text, the version in its bytes, and what its digest is for. So no
    /// signature can be moved to a document of another kind.
    const FORMAT: &'static str;

    /// What a message calls it.
    const NOUN: &'static str;

    /// Which installation it is for.
    fn instance(&self) -> &InstanceId;

    /// How many operators have to sign, besides its author.
    fn signers_needed(&self) -> usize;

    /// Who wrote it, and so cannot approve it; `None` if nobody in particular did.
    fn author(&self) -> Option<&OperatorName> {
        None
    }

    /// Whether its author has to sign it as well, so that nobody writes in another's name.
    fn author_signs(&self) -> bool {
        false
    }

    /// What an operator reads and signs, between the first line and the digest.
    ///
    /// Foreign text in it is quoted by [`readable`](fn@crate::readable), so that no line of it can
    /// be taken for one of ours.
    ///
    /// # Errors
    /// None but those of the text that it is written to.
    fn write_terms(&self, to: &mut String) -> fmt::Result;

    /// What an operator reads and signs: its kind, its terms, its digest.
    fn signing_text(&self) -> String {
        let mut text = format!("{}\n", Self::FORMAT);
        self.write_terms(&mut text).expect("a String takes every text");
        text + "digest: " + &canonical::hex_of(&self.sha256()) + "\n"
    }

    /// SHA-256 over all of it.
    fn sha256(&self) -> [u8; 32] {
        canonical::digest(Self::FORMAT, &canonical::to_bytes(self))
    }
}

/// A document about accounts, which operators approve one by one, each in a file of their own.
///
/// It is proposed in rounds, so that no approval serves twice, and for a time.
pub trait Approvable: Document {
    /// What it does to accounts, as in "the plan `resets` 3 accounts".
    const EFFECT: &'static str;

    /// The round that it is proposed in.
    fn round(&self) -> u32;

    /// How many accounts it is about: what an operator types who means this document.
    fn accounts(&self) -> u64;

    /// When it was fixed.
    fn opened_at(&self) -> Timestamp;

    /// When the last approval must be given.
    fn sign_by(&self) -> Timestamp;
}

/// A document that enough operators have signed.
///
/// Only `authority` makes one, when it has counted the signatures: clippy refuses
/// [`Endorsed::attest`] everywhere else. It stands here so that those who act on a document can
/// ask for the proof without knowing how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsed<D> {
    document: D,
    signers: Vec<OperatorName>,
}

impl<D> Endorsed<D> {
    /// Says that these operators have signed, and that they are enough.
    #[must_use]
    pub const fn attest(document: D, signers: Vec<OperatorName>) -> Self {
        Self { document, signers }
    }

    /// What was signed.
    #[must_use]
    pub const fn document(&self) -> &D {
        &self.document
    }

    /// Who signed.
    #[must_use]
    pub fn signers(&self) -> &[OperatorName] {
        &self.signers
    }
}

/// Defines the `v` of a document's bytes: one text, and no other is read.
///
/// The crate that uses it needs `serde`.
#[macro_export]
macro_rules! format_version {
    ($vis:vis $name:ident = $format:literal) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            #[serde(rename = $format)]
            V1,
        }

        impl $name {
            $vis const FORMAT: &'static str = $format;
        }
    };
}
