use axum::http::Uri;
use mail_parser::{Addr, Address, DateTime, HeaderName, Message, MessageParser};
use model::Timestamp;
use notice::Language;
use serde::Serialize;

use crate::{guard::host::is_loopback, written::WrittenMoment};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A mail as a person reads it, and as it was sent.
#[derive(Default, Serialize)]
pub(super) struct ShownLetter {
    pub(super) head: LetterHead,
    pub(super) from: String,
    pub(super) dated: Option<WrittenMoment>,
    pub(super) lines: Vec<LetterLine>,
    pub(super) source: String,
}

/// What a mailbox shows of a mail that is not open. What the mail does not say is empty.
#[derive(Default, Serialize)]
pub(super) struct LetterHead {
    pub(super) to: String,
    pub(super) subject: String,
}

/// A line of a mail's text.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct LetterLine {
    words: String,
    /// Where the line leads, if it is an address of one of our pages on this host.
    path: Option<String>,
}

impl ShownLetter {
    /// Reads what it can. Nothing that was sent is left out of the source.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let source = String::from_utf8_lossy(bytes).into_owned();
        let Some(message) = MessageParser::default().parse(bytes) else {
            return Self { source, ..Self::default() };
        };
        let text = message.body_text(0).unwrap_or_default();
        Self {
            head: LetterHead::of(&message),
            from: message.from().map(addresses).unwrap_or_default(),
            dated: message.date().filter(|date| date.is_valid()).map(written),
            lines: text.trim_end().lines().map(LetterLine::of).collect(),
            source,
        }
    }
}

impl LetterHead {
    /// Reads the start of a mail.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let message = MessageParser::default().parse_headers(bytes);
        message.map(|message| Self::of(&message)).unwrap_or_default()
    }

    fn of(message: &Message<'_>) -> Self {
        // The first was written by whoever put the mail into its folder.
        let delivered = message.header_values(HeaderName::DeliveredTo).next();
        let delivered = delivered.and_then(|value| value.as_text()).map(str::to_owned);
        Self {
            to: delivered.or_else(|| message.to().map(addresses)).unwrap_or_default(),
            subject: message.subject().unwrap_or_default().to_owned(),
        }
    }

    /// The subject, or what stands in its place.
    pub(super) fn title(&self) -> &str {
        if self.subject.trim().is_empty() { "(no subject)" } else { &self.subject }
    }
}

impl LetterLine {
    fn of(line: &str) -> Self {
        let address = line.trim();
        let path = own_path(address);
        let words = if path.is_some() { address } else { line };
        Self { words: words.to_owned(), path }
    }
}

/// Where an address of this host leads on these pages. No other address leads anywhere, and no
/// path does that browsers take for another host.
fn own_path(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let ours = matches!(uri.scheme_str(), Some("http" | "https")) && is_loopback(uri.host()?);
    let path = uri.path_and_query()?.as_str();
    let inner = path.strip_prefix('/')?;
    (ours && !inner.starts_with(['/', '\\'])).then(|| path.to_owned())
}

fn written(date: &DateTime) -> WrittenMoment {
    let micros = date.to_timestamp().saturating_mul(MICROS_PER_SECOND);
    WrittenMoment::new(Language::English, Timestamp::from_micros(micros))
}

fn addresses(addresses: &Address<'_>) -> String {
    addresses.iter().map(address).collect::<Vec<_>>().join(", ")
}

fn address(address: &Addr<'_>) -> String {
    let found = address.address().unwrap_or_default();
    address.name().map_or_else(|| found.to_owned(), |name| format!("{name} <{found}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_this_host_lead_somewhere() {
        let cases = [
            ("http://127.0.0.1:8080/reset/abc", Some("/reset/abc")),
            ("https://localhost/check?lang=de", Some("/check?lang=de")),
            ("http://[::1]:80/", Some("/")),
            ("http://127.9.9.9", Some("/")),
            ("http://user@127.0.0.1/x", Some("/x")),
            ("http://example.org/reset/abc", None),
            ("http://127.0.0.1.example.org/x", None),
            ("http://127.0.0.1@example.org/x", None),
            ("http://localhost.example.org/x", None),
            ("http://10.0.0.1/x", None),
            ("http://127.0.0.1//example.org/x", None),
            (r"http://127.0.0.1/\example.org/x", None),
            ("http://127.0.0.1/ x", None),
            ("ftp://127.0.0.1/x", None),
            ("javascript://127.0.0.1/%0aalert(1)", None),
            ("//127.0.0.1/x", None),
            ("127.0.0.1", None),
            ("/reset/abc", None),
            ("", None),
        ];
        for (address, path) in cases {
            assert_eq!(own_path(address).as_deref(), path, "{address}");
        }
    }

    #[test]
    fn a_link_has_a_line_of_its_own() {
        let link = "http://127.0.0.1/reset/abc";
        assert_eq!(
            LetterLine::of(&format!("  {link} ")),
            LetterLine { words: link.to_owned(), path: Some("/reset/abc".to_owned()) }
        );
        let within = format!("Go to {link}");
        assert_eq!(LetterLine::of(&within), LetterLine { words: within.clone(), path: None });
    }

    #[test]
    fn what_the_envelope_says_of_the_recipient_wins() {
        let mail = "Delivered-To: jane@example.net\r\nTo: Jane <other@example.net>\r\n\
                    Delivered-To: third@example.net\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
                    Date: Thu, 8 Nov 2012 01:00:00 +0100\r\n\r\nx\r\n";
        let (letter, head) =
            (ShownLetter::read(mail.as_bytes()), LetterHead::read(mail.as_bytes()));
        for head in [&letter.head, &head] {
            assert_eq!((&*head.to, head.title()), ("jane@example.net", "Grüße"));
        }
        assert_eq!(letter.dated.unwrap().machine, "2012-11-08T00:00Z");
        let letter = ShownLetter::read(b"To: Jane <other@example.net>\r\n\r\nx");
        assert_eq!(letter.head.to, "Jane <other@example.net>");
        assert!(letter.dated.is_none());
    }

    #[test]
    fn what_is_no_mail_is_still_shown() {
        for bytes in [&b""[..], b"\0\xff", b"no header", b"\r\n\r\n", b"Date: 99\r\n\r\n"] {
            let letter = ShownLetter::read(bytes);
            assert_eq!(letter.source, String::from_utf8_lossy(bytes));
            assert_eq!(letter.head.title(), "(no subject)");
        }
    }
}
