use std::fmt;

use mail_auth::{
    common::{
        crypto::{RsaKey, Sha256},
        headers::HeaderWriter,
    },
    dkim::{Canonicalization, DkimSigner, Done},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

/// What a signature covers, where the message has it.
pub const SIGNED_HEADERS: &[&str] = &[
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
    "Auto-Submitted",
];

/// What separates the headers from the body.
const HEADERS_END: &[u8] = b"\r\n\r\n";

/// Says of a message that the site has sent it.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The header to put before the message, with its line end.
    ///
    /// # Errors
    /// [`SignError`] if the message has nothing to sign, or the key does not serve.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A message that could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the message could not be signed: {reason}")]
pub struct SignError {
    reason: String,
}

/// DKIM with RSA and SHA-256, relaxed for headers and body.
///
/// RSA alone: some receivers count an Ed25519 signature as a broken one.
pub struct DkimKey {
    signer: DkimSigner<RsaKey<Sha256>, Done>,
    name: String,
}

impl DkimKey {
    /// Reads a private key (PKCS #1 or #8, PEM), once for many messages.
    ///
    /// The public half stands in DNS at `SELECTOR._domainkey.DOMAIN`.
    ///
    /// # Errors
    /// [`DkimKeyError`] if it is no RSA key, or a short one, or the names are no names.
    pub fn from_pem(pem: &[u8], domain: &str, selector: &str) -> Result<Self, DkimKeyError> {
        for name in [domain, selector] {
            check_name(name)?;
        }
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| DkimKeyError::NoKey)?;
        let key = RsaKey::<Sha256>::from_key_der(der).map_err(|_| DkimKeyError::NotRsa)?;
        let signer = DkimSigner::from_key(key)
            .domain(domain)
            .selector(selector)
            .headers(SIGNED_HEADERS.iter().copied())
            .header_canonicalization(Canonicalization::Relaxed)
            .body_canonicalization(Canonicalization::Relaxed);
        Ok(Self { signer, name: format!("{selector}._domainkey.{domain}") })
    }
}

impl Signer for DkimKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self.signer.sign(&with_plain_ends(message));
        let signature = signature.map_err(|error| SignError { reason: error.to_string() })?;
        Ok(signature.to_header().into_bytes())
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DkimKey({})", self.name)
    }
}

/// Why a key does not serve for signing. None of these shows any of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DkimKeyError {
    /// Not a private key in PEM.
    #[error("the DKIM key is no private key in PEM")]
    NoKey,
    /// Of another algorithm, encrypted, or so short that receivers do not trust it.
    #[error("the DKIM key is no RSA key of 2048 bits or more")]
    NotRsa,
    /// Could break the header.
    #[error("`{name}` is no name in DNS")]
    Name {
        /// What was given, escaped.
        name: String,
    },
}

/// The message without white space at the ends of lines and without empty lines at its end.
///
/// Receivers leave these out when they hash a relaxed body. mail-auth 0.13.3 should, but hashes
/// empty lines at the end if spaces stand in them; so it gets to see none.
fn with_plain_ends(message: &[u8]) -> Vec<u8> {
    let end = message.windows(HEADERS_END.len()).position(|window| window == HEADERS_END);
    let (headers, body) = message.split_at(end.map_or(message.len(), |at| at + HEADERS_END.len()));
    let mut plain = headers.to_vec();
    let mut empty_lines = 0;
    for line in body.split(|byte| *byte == b'\n').map(without_white_end) {
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        plain.extend(b"\r\n".repeat(empty_lines));
        plain.extend_from_slice(line);
        plain.extend_from_slice(b"\r\n");
        empty_lines = 0;
    }
    plain
}

/// White space is what RFC 6376 counts as such: a form feed is not.
fn without_white_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let kept = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    &line[..kept.map_or(0, |last| last + 1)]
}

fn check_name(name: &str) -> Result<(), DkimKeyError> {
    let labels = name.split('.').all(|label| !label.is_empty());
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if labels && plain {
        return Ok(());
    }
    Err(DkimKeyError::Name { name: name.escape_debug().to_string() })
}
