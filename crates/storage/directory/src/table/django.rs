//! Who is signed in by a row of Django's database sessions.
//!
//! A row holds `payload:timestamp:signature`, as `django.core.signing.dumps` writes it: the
//! payload is JSON in URL-safe base64 without padding, deflated if a dot stands before it.
//!
//! The signature is not checked. That takes the site's secret key, which Countersign should not
//! hold, and it would win nothing: whoever can write a row here can as well delete one, and all
//! that a forged row can bring about is its own deletion.

use std::io::{self, Read};

use data_encoding::{BASE64URL_NOPAD, DecodeError};
use flate2::read::ZlibDecoder;
use serde::Deserialize;

use crate::{limits::SESSION_BYTES_MAX, value::is_uuid};

/// The account that a session belongs to; `None` if nobody is signed in.
pub(crate) fn session_owner(data: &str) -> Result<Option<SessionOwner>, SessionError> {
    let payload = payload(data).ok_or(SessionError::Form)?;
    let json = match payload.strip_prefix('.') {
        Some(deflated) => inflate(&base64(deflated)?)?,
        None => base64(payload)?,
    };
    let session: Session = serde_json::from_slice(&json)?;
    Ok(session.owner.as_deref().map(SessionOwner::new))
}

/// An account's id as sessions spell it.
///
/// Django writes a UUID with hyphens into a session, but without them into SQLite.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionOwner(String);

impl SessionOwner {
    pub(crate) fn new(id: &str) -> Self {
        Self(if is_uuid(id) { id.replace('-', "").to_lowercase() } else { id.to_owned() })
    }
}

#[derive(Deserialize)]
struct Session {
    #[serde(rename = "_auth_user_id")]
    owner: Option<String>,
}

fn payload(data: &str) -> Option<&str> {
    let (signed, _signature) = data.rsplit_once(':')?;
    let (payload, _timestamp) = signed.rsplit_once(':')?;
    Some(payload)
}

fn base64(text: &str) -> Result<Vec<u8>, DecodeError> {
    BASE64URL_NOPAD.decode(text.as_bytes())
}

/// A few bytes can be inflated to any number, so there is an end to it.
fn inflate(deflated: &[u8]) -> Result<Vec<u8>, SessionError> {
    let mut inflated = Vec::new();
    ZlibDecoder::new(deflated).take(SESSION_BYTES_MAX + 1).read_to_end(&mut inflated)?;
    if inflated.len() as u64 > SESSION_BYTES_MAX {
        return Err(SessionError::TooLarge);
    }
    Ok(inflated)
}

/// Why a session cannot be read; most likely, another serializer wrote it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("it is not of the form payload:timestamp:signature")]
    Form,
    #[error("its payload is not base64: {0}")]
    Base64(#[from] DecodeError),
    #[error("its payload cannot be inflated: {0}")]
    Deflate(#[from] io::Error),
    #[error("its payload has more than {SESSION_BYTES_MAX} bytes")]
    TooLarge,
    #[error("its payload is not JSON with a text in `_auth_user_id`: {0}")]
    Json(#[from] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    /// Written by Django 5.2 with `SECRET_KEY = "x"`.
    const DJANGO_5: &str = ".eJyrVopPLC3JiC8tTi2Kz0xRslIyMVLSQRZMSkzOTs0DyaRkJeal5-sl5-eVFGUm6YGU6EFli_V881NSc5ygalEMyEgszgDqNoACpVoAatAoAg:1xVLgM:7-yvmZYSTfvAEsMRWhFVAxfYNg0loFkKe6tJSOulEsE";

    fn deflated(json: &[u8]) -> String {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(json).unwrap();
        let payload = BASE64URL_NOPAD.encode(&encoder.finish().unwrap());
        format!(".{payload}:1tAbCd:c2lnbmF0dXJl")
    }

    #[test]
    fn a_session_tells_whose_it_is() {
        let owner = session_owner(DJANGO_5).unwrap();
        assert_eq!(owner, Some(SessionOwner::new("42")));
        let small =
            "eyJfYXV0aF91c2VyX2lkIjoiNDIifQ:1xVLgM:RndpIQ6uYKKVp_CuZgBSFMmXul6t05wlfbsxAqZcP3I";
        assert_eq!(session_owner(small).unwrap(), owner);
        let nobody = session_owner(&deflated(br#"{"cart":[1,2]}"#)).unwrap();
        assert_eq!(nobody, None);
    }

    #[test]
    fn what_another_serializer_wrote_is_unreadable() {
        for data in ["", "a:b", "!:1tAbCd:sig", "gASVEA:1tAbCd:sig", ".gASV:1tAbCd:sig"] {
            assert!(session_owner(data).is_err(), "{data}");
        }
        assert!(session_owner(&deflated(br#"{"_auth_user_id":{}}"#)).is_err());
    }

    #[test]
    fn a_small_row_cannot_fill_the_memory() {
        let bomb = deflated(&vec![b' '; 8 << 20]);
        assert!(bomb.len() < 20_000);
        assert!(matches!(session_owner(&bomb), Err(SessionError::TooLarge)));
    }

    #[test]
    fn a_uuid_is_the_same_with_and_without_hyphens() {
        let [with, without] =
            ["6F1C2B1E-0d5c-4b7e-9a4e-3f6f0a1b2c3d", "6f1c2b1e0d5c4b7e9a4e3f6f0a1b2c3d"];
        assert_eq!(SessionOwner::new(with), SessionOwner::new(without));
        assert_ne!(SessionOwner::new("a-b"), SessionOwner::new("ab"));
    }
}
