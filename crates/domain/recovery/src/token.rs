use std::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use model::Randomness;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::limits::{TOKEN_BYTES, TOKEN_CHARS};

/// What the digest is for, so that no other digest of ours is ever equal to it.
const PURPOSE: &[u8] = b"countersign reset token\0";

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

    /// What the store keeps instead (ASVS 6.5.2): nobody finds the token by it. It needs neither
    /// salt nor slow hash, since 256 random bits cannot be guessed.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        let hash = Sha256::new().chain_update(PURPOSE).chain_update(self.0);
        TokenDigest(hash.finalize().into())
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

/// SHA-256 of a token: what a link's row is found by. Comparing takes the same time wherever two
/// of them differ.
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

    #[test]
    fn the_digest_is_of_this_purpose_alone() {
        let digest = token([7; 32]).digest();
        assert_ne!(*digest.as_bytes(), <[u8; 32]>::from(Sha256::digest([7; 32])));
        let found = Base64UrlUnpadded::encode_string(digest.as_bytes());
        // Python: sha256(b"countersign reset token\0" + b"\7" * 32), urlsafe_b64encode
        assert_eq!(found, "8liEci8XqDXHm3YTg0Trvsmx2DviXFZmhxSo7Y4dvaE");
    }

    #[test]
    fn neither_shows_itself() {
        assert_eq!(format!("{:?}", token([7; 32])), "ResetToken(..)");
        assert_eq!(format!("{:?}", token([7; 32]).digest()), "TokenDigest(..)");
    }

    proptest! {
        #[test]
        fn a_token_survives_the_mail(bytes: [u8; TOKEN_BYTES], other: [u8; TOKEN_BYTES]) {
            let text = token(bytes).to_text();
            prop_assert_eq!(text.len(), TOKEN_CHARS);
            let read = text.parse::<ResetToken>().unwrap();
            prop_assert_eq!(read.digest(), token(bytes).digest());
            prop_assert_eq!(read.digest() == token(other).digest(), bytes == other);
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
