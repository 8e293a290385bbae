//! Questions to the person at the keyboard.
//!
//! They are asked on the terminal that controls the process, and never on standard input: what
//! only a person may answer, no pipe, flag or variable can.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::output::visible;

const DEVICE: &str = "/dev/tty";

/// Bytes of an answer, at most.
const ANSWER_BYTES_MAX: usize = 1024;

/// Bytes read at once.
const PART_BYTES: usize = 256;

/// Characters of a passphrase, at least.
const PASSPHRASE_CHARS_MIN: usize = 12;

/// What Ctrl-C types.
const INTERRUPT: u8 = 3;

/// The terminal that controls the process.
#[derive(Debug)]
pub(crate) struct ControllingTerminal {
    device: File,
}

impl ControllingTerminal {
    pub(crate) fn open() -> Result<Self, TerminalError> {
        let device = OpenOptions::new().read(true).write(true).open(DEVICE);
        Ok(Self { device: device.map_err(|source| TerminalError::None { source })? })
    }

    /// Shows a text, with control characters escaped.
    pub(crate) fn show(&self, text: &str) -> Result<(), TerminalError> {
        Ok((&self.device).write_all(visible(text).as_bytes())?)
    }

    /// Asks for one line.
    pub(crate) fn ask(&self, question: &str) -> Result<String, TerminalError> {
        self.show(question)?;
        Ok(self.read_line()?.trim().to_owned())
    }

    /// Asks for a passphrase, which the terminal does not show.
    pub(crate) fn ask_passphrase(
        &self,
        question: &str,
    ) -> Result<Zeroizing<String>, TerminalError> {
        let hidden = Hidden::hide(&self.device)?;
        self.show(question)?;
        let answer = self.read_line();
        drop(hidden);
        self.show("\n")?;
        answer
    }

    /// Asks twice for a new passphrase.
    pub(crate) fn ask_new_passphrase(&self) -> Result<Zeroizing<String>, TerminalError> {
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

    fn read_line(&self) -> Result<Zeroizing<String>, TerminalError> {
        // With all of its room from the start, so that no part of a passphrase is left behind.
        let mut line = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX + PART_BYTES));
        let mut part = Zeroizing::new([0; PART_BYTES]);
        loop {
            let read = (&self.device).read(part.as_mut())?;
            line.extend_from_slice(&part[..read]);
            match line.last() {
                _ if read == 0 => return Err(TerminalError::Closed),
                Some(&INTERRUPT) => return Err(TerminalError::Interrupted),
                _ if line.len() > ANSWER_BYTES_MAX => return Err(TerminalError::TooLong),
                Some(b'\n') => break,
                _ => {}
            }
        }
        let text = str::from_utf8(&line).map_err(|_| TerminalError::NoText)?;
        Ok(Zeroizing::new(text.trim_end_matches('\n').to_owned()))
    }
}

/// While it lives, the terminal shows nothing of what is typed.
struct Hidden<'a> {
    device: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    /// Ctrl-C is read as the end of a line instead of killing the process: whoever is killed
    /// leaves the terminal silent. What was typed too early is thrown away.
    fn hide(device: &'a File) -> io::Result<Self> {
        let before = tcgetattr(device)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(device, OptionalActions::Flush, &silent)?;
        Ok(Self { device, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // There is nobody left to tell if it fails, and the rest of a line that was too long must
        // not reach the shell.
        let _ = tcsetattr(self.device, OptionalActions::Flush, &self.before);
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
    #[error("interrupted: nothing was answered")]
    Interrupted,
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    #[error("the answer is not in UTF-8: set the terminal to it")]
    NoText,
    #[error("the terminal failed: {0}")]
    Failed(#[from] io::Error),
    #[error("the passphrase has {found} characters, it needs at least {PASSPHRASE_CHARS_MIN}")]
    TooShort { found: usize },
    #[error("the two passphrases differ: nothing was written")]
    TypedDifferently,
}
