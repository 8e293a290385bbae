use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use super::status::EnhancedStatus;
use crate::limits::{REPLY_CHARS_MAX, REPLY_LINE_BYTES_MAX, REPLY_LINES_MAX};

/// What is said of a connection that ended in order, but too soon.
pub(super) const HUNG_UP: &str = "the relay hung up";

/// What a relay answered: three digits, and text that cannot repaint a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// The three digits.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// Its lines as one, of bounded length.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join(" ").chars().take(REPLY_CHARS_MAX).collect()
    }

    /// Its enhanced status code, if it has one.
    pub(crate) fn status(&self) -> Option<EnhancedStatus> {
        self.lines.iter().find_map(|line| EnhancedStatus::of(self.code, line))
    }

    /// What stands for the offers of a relay that has not been asked.
    pub(super) const fn none() -> Self {
        Self { code: 0, lines: Vec::new() }
    }

    /// Done (2xx).
    pub(super) const fn is_done(&self) -> bool {
        self.code / 100 == 2
    }

    /// No, for now (4xx) or for good (5xx).
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self.code / 100, 4 | 5)
    }

    /// No, for good.
    pub(crate) const fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// The words of the line that begins with this keyword, in a reply to EHLO.
    pub(super) fn offer(&self, keyword: &str) -> Option<Vec<&str>> {
        let mut lines = self.lines.iter().skip(1).map(|line| line.split_whitespace());
        lines.find_map(|mut words| {
            words.next().filter(|word| word.eq_ignore_ascii_case(keyword))?;
            Some(words.collect())
        })
    }
}

/// Why no reply could be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplyFault {
    /// The connection ended or broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Not a reply of SMTP.
    #[error("{0}")]
    Garbled(&'static str),
}

/// Reads all lines of one reply.
pub(super) async fn read_reply<R>(reader: &mut R) -> Result<Reply, ReplyFault>
where
    R: AsyncBufRead + Unpin,
{
    let mut reply: Option<Reply> = None;
    for _ in 0..REPLY_LINES_MAX {
        let bytes = read_line(reader).await?;
        let (code, is_last, text) = parse(&bytes)?;
        let reply = reply.get_or_insert_with(|| Reply { code, lines: Vec::new() });
        if reply.code != code {
            return Err(ReplyFault::Garbled("the lines of a reply have different codes"));
        }
        reply.lines.push(text);
        if is_last {
            return Ok(reply.clone());
        }
    }
    Err(ReplyFault::Garbled("a reply has too many lines"))
}

async fn read_line<R>(reader: &mut R) -> Result<Vec<u8>, ReplyFault>
where
    R: AsyncBufRead + Unpin,
{
    let mut line = Vec::new();
    let mut bounded = reader.take(REPLY_LINE_BYTES_MAX as u64);
    bounded.read_until(b'\n', &mut line).await?;
    match line.last() {
        Some(b'\n') => Ok(line),
        _ if line.len() == REPLY_LINE_BYTES_MAX => {
            Err(ReplyFault::Garbled("a line of a reply is too long"))
        }
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, HUNG_UP).into()),
    }
}

/// The code, whether it is the last line, and the text.
fn parse(line: &[u8]) -> Result<(u16, bool, String), ReplyFault> {
    let line = line.trim_ascii_end();
    let (code, rest) = line.split_at_checked(3).ok_or(ReplyFault::Garbled("a reply is short"))?;
    let [hundreds @ b'2'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = code else {
        return Err(ReplyFault::Garbled("a reply has no code"));
    };
    let digit = |byte: &u8| u16::from(byte - b'0');
    let code = digit(hundreds) * 100 + digit(tens) * 10 + digit(ones);
    match rest {
        [] => Ok((code, true, String::new())),
        [b' ', text @ ..] => Ok((code, true, readable(text))),
        [b'-', text @ ..] => Ok((code, false, readable(text))),
        _ => Err(ReplyFault::Garbled("a reply's code has more than three digits")),
    }
}

/// What may stand in a log or on a terminal.
fn readable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let shown = text.trim().chars().map(|c| match c {
        '"' | '\'' | '\\' => c.to_string(),
        other => other.escape_debug().to_string(),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn read(mut bytes: &[u8]) -> Result<Reply, ReplyFault> {
        read_reply(&mut bytes).await
    }

    #[tokio::test]
    async fn a_reply_is_read_to_its_last_line() {
        let reply =
            read(b"250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n").await.unwrap();
        assert_eq!(reply.code(), 250);
        assert_eq!(reply.offer("auth"), Some(vec!["PLAIN", "LOGIN"]));
        assert_eq!(reply.offer("8bitmime"), Some(vec![]));
        assert_eq!(reply.offer("STARTTLS"), None);
    }

    #[tokio::test]
    async fn a_hostile_reply_is_no_reply() {
        for garbled in ["25", "hello\r\n", "2500 x\r\n", "999 x\r\n", "250-a\r\n550 b\r\n"] {
            assert!(read(garbled.as_bytes()).await.is_err(), "{garbled}");
        }
        assert!(read("250-x\r\n".repeat(100).as_bytes()).await.is_err());
        assert!(read("250 ".repeat(10_000).as_bytes()).await.is_err());
        let painted = read(b"550 \x1b[2J\xff it's\r\n").await.unwrap();
        assert_eq!(painted.text(), "\\u{1b}[2J\u{fffd} it's");
    }

    proptest! {
        #[test]
        fn no_reply_is_a_fault_of_ours(bytes: Vec<u8>) {
            if let Ok((code, _, text)) = parse(&bytes) {
                prop_assert!((200..600).contains(&code));
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
