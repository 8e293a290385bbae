//! How bytes stand in a text: hexadecimal digits, and base64 in its dialects.

use std::sync::LazyLock;

use data_encoding::{
    BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, BitOrder, Encoding, HEXLOWER,
    HEXLOWER_PERMISSIVE, HEXUPPER, Specification,
};

/// One way of writing bytes as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Hexadecimal digits, read in either case.
    Hex,
    /// Lower-case digits alone: where software compares whole texts.
    LowerHex,
    /// Upper-case digits alone.
    UpperHex,
    /// Padded or not.
    Base64,
    /// Padded.
    Base64Padded,
    /// Not padded.
    Base64Bare,
    /// With `-` and `_`, padded or not.
    Base64Url,
    /// Passlib's without padding, which ignores trailing bits.
    Passlib,
    /// The same with `.` for `+`, as passlib's PBKDF2 writes it. Passlib reads `+` as well.
    PasslibAdapted,
    /// bcrypt's.
    Bcrypt,
    /// That of crypt(3): lowest bits first.
    Crypt,
    /// The same characters in the order of bits that is usual elsewhere, as DES writes them.
    CryptHighestFirst,
}

/// What descriptions call them.
const NAMES: &[(&str, Coding)] = &[
    ("hex", Coding::Hex),
    ("lowhex", Coding::LowerHex),
    ("HEX", Coding::UpperHex),
    ("b64", Coding::Base64),
    ("b64pad", Coding::Base64Padded),
    ("b64bare", Coding::Base64Bare),
    ("b64url", Coding::Base64Url),
    ("b64u", Coding::Base64Url),
    ("pb64", Coding::Passlib),
    ("ab64", Coding::PasslibAdapted),
    ("bc64", Coding::Bcrypt),
    ("c64", Coding::Crypt),
];

impl Coding {
    pub(crate) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, coding)| *coding)
    }

    /// The same where padding tells a whole text from one that lost its end.
    pub(crate) const fn padded(self) -> Self {
        if matches!(self, Self::Base64) { Self::Base64Padded } else { self }
    }

    /// The bytes of a text; `None` if it is not written in this way.
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        self.encoding(text).decode(text.as_bytes()).ok()
    }

    /// Bytes as text, padded where that is possible.
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        self.encoding("").encode(bytes)
    }

    /// Bytes as text, in the case and with the padding that another text has.
    pub(crate) fn encode_like(self, bytes: &[u8], like: &str) -> String {
        match self {
            Self::Hex if like.contains(|c: char| c.is_ascii_uppercase()) => HEXUPPER.encode(bytes),
            _ => self.encoding(like).encode(bytes),
        }
    }

    /// Characters of so many bytes.
    pub(crate) fn text_len(self, bytes: usize) -> usize {
        self.encoding("").encode_len(bytes)
    }

    /// How this text is written. One that is whole groups of characters needs no padding, and says
    /// nothing of it: software that pads is the rule.
    fn encoding(self, text: &str) -> &'static Encoding {
        let is_padded = text.len().is_multiple_of(BASE64_GROUP_CHARS);
        match self {
            Self::Hex => &HEX,
            Self::LowerHex => &LOWER_HEX,
            Self::UpperHex => &UPPER_HEX,
            Self::Base64Padded => &PADDED,
            Self::Base64 if is_padded => &PADDED,
            Self::Base64 | Self::Base64Bare => &BARE,
            Self::Base64Url if is_padded => &URL_PADDED,
            Self::Base64Url => &URL_BARE,
            Self::Passlib => &PASSLIB,
            Self::PasslibAdapted => &PASSLIB_ADAPTED,
            Self::Bcrypt => &BCRYPT,
            Self::Crypt => &CRYPT,
            Self::CryptHighestFirst => &CRYPT_HIGHEST_FIRST,
        }
    }
}

const BASE64_GROUP_CHARS: usize = 4;

static HEX: Encoding = HEXLOWER_PERMISSIVE;
static LOWER_HEX: Encoding = HEXLOWER;
static UPPER_HEX: Encoding = HEXUPPER;
static PADDED: Encoding = BASE64;
static BARE: Encoding = BASE64_NOPAD;
static URL_PADDED: Encoding = BASE64URL;
static URL_BARE: Encoding = BASE64URL_NOPAD;

/// The characters of crypt(3), in the order of their values.
pub(crate) const CRYPT_ALPHABET: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Software that writes or checks these hashes compares whole strings or refuses odd trailing bits,
/// so only the canonical text is taken.
static BCRYPT: LazyLock<Encoding> = LazyLock::new(|| {
    dialect("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", |_| ())
});

static CRYPT: LazyLock<Encoding> = LazyLock::new(|| {
    dialect(&String::from_utf8_lossy(CRYPT_ALPHABET), |specification| {
        specification.bit_order = BitOrder::LeastSignificantFirst;
    })
});

static CRYPT_HIGHEST_FIRST: LazyLock<Encoding> =
    LazyLock::new(|| dialect(&String::from_utf8_lossy(CRYPT_ALPHABET), |_| ()));

static PASSLIB: LazyLock<Encoding> = LazyLock::new(|| {
    dialect(&BASE64_NOPAD.specification().symbols, |specification| {
        specification.check_trailing_bits = false;
        specification.ignore.push('=');
    })
});

static PASSLIB_ADAPTED: LazyLock<Encoding> = LazyLock::new(|| {
    let symbols = BASE64_NOPAD.specification().symbols.replace('+', ".");
    dialect(&symbols, |specification| {
        specification.check_trailing_bits = false;
        specification.ignore.push('=');
        specification.translate.from.push('+');
        specification.translate.to.push('.');
    })
});

fn dialect(symbols: &str, adapt: impl FnOnce(&mut Specification)) -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str(symbols);
    adapt(&mut specification);
    specification.encoding().expect("64 distinct characters, and others beside them")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as the software that writes the format reads it.
    #[test]
    fn base64_is_read_as_loosely_as_its_origin_does_and_no_looser() {
        let read = |coding: Coding, text: &str| coding.decode(text).is_some();
        for loose in ["AAAg", "AAg", "AAh", "AAg=", "A+g"] {
            assert!(read(Coding::PasslibAdapted, loose), "{loose}");
        }
        assert!(read(Coding::Base64, "AAA=") && read(Coding::Base64, "AAA"));
        assert!(!read(Coding::Base64, "AAB=") && !read(Coding::Base64, "AAB"));
        assert!(!read(Coding::Base64Padded, "AAA") && !read(Coding::Base64Bare, "AAA="));
        assert!(!read(Coding::Bcrypt, "..B") && read(Coding::Bcrypt, "..u"));
        assert!(!read(Coding::LowerHex, "9E") && read(Coding::Hex, "9E"));
    }

    #[test]
    fn a_text_is_written_as_the_one_before_it() {
        assert_eq!(Coding::Hex.encode_like(&[0xab], "CD"), "AB");
        assert_eq!(Coding::Hex.encode_like(&[0xab], "12"), "ab");
        assert_eq!(Coding::Base64.encode_like(&[0], "AQ=="), "AA==");
        assert_eq!(Coding::Base64.encode_like(&[0], "AQ"), "AA");
        assert_eq!(Coding::Base64.encode_like(&[0], "AAAA"), "AA==");
        assert_eq!(Coding::Base64Url.text_len(32), Coding::Base64Url.encode(&[0; 32]).len());
        assert_eq!(Coding::Crypt.encode(&[1, 0, 0]), "/...");
    }
}
