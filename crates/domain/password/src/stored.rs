//! Stored hashes taken apart and put together again: one module for each family of functions.

mod argon2;
mod bcrypt;
mod family;
mod md5;
mod parsed;
mod pbkdf2;
mod scratch;
mod scrypt;
mod text;

use model::{HashFormat, StoredHash, Unverified};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use self::{argon2::Argon2, bcrypt::Bcrypt, md5::Md5, pbkdf2::Pbkdf2, scrypt::Scrypt};
use crate::{CostLimits, MakeHashError, limits};

pub(crate) use family::Family;
pub(crate) use parsed::ParsedHash;
pub(crate) use scratch::Scratch;

/// Says what a stored hash is, and whether it can be verified, without hashing anything.
///
/// # Errors
/// `UnknownFormat` if it begins like none of the formats, `Malformed` if it begins like one and
/// then breaks, `TooExpensive` if it asks for more than `limits` allow.
pub fn recognise(hash: &StoredHash, limits: &CostLimits) -> Result<HashFormat, Unverified> {
    ParsedHash::parse(hash, limits).map(|stored| stored.method.family().format())
}

/// Which format a stored hash begins like, even if it is malformed or too expensive.
#[must_use]
pub fn format_of(hash: &StoredHash) -> Option<HashFormat> {
    let known = PREFIXES.iter().find(|(prefix, _)| hash.expose().starts_with(prefix));
    known.map(|(_, format)| *format)
}

/// The first that fits decides.
const PREFIXES: &[(&str, HashFormat)] = &[
    ("$argon2id$", HashFormat::Argon2),
    ("$argon2i$", HashFormat::Argon2),
    ("$argon2d$", HashFormat::Argon2),
    ("$2a$", HashFormat::Bcrypt),
    ("$2b$", HashFormat::Bcrypt),
    ("$2y$", HashFormat::Bcrypt),
    ("$scrypt$", HashFormat::Scrypt),
    ("$7$", HashFormat::ScryptCrypt),
    ("$pbkdf2$i=", HashFormat::Pbkdf2),
    ("$pbkdf2-sha256$i=", HashFormat::Pbkdf2),
    ("$pbkdf2-sha512$i=", HashFormat::Pbkdf2),
    ("$pbkdf2$", HashFormat::Pbkdf2Passlib),
    ("$pbkdf2-sha256$", HashFormat::Pbkdf2Passlib),
    ("$pbkdf2-sha512$", HashFormat::Pbkdf2Passlib),
    ("argon2$", HashFormat::DjangoArgon2),
    ("bcrypt$", HashFormat::DjangoBcrypt),
    ("bcrypt_sha256$", HashFormat::DjangoBcryptSha256),
    ("scrypt$", HashFormat::DjangoScrypt),
    ("pbkdf2_sha256$", HashFormat::DjangoPbkdf2),
    ("pbkdf2_sha1$", HashFormat::DjangoPbkdf2),
    ("md5$", HashFormat::DjangoMd5),
];

impl ParsedHash<Method> {
    /// Reads the text of a hash, and refuses what would cost too much to compute.
    pub(crate) fn parse(hash: &StoredHash, limits: &CostLimits) -> Result<Self, Unverified> {
        let format = format_of(hash).ok_or(Unverified::UnknownFormat)?;
        let stored = Self::read(hash.expose(), format)?;
        if stored.method.family().exceeds(limits) {
            return Err(Unverified::TooExpensive);
        }
        Ok(stored)
    }

    /// Whether a secret, peppered if the site does that, is the password.
    pub(crate) fn matches(&self, secret: &[u8], scratch: &mut Scratch) -> Result<bool, Unverified> {
        let mut derived = Zeroizing::new(vec![0; self.digest.len()]);
        let family = self.method.family();
        match family.derive(secret, &self.salt, &mut derived, scratch) {
            Ok(()) => Ok(derived.ct_eq(&self.digest).into()),
            Err(MakeHashError::Nul) => Ok(false),
            Err(MakeHashError::OutOfMemory) => Err(Unverified::TooExpensive),
        }
    }

    fn read(text: &str, format: HashFormat) -> Result<Self, Unverified> {
        if text.len() > limits::HASH_TEXT_BYTES_MAX {
            return Err(Unverified::Malformed);
        }
        Ok(match format {
            HashFormat::Argon2 | HashFormat::DjangoArgon2 => argon2::read(text)?.of(Method::Argon2),
            HashFormat::Bcrypt | HashFormat::DjangoBcrypt | HashFormat::DjangoBcryptSha256 => {
                bcrypt::read(text)?.of(Method::Bcrypt)
            }
            HashFormat::Scrypt => scrypt::read_phc(text)?.of(Method::Scrypt),
            HashFormat::ScryptCrypt => scrypt::read_crypt(text)?.of(Method::Scrypt),
            HashFormat::DjangoScrypt => scrypt::read_django(text)?.of(Method::Scrypt),
            HashFormat::Pbkdf2 => pbkdf2::read_phc(text)?.of(Method::Pbkdf2),
            HashFormat::Pbkdf2Passlib => pbkdf2::read_passlib(text)?.of(Method::Pbkdf2),
            HashFormat::DjangoPbkdf2 => pbkdf2::read_django(text)?.of(Method::Pbkdf2),
            HashFormat::DjangoMd5 => md5::read(text)?.of(Method::Md5),
        })
    }
}

/// All of a stored hash but salt and digest: function, cost and notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    Argon2(Argon2),
    Bcrypt(Bcrypt),
    Md5(Md5),
    Pbkdf2(Pbkdf2),
    Scrypt(Scrypt),
}

impl Method {
    /// What the software that owns the format does by default, or what OWASP recommends.
    pub(crate) const fn with_default_cost(format: HashFormat) -> Self {
        match format {
            HashFormat::Argon2 => Self::Argon2(Argon2::default_for(argon2::Argon2Notation::Phc)),
            HashFormat::Bcrypt => Self::Bcrypt(Bcrypt::default_for(bcrypt::BcryptNotation::Crypt)),
            HashFormat::Scrypt => Self::Scrypt(Scrypt::default_for(scrypt::ScryptNotation::Phc)),
            HashFormat::ScryptCrypt => {
                Self::Scrypt(Scrypt::default_for(scrypt::ScryptNotation::Crypt))
            }
            HashFormat::Pbkdf2 => {
                Self::Pbkdf2(Pbkdf2::default_for(pbkdf2::Pbkdf2Notation::Phc { length: true }))
            }
            HashFormat::Pbkdf2Passlib => {
                Self::Pbkdf2(Pbkdf2::default_for(pbkdf2::Pbkdf2Notation::Passlib))
            }
            HashFormat::DjangoArgon2 => {
                Self::Argon2(Argon2::default_for(argon2::Argon2Notation::Django))
            }
            HashFormat::DjangoBcrypt => {
                Self::Bcrypt(Bcrypt::default_for(bcrypt::BcryptNotation::Django))
            }
            HashFormat::DjangoBcryptSha256 => {
                Self::Bcrypt(Bcrypt::default_for(bcrypt::BcryptNotation::DjangoSha256))
            }
            HashFormat::DjangoScrypt => {
                Self::Scrypt(Scrypt::default_for(scrypt::ScryptNotation::Django))
            }
            HashFormat::DjangoPbkdf2 => {
                Self::Pbkdf2(Pbkdf2::default_for(pbkdf2::Pbkdf2Notation::Django))
            }
            HashFormat::DjangoMd5 => Self::Md5(Md5),
        }
    }

    pub(crate) const fn family(&self) -> &dyn Family {
        match self {
            Self::Argon2(family) => family,
            Self::Bcrypt(family) => family,
            Self::Md5(family) => family,
            Self::Pbkdf2(family) => family,
            Self::Scrypt(family) => family,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::{PASSWORD, SAMPLES, hash};

    /// Small enough that whatever a mutation leaves readable is verified at once.
    const CHEAP: CostLimits = CostLimits {
        bcrypt_cost_max: 5,
        argon2_memory_kib_max: 1024,
        argon2_passes_max: 9,
        argon2_lanes_max: 9,
        pbkdf2_iterations_max: 999,
        scrypt_log_n_max: 6,
        scrypt_r_max: 64,
        scrypt_p_max: 9,
    };

    fn recognised(text: &str) -> Result<HashFormat, Unverified> {
        recognise(&hash(text), &CostLimits::default())
    }

    #[test]
    fn every_format_has_a_sample_and_is_recognised() {
        for format in HashFormat::ALL {
            assert!(SAMPLES.iter().any(|(sample, _)| sample == format), "{format}");
        }
        for (format, text) in SAMPLES {
            assert_eq!(recognised(text), Ok(*format), "{text}");
            assert_eq!(format_of(&hash(text)), Some(*format), "{text}");
        }
    }

    #[test]
    fn a_sample_matches_its_password_and_no_other() {
        for (_, text) in SAMPLES {
            let stored = ParsedHash::parse(&hash(text), &CHEAP).unwrap();
            let matches = |secret: &[u8]| stored.matches(secret, &mut Scratch::default());
            assert_eq!(matches(PASSWORD), Ok(true), "{text}");
            assert_eq!(matches(b"correct horse"), Ok(false), "{text}");
            assert_eq!(matches(b""), Ok(false), "{text}");
        }
    }

    #[test]
    fn foreign_formats_are_unknown() {
        let argon2_without_variant = "$argon2$v=19$m=64,t=1,p=2$c2FsdHNhbHQ$AAAA";
        for text in [
            "$2x$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6",
            "$2$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJu",
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
            "pbkdf2_sha512$10$salt$AAAA",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "plain text, even a café",
            argon2_without_variant,
        ] {
            assert_eq!(recognised(text), Err(Unverified::UnknownFormat), "{text}");
            assert_eq!(format_of(&hash(text)), None, "{text}");
        }
    }

    #[test]
    fn a_known_beginning_with_a_broken_rest_is_malformed() {
        for text in [
            // No digest, or not all of it: an empty one would match every password.
            "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ$",
            "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ",
            "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Q",
            "$pbkdf2-sha256$i=10$c2FsdHNhbHRzYWx0$",
            "$scrypt$ln=4,r=4,p=2$eA9BiBHCuBfCeG8NAQBg7A$",
            "$2b$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz",
            "md5$salt$",
            // Parameters that nobody writes, or that contradict each other.
            "$argon2id$v=19$m=64,t=1,p=2,keyid=AA$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "$argon2id$v=19$t=1,m=64,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "$argon2id$v=18$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "$argon2id$v=19$m=8,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "$argon2id$v=19$m=64,t=0,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "$argon2id$v=19$m=+64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "$2b$4$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6",
            "$2b$03$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6",
            "$2b$+4$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6",
            "$pbkdf2-sha256$i=10,l=31$c2FsdHNhbHRzYWx0$T5ntHrMeTVVhQwCgYSRARwbo5kY5rWvmc9vYRay6Xa8",
            "$pbkdf2-sha256$ten$$9G9n5oRqgTIs7YsfjezZJGLxRda3pKEq9hxw.1BvAOo",
            "scrypt$17$GVGV$4$2$g3JD0ZCCVz0vNckbunn6AevT7iRaoI696gFfxOYq/mwCAYOChsxvyYaT7mivFa4SHNxH3rhC9NQ0PPts0C0pFw==",
            "pbkdf2_sha1$010$R2jspnbL9m4tZnWnjcV7uv$kobPrI/08AaZP8aetlfijzoAzg4=",
            "pbkdf2_sha1$10$$kobPrI/08AaZP8aetlfijzoAzg4=",
            "bcrypt$$2x$04$QBM6xhKzZURAvjzZQrQzKOsTQ8IEht0h1w4plHCg.ZjkRd2lVN.Ua",
            "argon2$",
            "$7$2zzzzzzzzzzsalt$E1rwN9bZhhTmSZyTp0zAMkAG3Jhmqgdt/RbfaL1kdZA",
            // Text cut in the middle of a character.
            "$7$22....0...é",
            "$2b$04$FnTFtrDgRpaMMaDYnZOIwéRln5DGEfnHG3TVpjj2X9LjJA7RBlz6",
        ] {
            assert_eq!(recognised(text), Err(Unverified::Malformed), "{text}");
            assert!(format_of(&hash(text)).is_some(), "{text}");
        }
    }

    /// Each as the software that writes the format reads it.
    #[test]
    fn base64_is_read_as_loosely_as_its_origin_does_and_no_looser() {
        let passlib =
            "$pbkdf2-sha256$10$LOU8B0BorRVCSEkJIaRUCg$pJXlWXMOMf3dfOoU943.xU1lYvN68kMzABZPv3R1pR";
        for loose in ["g", "h", "g="] {
            assert!(recognised(&format!("{passlib}{loose}")).is_ok(), "{loose}");
        }
        let plus = passlib.replace("943.", "943+") + "g";
        assert_eq!(recognised(&plus), Ok(HashFormat::Pbkdf2Passlib));
        for strict in [
            "$2b$04$FnTFtrDgRpaMMaDYnZOIwf7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6",
            "$2b$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz7",
            "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprR$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ==$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
            "pbkdf2_sha1$10$R2jspnbL9m4tZnWnjcV7uv$kobPrI/08AaZP8aetlfijzoAzg4",
            "pbkdf2_sha1$10$R2jspnbL9m4tZnWnjcV7uv$kobPrI/08AaZP8aetlfijzoAzg5=",
            "md5$dM6GSctsIEFqrf1Iu1unmG$972D566960920E1DA4BB7F655462304C",
        ] {
            assert_eq!(recognised(strict), Err(Unverified::Malformed), "{strict}");
        }
    }

    #[test]
    fn what_asks_for_too_much_is_never_tried() {
        let digest = "Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU";
        let argon2 =
            |costs: &str| format!("$argon2id$v=19${costs}$QmitVYqxdk6JUeq9V0pprQ${digest}");
        let bcrypt = "$2b$16$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6";
        for text in [
            &argon2("m=1048577,t=1,p=1"),
            &argon2("m=64,t=11,p=1"),
            &argon2("m=4096,t=1,p=17"),
            &argon2("m=99999999999,t=1,p=1"),
            bcrypt,
            &bcrypt.replace("$16$", "$31$"),
            &format!("bcrypt${bcrypt}"),
            &format!("$scrypt$ln=18,r=8,p=1$c2FsdA${digest}"),
            &format!("$scrypt$ln=300,r=8,p=1$c2FsdA${digest}"),
            &format!("$scrypt$ln=4,r=33,p=1$c2FsdA${digest}"),
            &format!("$scrypt$ln=4,r=8,p=11$c2FsdA${digest}"),
            "$7$z6..../....salt$E1rwN9bZhhTmSZyTp0zAMkAG3Jhmqgdt/RbfaL1kdZA",
            &format!("$pbkdf2-sha256$i=10000001$c2FsdA${digest}"),
            &format!("$pbkdf2-sha256$i=1$c2FsdA${}", digest.repeat(5)),
        ] {
            assert_eq!(recognised(text), Err(Unverified::TooExpensive), "{text}");
            assert!(format_of(&hash(text)).is_some(), "{text}");
        }
    }

    #[test]
    fn an_endless_text_is_malformed() {
        let endless = format!("md5${}$972d566960920e1da4bb7f655462304c", "s".repeat(2000));
        assert_eq!(recognised(&endless), Err(Unverified::Malformed));
    }

    #[test]
    fn encoding_gives_back_what_was_read() {
        for (_, text) in SAMPLES {
            let stored = ParsedHash::parse(&hash(text), &CHEAP).unwrap();
            let family = stored.method.family();
            assert_eq!(&family.encode(&stored.salt, &stored.digest), text);
        }
    }

    fn verifies_without_panic(text: &str) {
        let hash = StoredHash::from_column(Some(text.to_owned()));
        let stored = hash.map(|hash| ParsedHash::parse(&hash, &CHEAP));
        if let Some(Ok(stored)) = stored {
            stored.matches(b"secret", &mut Scratch::default()).unwrap();
            let again = stored.method.family().encode(&stored.salt, &stored.digest);
            assert_eq!(ParsedHash::parse(&crate::samples::hash(&again), &CHEAP), Ok(stored));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(prefix in 0..PREFIXES.len(), rest in any::<String>()) {
            verifies_without_panic(&rest);
            verifies_without_panic(&format!("{}{rest}", PREFIXES[prefix].0));
        }

        #[test]
        fn no_text_of_fields_makes_it_panic(
            prefix in 0..PREFIXES.len(),
            rest in "[$,=.+/0-9a-z]{0,120}",
        ) {
            verifies_without_panic(&format!("{}{rest}", PREFIXES[prefix].0));
        }

        #[test]
        fn no_mutation_makes_it_panic(
            sample in 0..SAMPLES.len(),
            places in prop::collection::vec((any::<prop::sample::Index>(), "[$,=.+/0-9a-zé]?"), 1..4),
        ) {
            let mut text: Vec<String> = SAMPLES[sample].1.chars().map(String::from).collect();
            for (place, character) in places {
                *place.get_mut(&mut text) = character;
            }
            verifies_without_panic(&text.concat());
        }

        #[test]
        fn any_salt_and_digest_survive_a_round_trip(
            sample in 0..SAMPLES.len(),
            bytes in prop::collection::vec(any::<u8>(), 64),
        ) {
            let mut stored = ParsedHash::parse(&hash(SAMPLES[sample].1), &CHEAP).unwrap();
            let digest_len = stored.digest.len();
            stored.digest.copy_from_slice(&bytes[..digest_len]);
            if stored.method.family().salt_alphabet().is_none() {
                let salt_len = stored.salt.len();
                stored.salt.copy_from_slice(&bytes[64 - salt_len..]);
            }
            let text = stored.method.family().encode(&stored.salt, &stored.digest);
            prop_assert_eq!(ParsedHash::parse(&hash(&text), &CHEAP), Ok(stored));
        }
    }
}
