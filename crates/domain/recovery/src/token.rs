use std::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit, Mac};
use model::{CredentialVersion, Randomness, SubjectId, Timestamp};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::limits::{TOKEN_BYTES, TOKEN_CHARS};

/// What each digest is for, so that neither is ever equal to the other.
const FIND: &[u8] = b"find\0";
const BIND: &[u8] = b"bind\0";

/// What a reset link proves: that whoever holds it reads the account's mail.
///
/// 256 random bits, written as 43 characters of URL-safe base64 without padding. It is the one
/// secret that may stand in a URL. There is no `Display`, and `Debug` is mute.
#[derive(ZeroizeOnDrop)]
pub struct ResetToken([u8; TOKEN_BYTES]);

impl ResetToken {
    /// A fresh one.
    #[must_use]
    pub fn generate(randomness: &dyn Randomness) -> Self {
        let mut token = Self([0; TOKEN_BYTES]);
        randomness.fill(&mut token.0);
        token
    }

    /// As it stands in the link, and nowhere else.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64UrlUnpadded::encode_string(&self.0))
    }

    /// What the store keeps instead (ASVS 6.5.2): nobody finds the token by it, and nobody without
    /// the key makes a row for a token of their own. It needs neither salt nor slow hash, since 256
    /// random bits cannot be guessed.
    #[must_use]
    pub fn digest(&self, key: &LinkKey) -> TokenDigest {
        TokenDigest(key.mac(&[FIND, &self.0]))
    }

    /// What the store keeps beside it: whose password the link sets, which one, and until when. A
    /// row that says anything else is not the one that was mailed.
    #[must_use]
    pub fn binding(&self, key: &LinkKey, bound: &BoundTo) -> TokenDigest {
        let BoundTo { link, subject, version, address_key, mailed_at, expires_at } = bound;
        let numbers = [*link, subject.0, mailed_at.as_micros(), expires_at.as_micros()];
        let numbers = numbers.map(i64::to_be_bytes);
        TokenDigest(key.mac(&[
            BIND,
            &self.0,
            numbers.as_flattened(),
            address_key,
            version.as_bytes(),
        ]))
    }
}

/// What a reset link is for, as it was when its mail left.
#[derive(Debug, Clone, Copy)]
pub struct BoundTo {
    /// The key of its row.
    pub link: i64,
    /// Whose password it sets.
    pub subject: SubjectId,
    /// The password that it replaces: whoever has chosen another one meanwhile needs it no longer.
    pub version: CredentialVersion,
    /// A keyed hash of the address that it was mailed to.
    pub address_key: [u8; 32],
    /// When its mail left.
    pub mailed_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Timestamp,
}

/// Without it nobody makes a link.
#[derive(ZeroizeOnDrop)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// From the instance key's own.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0)
            .expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

impl FromStr for ResetToken {
    type Err = TokenError;

    /// Takes exactly what [`to_text`](Self::to_text) writes: no padding, no white space, and only
    /// one text for each token.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != TOKEN_CHARS {
            return Err(TokenError);
        }
        let mut token = Self([0; TOKEN_BYTES]);
        match Base64UrlUnpadded::decode(text, &mut token.0) {
            Ok(bytes) if bytes.len() == TOKEN_BYTES => Ok(token),
            _ => Err(TokenError),
        }
    }
}

impl fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetToken(..)")
    }
}

/// A text that no link ever held. It does not repeat the text, which may be most of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link is not complete: open it from the e-mail, or copy all of it")]
pub struct TokenError;

/// A keyed hash of a token: what a link's row is found by. Comparing takes the same time wherever
/// two of them differ.
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// One read back from the store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenDigest {}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: LinkKey = LinkKey::new([1; 32]);

    struct Fixed([u8; TOKEN_BYTES]);

    impl Randomness for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0);
        }
    }

    fn token(bytes: [u8; TOKEN_BYTES]) -> ResetToken {
        ResetToken::generate(&Fixed(bytes))
    }

    fn is_refused(text: &str) -> bool {
        matches!(text.parse::<ResetToken>(), Err(TokenError))
    }

    #[test]
    fn only_what_was_mailed_is_taken() {
        let text = token([0xff; 32]).to_text();
        assert_eq!(*text, format!("{}8", "_".repeat(42)));
        // The last character carries four bits: another with the same four is another text.
        assert!(is_refused(&format!("{}9", "_".repeat(42))));
        assert!(is_refused(&format!("{}=", text.as_str())));
        assert!(is_refused(&format!(" {}", &text[1..])));
        assert!(is_refused(&format!("+{}", &text[1..])));
        assert!(is_refused(&format!("\u{e9}{}", &text[2..])));
        assert!(is_refused(&text[1..]));
        assert!(is_refused(""));
    }

    fn bound() -> BoundTo {
        BoundTo {
            link: 5,
            subject: SubjectId(6),
            version: CredentialVersion::from_bytes([7; 32]),
            address_key: [8; 32],
            mailed_at: Timestamp::from_micros(9),
            expires_at: Timestamp::from_micros(10),
        }
    }

    #[test]
    fn the_digests_are_what_another_program_makes_of_them() {
        let text = |digest: TokenDigest| Base64UrlUnpadded::encode_string(digest.as_bytes());
        // Python: hmac.digest(b"\1" * 32, b"find\0" + b"\7" * 32, "sha256"), urlsafe_b64encode;
        // and of b"bind\0" + b"\7" * 32 + struct.pack(">4q", 5, 6, 9, 10) + b"\x08" * 32 + b"\7" * 32
        assert_eq!(
            text(token([7; 32]).digest(&KEY)),
            "RCIfzydaZ8n3_wXPfY_lyJ3OSsO6LKa1hsK4mUjIF8g"
        );
        assert_eq!(
            text(token([7; 32]).binding(&KEY, &bound())),
            "yIqiCtFw9erh_PBUiD3HTYJ-FlwOtRv8I0yYQc4bPg4"
        );
    }

    #[test]
    fn what_a_link_is_for_is_part_of_its_binding() {
        let token = token([7; 32]);
        let binding = token.binding(&KEY, &bound());
        for other in [
            BoundTo { link: 6, ..bound() },
            BoundTo { subject: SubjectId(5), ..bound() },
            BoundTo { version: CredentialVersion::from_bytes([8; 32]), ..bound() },
            BoundTo { address_key: [7; 32], ..bound() },
            BoundTo { mailed_at: Timestamp::from_micros(8), ..bound() },
            BoundTo { expires_at: Timestamp::from_micros(11), ..bound() },
        ] {
            assert_ne!(token.binding(&KEY, &other), binding, "{other:?}");
        }
        assert_ne!(token.binding(&LinkKey::new([2; 32]), &bound()), binding);
    }

    #[test]
    fn neither_shows_itself() {
        assert_eq!(format!("{:?}", token([7; 32])), "ResetToken(..)");
        assert_eq!(format!("{:?}", token([7; 32]).digest(&KEY)), "TokenDigest(..)");
    }

    proptest! {
        #[test]
        fn a_token_survives_the_mail(bytes: [u8; TOKEN_BYTES], other: [u8; TOKEN_BYTES]) {
            let text = token(bytes).to_text();
            prop_assert_eq!(text.len(), TOKEN_CHARS);
            let read = text.parse::<ResetToken>().unwrap();
            prop_assert_eq!(read.digest(&KEY), token(bytes).digest(&KEY));
            prop_assert_eq!(read.digest(&KEY) == token(other).digest(&KEY), bytes == other);
        }

        #[test]
        fn nothing_else_is_read(text in "[A-Za-z0-9_=+/-]{0,60}|.{0,50}") {
            if let Ok(token) = text.parse::<ResetToken>() {
                let again = token.to_text();
                prop_assert_eq!(again.as_str(), text);
            }
        }
    }
}
