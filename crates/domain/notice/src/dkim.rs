mod relaxed;

use std::{fmt, iter};

use base64ct::{Base64, Encoding as _};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

pub use self::relaxed::MalformedMessage;
use self::relaxed::{RelaxedMessage, relaxed_field};
use crate::limits::DKIM_LINE_BYTES_MAX;

/// What a signature covers: each of these headers that the message has, and that it has no more of
/// them.
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

/// Says of a message that the site has sent it.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The header to put before the message, with its line end.
    ///
    /// # Errors
    /// [`SignError`] if servers could read the message in two ways, or the key does not serve.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Why a message could not be signed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Receivers would hash something else than we do.
    #[error("the message could not be signed: {0}")]
    Malformed(#[from] MalformedMessage),
    /// Receivers take no signature that does not cover who the message is from.
    #[error("the message could not be signed: it has no header From")]
    NoFrom,
    /// The library gives no reason.
    #[error("the message could not be signed: the DKIM key fails")]
    Key,
}

/// DKIM (RFC 6376) with RSA and SHA-256, relaxed for headers and body.
///
/// RSA alone: some receivers count an Ed25519 signature as a broken one. The signature says no
/// time, so that every attempt at a notice has the same bytes.
pub struct DkimKey {
    key: RsaKeyPair,
    domain: String,
    selector: String,
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
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(DkimKeyError::NotRsa),
        };
        let key = key.map_err(|_| DkimKeyError::NotRsa)?;
        Ok(Self { key, domain: domain.to_owned(), selector: selector.to_owned() })
    }

    /// The header up to the signature's value, which is what the signature covers of it.
    fn header(&self, covered: &[&str], body_hash: &str) -> String {
        let Self { domain, selector, .. } = self;
        let covered = folded(covered.iter().map(|name| (*name).to_owned()), ":");
        format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td={domain};\r\n\t\
             s={selector};\r\n\th={covered};\r\n\tbh={body_hash};\r\n\tb="
        )
    }

    fn signature(&self, signed: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        // PKCS #1 v1.5 uses no randomness. The library asks for some all the same.
        let randomness = SystemRandom::new();
        let done = self.key.sign(&RSA_PKCS1_SHA256, &randomness, signed, &mut signature);
        done.map(|()| signature).map_err(|_| SignError::Key)
    }
}

impl Signer for DkimKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let message = RelaxedMessage::parse(message)?;
        if message.fields("From").is_empty() {
            return Err(SignError::NoFrom);
        }
        let (covered, mut signed) = covered_headers(&message);
        let body_hash = Base64::encode_string(digest(&SHA256, &message.body()).as_ref());
        let header = self.header(&covered, &body_hash);
        signed.extend(relaxed_field(header.as_bytes())?);
        let value = Base64::encode_string(&self.signature(&signed)?);
        Ok(format!("{header}{}\r\n", folded(value.chars().map(String::from), "")).into_bytes())
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DkimKey({}._domainkey.{})", self.selector, self.domain)
    }
}

/// Why a key does not serve for signing. None of these shows any of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DkimKeyError {
    /// Not a private key in PEM.
    #[error("the DKIM key is no private key in PEM")]
    NoKey,
    /// Of another algorithm, encrypted, or so short that receivers do not trust it.
    #[error("the DKIM key is no RSA key of 2048 to 4096 bits")]
    NotRsa,
    /// Could break the header.
    #[error("`{name}` is no name in DNS")]
    Name {
        /// What was given, escaped.
        name: String,
    },
}

/// What `h=` names, and the fields that it stands for.
fn covered_headers(message: &RelaxedMessage<'_>) -> (Vec<&'static str>, Vec<u8>) {
    let (mut covered, mut signed) = (Vec::new(), Vec::new());
    for name in SIGNED_HEADERS {
        let fields = message.fields(name);
        // Named once more than it is there: whoever adds one breaks the signature.
        covered.extend(iter::repeat_n(*name, fields.len() + 1));
        // Receivers take the last field first.
        for field in fields.iter().rev() {
            signed.extend([field, &b"\r\n"[..]].concat());
        }
    }
    (covered, signed)
}

/// Words with a separator between them, in lines of a header.
fn folded(words: impl Iterator<Item = String>, separator: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in words {
        if !text.is_empty() {
            text.push_str(separator);
        }
        if column + word.len() > DKIM_LINE_BYTES_MAX {
            text.push_str("\r\n\t");
            column = 0;
        }
        text.push_str(&word);
        column += word.len() + separator.len();
    }
    text
}

fn check_name(name: &str) -> Result<(), DkimKeyError> {
    let labels = name.split('.').all(|label| !label.is_empty());
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if labels && plain {
        return Ok(());
    }
    Err(DkimKeyError::Name { name: name.escape_debug().to_string() })
}
