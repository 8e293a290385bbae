//! Questions to the person at the keyboard.
//!
//! They are asked on the terminal that controls the process, and never on standard input: what
//! only a person may answer, no pipe, flag or variable can.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
};

use zeroize::Zeroizing;

use crate::output::visible;

const DEVICE: &str = "/dev/tty";

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 1024;

/// Characters of a passphrase, at least.
const PASSPHRASE_CHARS_MIN: usize = 12;

/// The terminal that controls the process.
#[derive(Debug)]
pub(crate) struct Terminal {
    device: File,
}

impl Terminal {
    pub(crate) fn open() -> Result<Self, TerminalError> {
        let device = OpenOptions::new().read(true).write(true).open(DEVICE);
        Ok(Self { device: device.map_err(|source| TerminalError::None { source })? })
    }

    /// Shows a text, with control characters escaped.
    pub(crate) fn show(&mut self, text: &str) -> Result<(), TerminalError> {
        self.device.write_all(visible(text).as_bytes())?;
        Ok(self.device.flush()?)
    }

    /// Asks for one line.
    pub(crate) fn ask(&mut self, question: &str) -> Result<String, TerminalError> {
        self.show(question)?;
        let mut answer = String::new();
        let read = BufReader::new((&self.device).take(ANSWER_BYTES_MAX)).read_line(&mut answer)?;
        if read == 0 {
            return Err(TerminalError::Closed);
        }
        Ok(answer.trim().to_owned())
    }

    /// Asks for a passphrase, which the terminal does not show.
    pub(crate) fn ask_passphrase(
        &mut self,
        question: &str,
    ) -> Result<Zeroizing<String>, TerminalError> {
        self.show(question)?;
        let answer = rpassword::read_password().map(Zeroizing::new)?;
        self.show("\n")?;
        Ok(answer)
    }

    /// Asks twice for a new passphrase.
    pub(crate) fn ask_new_passphrase(&mut self) -> Result<Zeroizing<String>, TerminalError> {
        let question = format!("New passphrase, at least {PASSPHRASE_CHARS_MIN} characters: ");
        let first = self.ask_passphrase(&question)?;
        let found = first.chars().count();
        if found < PASSPHRASE_CHARS_MIN {
            return Err(TerminalError::TooShort { found });
        }
        if *self.ask_passphrase("The same passphrase again: ")? != *first {
            return Err(TerminalError::TypedDifferently);
        }
        Ok(first)
    }
}

/// Why nobody answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TerminalError {
    #[error(
        "there is no terminal to ask on ({DEVICE}: {source}): a person has to answer, so run it \
         in a terminal; over ssh, with `ssh -t`"
    )]
    None { source: io::Error },
    #[error("the terminal was closed before an answer came")]
    Closed,
    #[error("the terminal failed: {0}")]
    Failed(#[from] io::Error),
    #[error("the passphrase has {found} characters, it needs at least {PASSPHRASE_CHARS_MIN}")]
    TooShort { found: usize },
    #[error("the two passphrases differ: nothing was written")]
    TypedDifferently,
}
