use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Address, SignError, Signer,
    limits::{MESSAGE_BYTES_MAX, MESSAGE_LINE_BYTES_MAX},
};

/// The name of the header that every attempt at one notice has in common.
const MESSAGE_ID: &str = "message-id";

/// A message that may be sent, and its envelope.
///
/// Its lines end in CRLF, all of them, and no CR or LF stands alone: no server can take it for two
/// messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Composed {
    envelope_from: Address,
    recipient: Address,
    message_id: String,
    bytes: Vec<u8>,
    shown: Option<ShownText>,
}

/// What its recipient reads, to be shown again to whoever asks whether it is genuine. A link that
/// only its recipient may have is not in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownText {
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
}

/// It names an account.
impl fmt::Debug for ShownText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownText(..)")
    }
}

impl Composed {
    /// Checks that the bytes are one message and have a Message-ID.
    ///
    /// # Errors
    /// [`MessageError`] says what is wrong with them, and in which line.
    pub fn new(
        envelope_from: Address,
        recipient: Address,
        bytes: Vec<u8>,
    ) -> Result<Self, MessageError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(MessageError::TooLong { found: bytes.len() });
        }
        let body = bytes.strip_suffix(b"\r\n").ok_or(MessageError::Unfinished)?;
        for (at, line) in Lines(Some(body)).enumerate() {
            check_line(at + 1, line)?;
        }
        let message_id = header(&bytes, MESSAGE_ID).ok_or(MessageError::NoMessageId)?;
        Ok(Self { envelope_from, recipient, message_id, bytes, shown: None })
    }

    /// The same message, with what its recipient reads.
    #[must_use]
    pub(crate) fn showing(self, shown: ShownText) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// What its recipient reads, if a composer wrote it.
    #[must_use]
    pub const fn shown(&self) -> Option<&ShownText> {
        self.shown.as_ref()
    }

    /// Where bounces go.
    #[must_use]
    pub const fn envelope_from(&self) -> &Address {
        &self.envelope_from
    }

    /// The one recipient.
    #[must_use]
    pub const fn recipient(&self) -> &Address {
        &self.recipient
    }

    /// The Message-ID without its angle brackets.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Headers and body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same message with a signature before it.
    ///
    /// # Errors
    /// [`SignMessageError`] if it cannot be signed, or is none any more.
    pub fn signed(&self, signer: &dyn Signer) -> Result<Self, SignMessageError> {
        let mut bytes = signer.sign(&self.bytes)?;
        bytes.extend_from_slice(&self.bytes);
        let message = Self::new(self.envelope_from.clone(), self.recipient.clone(), bytes)?;
        Ok(Self { shown: self.shown.clone(), ..message })
    }

    /// Whether a relay must offer 8BITMIME.
    pub(crate) fn is_eight_bit(&self) -> bool {
        !self.bytes.is_ascii()
    }

    /// Whether a relay must offer SMTPUTF8: an address or a header goes beyond ASCII.
    pub(crate) fn is_international(&self) -> bool {
        let addresses = [&self.envelope_from, &self.recipient];
        let headers = Lines(Some(&self.bytes)).take_while(|line| !line.is_empty());
        !addresses.iter().all(|address| address.as_str().is_ascii())
            || !headers.into_iter().all(<[u8]>::is_ascii)
    }
}

/// The recipient's address is personal, and the text holds a code: neither goes into a log.
impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Composed({})", self.message_id)
    }
}

/// Why some bytes are no message that may be sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// No relay takes so much.
    #[error("the message has {found} bytes, at most {MESSAGE_BYTES_MAX} are sent")]
    TooLong {
        /// Its bytes.
        found: usize,
    },
    /// The last line has no end.
    #[error("the message does not end in CRLF")]
    Unfinished,
    /// A CR or LF alone, which servers read in different ways.
    #[error("line {line} of the message holds a lone CR or LF")]
    LoneEnd {
        /// From 1.
        line: usize,
    },
    /// Longer than servers take.
    #[error(
        "line {line} of the message has {found} bytes, at most {MESSAGE_LINE_BYTES_MAX} are sent"
    )]
    LongLine {
        /// From 1.
        line: usize,
        /// Its bytes.
        found: usize,
    },
    /// Attempts could not be told apart from new messages.
    #[error("the message has no Message-ID")]
    NoMessageId,
}

/// Why a message could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignMessageError {
    /// The signer's fault.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The signature is no header.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// The pieces between CRLFs.
struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        let end = rest.windows(2).position(|pair| pair == b"\r\n");
        self.0 = end.map(|end| &rest[end + 2..]);
        Some(end.map_or(rest, |end| &rest[..end]))
    }
}

fn check_line(line: usize, bytes: &[u8]) -> Result<(), MessageError> {
    if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(MessageError::LoneEnd { line });
    }
    match bytes.len() {
        found if found > MESSAGE_LINE_BYTES_MAX => Err(MessageError::LongLine { line, found }),
        _ => Ok(()),
    }
}

/// The value of an unfolded header, without angle brackets.
fn header(bytes: &[u8], wanted: &str) -> Option<String> {
    let headers = Lines(Some(bytes)).take_while(|line| !line.is_empty());
    let values = headers.filter_map(|line| {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim())
    });
    let value = values.into_iter().next()?.trim_matches(['<', '>']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &str) -> Option<MessageError> {
        let address = "a@example.org".parse::<Address>().unwrap();
        Composed::new(address.clone(), address, bytes.as_bytes().to_vec()).err()
    }

    #[test]
    fn a_message_is_one_message() {
        assert_eq!(error("Message-ID: <a@b>\r\n\r\nx\r\n"), None);
        assert_eq!(error("Message-ID: <a@b>\r\n\r\nx"), Some(MessageError::Unfinished));
        let smuggled = "Message-ID: <a@b>\r\n\r\nx\n.\nMAIL FROM:<e@e>\r\n";
        assert_eq!(error(smuggled), Some(MessageError::LoneEnd { line: 3 }));
        assert_eq!(
            error("Message-ID: <a@b>\r\n\r\nx\r\r\n"),
            Some(MessageError::LoneEnd { line: 3 })
        );
        assert_eq!(error("To: x\r\n\r\nMessage-ID: <a@b>\r\n"), Some(MessageError::NoMessageId));
        let long = format!("Message-ID: <a@b>\r\n\r\n{}\r\n", "x".repeat(999));
        assert_eq!(error(&long), Some(MessageError::LongLine { line: 3, found: 999 }));
    }
}
