//! Cheap hashes for tests: one of each format and variant, all of the same password.
//!
//! Made by Django 5.2, passlib 1.7, argon2-cffi 25, bcrypt 5; the PHC strings of PBKDF2 with
//! Python's `hashlib`. The counterpart test makes fresh ones.

use std::sync::atomic::{AtomicU64, Ordering};

use model::{Randomness, Secret, StoredHash};

pub(crate) const PASSWORD: &[u8] = b"Correct horse";

pub(crate) const SAMPLES: &[(&str, &str)] = &[
    (
        "argon2",
        "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU",
    ),
    (
        "argon2",
        "$argon2i$v=16$m=32,t=3,p=4$c2FsdHNhbHQ$zO14rmRkyXDbpzxYRxFDGurpYbvSow3a6x+NLgdFMIw",
    ),
    ("argon2", "$argon2d$m=32,t=3,p=4$c2FsdHNhbHQ$qgkjk+aEYIGL14i2TPUK0hQIX0xhu/hCrMaA7NFYky4"),
    ("bcrypt", "$2a$04$fPKnsAWiIkJ0F7JzkXB/7.8EEVHj7I68upiMcs2ewW4ytp8UJbID6"),
    ("bcrypt", "$2b$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6"),
    ("bcrypt", "$2y$04$.qeVqRpr6k4kRMoylXABsuu7ot3Qxg3919n3AbeV8O3uCJlapA3em"),
    (
        "scrypt",
        "$scrypt$ln=4,r=4,p=2$eA9BiBHCuBfCeG8NAQBg7A$8usvld+aqjdsDARfz416SjTq/lPZ/chh0aBpiDLQOI8",
    ),
    (
        "scrypt_crypt",
        "$7$22....0....Oaf0PoewFuKcE8IYI6TU+g$E1rwN9bZhhTmSZyTp0zAMkAG3Jhmqgdt/RbfaL1kdZA",
    ),
    ("pbkdf2", "$pbkdf2$i=10,l=20$c2FsdHNhbHRzYWx0$RxbQbi/85pz0DI3bxLcHE7C4/E4"),
    ("pbkdf2", "$pbkdf2-sha256$i=10$c2FsdHNhbHRzYWx0$T5ntHrMeTVVhQwCgYSRARwbo5kY5rWvmc9vYRay6Xa8"),
    (
        "pbkdf2",
        "$pbkdf2-sha512$i=10,l=64$c2FsdHNhbHRzYWx0$1cFpOJG/sNq4BOzMpXB/2I8LtQaApvjD0B3QFBmW6pn+4Aq+dJMS37vU0wjDcib1MBUyhUGIpNg6cwtjM/jQdA",
    ),
    ("pbkdf2_passlib", "$pbkdf2$10$8J7zHqM0hlDqndNay5kzJg$YZd83dZ2Tg1nMUXonHyPtsDCAHA"),
    ("pbkdf2_passlib", "$pbkdf2-sha256$10$$9G9n5oRqgTIs7YsfjezZJGLxRda3pKEq9hxw.1BvAOo"),
    (
        "pbkdf2_passlib",
        "$pbkdf2-sha512$10$do5RKoUQAmBsTUlJCcHYmw$xMTyhcYoaRZioRR.JPqcjEp/dDhuu5cdsNKIJwE5mrBGlkGy.HDcdK.3Y./IFZ/zg.d84fBdfxaP5J.B7qTHcg",
    ),
    (
        "django_argon2",
        "argon2$argon2id$v=19$m=64,t=1,p=2$ZUF3TWNQR21xT2hUS3JtcFBFOXVnZg$py8kxov01v9XDt8+60hWF/nNKTBY4voctY7ZIr6B8xQ",
    ),
    ("django_bcrypt", "bcrypt$$2b$04$QBM6xhKzZURAvjzZQrQzKOsTQ8IEht0h1w4plHCg.ZjkRd2lVN.Ua"),
    (
        "django_bcrypt_sha256",
        "bcrypt_sha256$$2b$04$52DxI6vLgUmGzmITnKhTiOTBooIRMsiQREyYJiqu6QOV0tAdcVkaq",
    ),
    (
        "django_scrypt",
        "scrypt$16$GVGVJpBaqudWObKCMek7ZY$4$2$g3JD0ZCCVz0vNckbunn6AevT7iRaoI696gFfxOYq/mwCAYOChsxvyYaT7mivFa4SHNxH3rhC9NQ0PPts0C0pFw==",
    ),
    (
        "django_pbkdf2",
        "pbkdf2_sha256$10$axkwvL8FTN3MnEc2eQt0Ze$BL6Ye2ZjsPYF3IoiAsZYzx4gH/Z8pxm6JfKznZ/vkRw=",
    ),
    ("django_pbkdf2", "pbkdf2_sha1$10$R2jspnbL9m4tZnWnjcV7uv$kobPrI/08AaZP8aetlfijzoAzg4="),
    ("django_md5", "md5$dM6GSctsIEFqrf1Iu1unmG$972d566960920e1da4bb7f655462304c"),
];

pub(crate) fn hash(text: &str) -> StoredHash {
    StoredHash::from_column(Some(text.to_owned())).expect("a test hands in a password's hash")
}

pub(crate) fn secret(bytes: &[u8]) -> Secret {
    Secret::from(bytes)
}

/// Bytes that differ from call to call, and are the same in every run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Randomness for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let drawn = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
    }
}
