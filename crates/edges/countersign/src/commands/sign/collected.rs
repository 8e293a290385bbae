//! Rosters and armings: documents that collect their signatures.

use std::path::Path;

use authority::{OperatorKey, SignedArming, SignedRoster};
use model::{Document as _, OperatorName, canonical::CanonicalError};

use super::signed::{SignedDocument, open_key};
use crate::{
    commands::{CommandFailure, Refused},
    files,
    terminal::ControllingTerminal,
};

/// Characters of a digest that an operator types.
const TYPED_CHARS: usize = 8;

/// Adds the operator's signature to the document, in its own file or in another.
pub(super) fn sign(
    document: Collected,
    file: &Path,
    key: &Path,
    output: Option<&Path>,
) -> Result<SignedDocument, CommandFailure> {
    output.map_or(Ok(()), files::refuse_existing)?;
    let terminal = ControllingTerminal::open()?;
    terminal.show(&document.text())?;
    confirm(&terminal, &document.digest())?;
    let signed = document.signed_by(&open_key(&terminal, key)?);
    match output {
        Some(output) => files::create(output, &signed.to_bytes())?,
        None => files::replace(file, &signed.to_bytes())?,
    }
    Ok(signed.describe(output.unwrap_or(file)))
}

/// Whoever types the digest has looked at it, and can compare it with what colleagues have.
fn confirm(terminal: &ControllingTerminal, digest: &str) -> Result<(), CommandFailure> {
    let question = format!("\nType the first {TYPED_CHARS} characters of the digest: ");
    let typed = terminal.ask(&question)?;
    let expected = digest[..TYPED_CHARS].to_owned();
    if typed == expected {
        return Ok(());
    }
    Err(Refused::because(OtherDigest { typed, expected }))
}

/// A document with the signatures that it has so far.
pub(super) enum Collected {
    Roster(SignedRoster),
    Arming(SignedArming),
}

impl Collected {
    /// Fails with what keeps the bytes from being a roster, and from being an arming.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, (CanonicalError, CanonicalError)> {
        let roster = match SignedRoster::parse(bytes) {
            Ok(signed) => return Ok(Self::Roster(signed)),
            Err(error) => error,
        };
        SignedArming::parse(bytes).map(Self::Arming).map_err(|arming| (roster, arming))
    }

    fn text(&self) -> String {
        match self {
            Self::Roster(signed) => signed.document().signing_text(),
            Self::Arming(signed) => signed.document().signing_text(),
        }
    }

    fn digest(&self) -> String {
        match self {
            Self::Roster(signed) => signed.document().digest().to_string(),
            Self::Arming(signed) => signed.document().digest().to_string(),
        }
    }

    fn signed_by(self, key: &OperatorKey) -> Self {
        match self {
            Self::Roster(signed) => Self::Roster(signed.signed_by(key)),
            Self::Arming(signed) => Self::Arming(signed.signed_by(key)),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Roster(signed) => signed.to_bytes(),
            Self::Arming(signed) => signed.to_bytes(),
        }
    }

    fn describe(&self, file: &Path) -> SignedDocument {
        let (file, digest) = (file.display().to_string(), self.digest());
        match self {
            Self::Roster(signed) => {
                SignedDocument::Roster { file, digest, signers: texts(signed.names()) }
            }
            Self::Arming(signed) => {
                SignedDocument::Arming { file, digest, signers: texts(signed.names()) }
            }
        }
    }
}

fn texts<'a>(names: impl Iterator<Item = &'a OperatorName>) -> Vec<String> {
    names.map(ToString::to_string).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("`{typed}` was typed, the digest begins with {expected}: nothing is signed")]
struct OtherDigest {
    typed: String,
    expected: String,
}
