use std::fmt;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use model::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The site's own secret, which it mixes into every password before hashing it.
pub struct Pepper {
    mode: PepperMode,
    secret: Secret,
}

/// How a site mixes its pepper in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PepperMode {
    /// The password, then the pepper (Devise).
    Append,
    /// The pepper, then the password.
    Prepend,
    /// HMAC-SHA256 of the password, keyed with the pepper, in lower-case hex.
    HmacSha256,
}

impl Pepper {
    /// Takes the secret as the site's own configuration holds it.
    #[must_use]
    pub const fn new(mode: PepperMode, secret: Secret) -> Self {
        Self { mode, secret }
    }

    /// What stands beside the password in what is hashed. An HMAC takes the password's place.
    pub(crate) fn bytes_added(&self) -> usize {
        match self.mode {
            PepperMode::Append | PepperMode::Prepend => self.secret.expose().len(),
            PepperMode::HmacSha256 => 0,
        }
    }

    /// What the site hashes in place of the password.
    pub(crate) fn mix(&self, password: &Secret) -> Secret {
        let (pepper, password) = (self.secret.expose(), password.expose());
        Secret::new(match self.mode {
            PepperMode::Append => [password, pepper].concat(),
            PepperMode::Prepend => [pepper, password].concat(),
            PepperMode::HmacSha256 => hmac_hex(pepper, password),
        })
    }
}

fn hmac_hex(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    let tag = mac.chain_update(message).finalize().into_bytes();
    HEXLOWER.encode(&*Zeroizing::new(<[u8; 32]>::from(tag))).into_bytes()
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({:?}, ..)", self.mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(mode: PepperMode) -> Vec<u8> {
        let pepper = Pepper::new(mode, Secret::from(&b"Jefe"[..]));
        let password = Secret::from(&b"what do ya want for nothing?"[..]);
        pepper.mix(&password).expose().to_vec()
    }

    #[test]
    fn each_mode_mixes_as_its_sites_do() {
        assert_eq!(mixed(PepperMode::Append), b"what do ya want for nothing?Jefe");
        assert_eq!(mixed(PepperMode::Prepend), b"Jefewhat do ya want for nothing?");
        // RFC 4231, test case 2.
        assert_eq!(
            mixed(PepperMode::HmacSha256),
            b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_pepper_never_shows_itself() {
        let pepper = Pepper::new(PepperMode::Append, Secret::from(&b"Jefe"[..]));
        assert_eq!(format!("{pepper:?}"), "Pepper(Append, ..)");
    }
}
