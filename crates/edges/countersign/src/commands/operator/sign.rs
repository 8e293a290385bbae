use std::path::{Path, PathBuf};

use authority::{OperatorKey, SignedArming, SignedRoster};
use model::{Document as _, OperatorName, canonical::CanonicalError};
use serde::Serialize;

use crate::{
    commands::{Context, Failure, Refused, signing::open_key},
    files,
    output::visible,
    terminal::Terminal,
};

/// Characters of a digest that an operator types.
const TYPED_CHARS: usize = 8;

#[derive(Serialize)]
struct SignedBy {
    file: String,
    digest: String,
    signers: Vec<String>,
}

/// Works on any host: nothing but the document, the key and the operator is needed.
pub(super) fn run(context: &Context<'_>, file: &Path, key: &Path) -> Result<(), Failure> {
    let paper = Paper::read(file)?;
    let terminal = Terminal::open()?;
    terminal.show(&paper.text())?;
    confirm(&terminal, &paper.digest())?;
    let signed = paper.signed_by(&open_key(&terminal, key)?);
    files::replace_document(file, &signed.to_bytes())?;
    let signed = SignedBy {
        file: file.display().to_string(),
        digest: signed.digest(),
        signers: signed.names().map(ToString::to_string).collect(),
    };
    Ok(context.output.result("countersign.operator_sign/1", &signed, for_people)?)
}

fn for_people(signed: &SignedBy) -> String {
    format!("{} is signed by {}\n", visible(&signed.file), visible(signed.signers.join(", ")))
}

/// Whoever types the digest has looked at it, and can compare it with what colleagues have.
fn confirm(terminal: &Terminal, digest: &str) -> Result<(), Failure> {
    let question = format!("\nType the first {TYPED_CHARS} characters of the digest: ");
    let typed = terminal.ask(&question)?;
    let expected = digest[..TYPED_CHARS].to_owned();
    if typed == expected {
        return Ok(());
    }
    Err(Refused::because(OtherDigest { typed, expected }))
}

/// The documents that operators sign by hand.
enum Paper {
    Roster(SignedRoster),
    Arming(SignedArming),
}

impl Paper {
    fn read(file: &Path) -> Result<Self, Failure> {
        let bytes = files::read(file)?;
        let roster = match SignedRoster::parse(&bytes) {
            Ok(signed) => return Ok(Self::Roster(signed)),
            Err(error) => error,
        };
        let no_paper = |arming| NoPaper { file: file.to_owned(), roster, arming };
        Ok(SignedArming::parse(&bytes).map(Self::Arming).map_err(no_paper)?)
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

    fn names(&self) -> Box<dyn Iterator<Item = &OperatorName> + '_> {
        match self {
            Self::Roster(signed) => Box::new(signed.names()),
            Self::Arming(signed) => Box::new(signed.names()),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Roster(signed) => signed.to_bytes(),
            Self::Arming(signed) => signed.to_bytes(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}: neither a roster ({roster}) nor an arming ({arming})", file.display())]
struct NoPaper {
    file: PathBuf,
    roster: CanonicalError,
    arming: CanonicalError,
}

#[derive(Debug, thiserror::Error)]
#[error("`{typed}` was typed, the digest begins with {expected}: nothing is signed")]
struct OtherDigest {
    typed: String,
    expected: String,
}
