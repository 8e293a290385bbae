use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 bytes that nobody sees. They are wiped from memory when dropped, and written as hexadecimal
/// digits into what is encrypted or for its owner alone.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretBytes(#[serde(with = "hex")] [u8; 32]);

impl SecretBytes {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// For `serde(with)`: 32 bytes as hexadecimal digits, which leave no copy behind.
mod hex {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(HEXLOWER.encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let digits = String::deserialize(from).map(Zeroizing::new)?;
        let bytes = HEXLOWER.decode(digits.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.ok().and_then(|bytes| bytes.as_slice().try_into().ok());
        bytes.ok_or_else(|| D::Error::custom("64 hexadecimal digits are expected"))
    }
}
