//! Hashes whose form stands in a column beside them, or that a site has made in more ways than one: what is
//! known is tried, and nobody is "not exposed" by what is not.

use model::{Secret, StoredHash, Unverified, Verdict};
use password::{CostLimits, HashForms, Verifier};

use crate::Counting;

/// A site by the forms that its configuration names, and its secret.
struct Site(Verifier);

impl Site {
    fn of(forms: &[&str]) -> Self {
        Self::keyed(forms, &[])
    }

    fn keyed(forms: &[&str], keys: &[&str]) -> Self {
        let keys = keys.iter().map(|key| Secret::from(key.as_bytes()));
        let forms = HashForms::of_site(forms.iter().copied(), keys).expect("forms");
        Self(Verifier::new(CostLimits::default(), forms))
    }

    fn verdict(&self, hash: &str, columns: &[(&str, &str)], password: &str) -> Verdict {
        let hash = StoredHash::from_columns(Some(hash.to_owned()), columns).expect("a hash");
        self.0.verify(&hash, &[Secret::from(password.as_bytes())]).verdict
    }

    #[track_caller]
    fn assert_matches(&self, hash: &str, columns: &[(&str, &str)], password: &str) {
        let found = self.verdict(hash, columns, password);
        assert!(matches!(found, Verdict::Match { .. }), "{found:?}: {hash} {columns:?}");
    }

    /// The password of this hash is told from another one.
    #[track_caller]
    fn assert_verifies(&self, hash: &str, columns: &[(&str, &str)], password: &str) {
        self.assert_matches(hash, columns, password);
        let found = self.verdict(hash, columns, "another");
        assert_eq!(found, Verdict::NoMatch, "{hash} {columns:?}");
    }

    /// Nobody is told that this is not the password.
    #[track_caller]
    fn assert_unknown(&self, hash: &str, columns: &[(&str, &str)]) {
        let unknown = Verdict::Unverified(Unverified::UnknownFormat);
        assert_eq!(self.verdict(hash, columns, "another"), unknown, "{hash} {columns:?}");
    }
}

/// Oracle's verifiers of 11g, by passlib, and of 12c, by hashcat; what else stands beside them is of its
/// own uses.
const ORACLE: [(&str, &str); 2] = [
    ("S:E41F2BE733C0ED098632FE7A943E2928BCA8F1721F1BBBC78B58851EEBE6", "Wachs-Kerze 42"),
    (
        "T:8F75FBD166AFDB6D7587DAB89C2F15672AAC031C5B0B5E65C0835FB130555F6FF4E0E5764976755558112246FFF306450C22F6B7746B9E9831ED97B373992F9157436180438417080374881414745255",
        "hashcat",
    ),
];

#[test]
fn one_of_several_verifiers_in_a_column_is_tried() {
    let site = Site::of(&[]);
    let [(eleven, old), (twelve, new)] = ORACLE;
    let digest = "H:25D6B0F24D4CFE6E7EE0CD3A6F1F5A2C";
    for stored in [format!("{eleven};{twelve}"), format!("{eleven};{digest};{twelve}")] {
        site.assert_verifies(&stored, &[], old);
    }
    site.assert_verifies(&format!("{digest};{twelve}"), &[], new);
}

/// From Gitea's own tests: of `abcdef`, with the salt in each of its two forms.
const GITEA: &[(&str, &str, &str, &str)] = &[
    (
        "pbkdf2",
        "pbkdf2$10000$50",
        "45d6cdc843d65cf0eda7b90ab41435762a282f7df013477a1c5b212ba81dbdca2edf1ecc4b5cb05956bb9e0c37ab29315d78",
        "ab48d5471b7e6ed42d10001db88c852ff7303c788e49da5c3c7b63d5adf96360303724b74b679223a3dea8a242d10abb1913",
    ),
    (
        "argon2",
        "argon2$2$65536$8$50",
        // Its salt is shorter than any that Gitea makes, and than the function may take.
        "",
        "551f089f570f989975b6f7c6a8ff3cf89bc486dd7bbe87ed4d80ad4362f8ee599ec8dda78dac196301b98456402bcda775dc",
    ),
    (
        "scrypt",
        "scrypt$65536$16$2$50",
        "25fe5f66b43fa4eb7b6717905317cd2223cf841092dc8e0a1e8c75720ad4846cb5d9387303e14bc3c69faa3b1c51ef4b7de1",
        "3b571d0c07c62d42b7bad3dbf18fb0cd67d4d8cd4ad4c6928e1090e5b2a4a84437c6fd2627d897c0e7e65025ca62b67a0002",
    ),
    (
        "bcrypt",
        "bcrypt$10",
        "$2a$10$qhgm32w9ZpqLygugWJsLjey8xRGcaq9iXAfmCeNBXxddgyoaOC3Gq",
        "$2a$10$fjtm8BsQ2crym01/piJroenO3oSVUBhSLKaGdTYJ4tG0ePVCrU0G2",
    ),
];

const GITEA_PBKDF2_HI: &str = "84e233114499e8721da80e85568e5b7b5900b3e49a30845fcda9d1e1756da4547d70f8740ac2b4a5d82f88cebcd27f21bfe2";

#[test]
fn gitea_says_in_a_column_how_it_hashes() {
    let site = Site::of(&["gitea"]);
    for (bare, whole, with_hex, with_text) in GITEA {
        for algorithm in [bare, whole] {
            let columns = |salt| [("salt", salt), ("algorithm", *algorithm)];
            // A salt that may be either.
            site.assert_matches(with_text, &columns("aaaaaaaaaa"), "abcdef");
            if !with_hex.is_empty() {
                site.assert_verifies(with_hex, &columns("01020304"), "abcdef");
            }
        }
    }
    let (_, _, first, _) = GITEA[0];
    for none in [&[("salt", "01020304"), ("algorithm", "")][..], &[("salt", "01020304")]] {
        site.assert_verifies(first, none, "abcdef");
    }
    let hi = [("salt", "01020304"), ("algorithm", "pbkdf2$320000$50")];
    site.assert_verifies(GITEA_PBKDF2_HI, &hi, "abcdef");
}

#[test]
fn what_a_column_says_and_no_form_understands_is_unknown() {
    let site = Site::of(&["gitea"]);
    for algorithm in ["pbkdf2_hi", "argon2id", "pbkdf2$320000", "pbkdf2$x$50", "sha3$50", "dummy"] {
        let columns = [("salt", "01020304"), ("algorithm", algorithm)];
        site.assert_unknown(GITEA_PBKDF2_HI, &columns);
    }
    let site = Site::of(&["discourse"]);
    // Of PBKDF2 by Python's hashlib, 1000 rounds.
    let hash = "09da69fe5900d918b2ce8231021ca9a9a8a0b3a800fbb80d1f74f07c99e60ca2";
    let columns =
        |algorithm| [("salt", "000102030405060708090a0b0c0d0e0f"), ("algorithm", algorithm)];
    site.assert_verifies(hash, &columns("$pbkdf2-sha256$i=1000,l=32$"), "Grün&Blau-7");
    for algorithm in [
        "$pbkdf2-sha512$i=1000,l=32$",
        "$pbkdf2-sha256$l=32,i=1000$",
        "$pbkdf2-sha256$i=1000,l=32",
        "$argon2id$v=19$m=64,t=2,p=1$",
    ] {
        site.assert_unknown(hash, &columns(algorithm));
    }
}

#[test]
fn a_hash_that_says_itself_what_it_is_needs_no_column_to() {
    let hash = "$2b$04$nH4eG7hnB9erCO6F7x8oKeyhE.APe8atqZR9a24P1M73D9WwM8Mpe";
    let columns = [("salt", "01020304"), ("algorithm", "something new")];
    Site::of(&["gitea"]).assert_verifies(hash, &columns, "Grün&Blau-7");
}

/// By argon2-cffi: the value, its type and its version.
const KEYCLOAK: &[(&str, &str, &str)] = &[
    ("GEKU8akvo7oyZzk7vYeSrg/6VQR+olDhOGgBOXY+M+s=", "id", "1.3"),
    ("UHvdSTH8aVJoIPeq5kVMgxN9ccOUQMZkfZxRPes6Ny8=", "id", "1.0"),
    ("Nbn7r8ig07rL703FHuL3twXoAbjhR3JdfqXLsQOHIzw=", "i", "1.3"),
    ("9PEEfl1jei7dsjW8HIxARdH4ZUf4LOz0ySLScodPt4w=", "i", "1.0"),
    ("8CB0jBuNlD4i/AnZmSrywOHaBE52GI9JS6L/N4jYqg4=", "d", "1.3"),
    ("lK6MBbuH0cScdbQm8SdqT2b7YxBRYcasuHZtpeChc5I=", "d", "1.0"),
];

fn keycloak(value: &str) -> String {
    format!(
        r#"{{"value":"{value}","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{{}}}}"#
    )
}

fn keycloak_argon2(kind: &str, version: &str) -> String {
    format!(
        r#"{{"hashIterations":3,"algorithm":"argon2","additionalParameters":{{"hashLength":["32"],
        "memory":["256"],"type":["{kind}"],"version":["{version}"],"parallelism":["1"]}}}}"#
    )
}

#[test]
fn keycloak_says_which_argon2_it_is() {
    let site = Site::of(&["keycloak"]);
    for (value, kind, version) in KEYCLOAK {
        let parameters = keycloak_argon2(kind, version);
        site.assert_verifies(&keycloak(value), &[("parameters", &parameters)], "Grün&Blau-7");
    }
    let value = keycloak(KEYCLOAK[0].0);
    for (kind, version) in [("id", "1.4"), ("ds", "1.3")] {
        site.assert_unknown(&value, &[("parameters", &keycloak_argon2(kind, version))]);
    }
    let other = r#"{"hashIterations":1000,"algorithm":"pbkdf2-sha384"}"#;
    site.assert_unknown(&value, &[("parameters", other)]);
}

/// By PHP's `crypt` and Python's bcrypt and hashlib, of `Grün's-7`, with a pepper and without.
const MOODLE: &[&str] = &[
    "$6$rounds=1000$abcdefgh12345678$3Wd3TG7l9Hdz46r7ZvaJzfNSMsxkHUz/UkGPb6eUo35I.mAbFySM6hnX.llwLiEWxdGOWfa0XCYVyneVjp.Q..",
    "$6$rounds=1000$abcdefgh12345678$pdV3riKBCJqXCVusYC74iqZ87zE46eoi4vAV2gNEz8wu1GBtT01Q7QwDttpxuHeR9erb3DEJD5zj3KkB4uCgV.",
    "$2y$04$TCY0LLZCBf2SNuT1ViOkJO2yJEtd0kd44qWBOojFZXQ.lqRHJAnOy",
    "4fdcc0fdf30cffc94bdbc47d048f7bfc",
    "5ac435739e05e39f00238c6b3cd780ef",
    "dd7144ef2a7324bfb0f85d94f72aeb3b",
];

#[test]
fn moodle_takes_passwords_from_before_it_had_a_pepper() {
    for peppers in [&["PEP"][..], &["newer", "PEP"]] {
        let site = Site::keyed(&["moodle"], peppers);
        for hash in MOODLE {
            site.assert_verifies(hash, &[], "Grün's-7");
        }
    }
}

#[test]
fn nodebb_keeps_some_passwords_as_they_were_before_it_digested_them() {
    let site = Site::of(&["nodebb"]);
    // By Python's bcrypt, of the SHA-512 of the password and of itself.
    for hash in [
        "$2b$04$24ma000nDIZBSc4Z.BF87.WS9yVjLGGFKiYwrMcqKipuVmhOGUohm",
        "$2b$04$r7XaBnVjvlHbxGkBb2b4t.Fe5vjwnw8AzXzzAMQ.4pKImWUPG2WfK",
    ] {
        site.assert_verifies(hash, &[], "Grün&Blau-7");
    }
}

const OF_SITES: &str = "Grün's&Blau-7";

/// By Python's bcrypt: with `PEP` behind it, as of 2012 to 2014, and without, as before.
#[test]
fn owncloud_had_passwords_before_it_had_a_salt_for_all() {
    let site = Site::keyed(&["owncloud_old"], &["PEP"]);
    for hash in [
        "$2b$04$2fMyqdvD2dkiaHu1W8T3F.WklUHsdi0u6USTGCzU9KQnyT30U5ygm",
        "$2b$04$soiaSgjlXgZ3VzNIPYD/n.ASH3FHpyPbhIu1Kegc3r.dCobpy7Jyy",
    ] {
        site.assert_verifies(hash, &[], OF_SITES);
    }
}

/// By Python's bcrypt, argon2-cffi and hashlib.
#[test]
fn each_scheme_of_vbulletin_5_is_over_md5() {
    let site = Site::of(&["vbulletin5"]);
    for hash in [
        "$2b$04$1BsHFIfkIw/2vQeNKh9peujtn6s.NZa11jyCY3Rz/20Kkhoc9OGiG",
        "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$nC/j+JbQCJL7YCacEj98VpMEJxwP2uWJLeTLvSzHeao",
        "88cd20a4d08ba300b19ba45ab3cfad78 kF3\"x9",
    ] {
        site.assert_verifies(hash, &[], OF_SITES);
    }
}

/// By Python's hashlib and passlib, of what phpBB 2 had hashed: in UTF-8 and in windows-1252.
#[test]
fn phpbb_keeps_what_it_took_over_from_version_2() {
    let site = Site::of(&["phpbb"]);
    for hash in [
        "$CP$e825b06a92d17caaadd022e0c98d0a0d",
        "$md5_phpbb2$2344bb43222b64a3f1ddeeac8f2e3d12",
        "$CP$$H$5b2gDnDnaMeQ5LdqVUfZ8hMmspYU721",
        "$md5_phpbb2$$H$5K7F3mNQc..bfywf64B/wUHdyyRCk4.",
    ] {
        site.assert_verifies(hash, &[], OF_SITES);
    }
}

/// By Python's hashlib.
#[test]
fn a_salt_between_dollars_may_stand_behind_the_password() {
    let site = Site::of(&[]);
    for hash in [
        "md5$abc$b01befa8580073970e070e24d75ce8b9",
        "sha1$abc$e82d1c1fb50226f67111d4dc13e9913f1fcb7db5",
    ] {
        site.assert_verifies(hash, &[], OF_SITES);
    }
}

/// By Python's bcrypt: `SECURITY_PASSWORD_SINGLE_HASH` leaves the HMAC out.
#[test]
fn flask_security_hashes_some_passwords_once() {
    let site = Site::keyed(&["flask_security"], &["PEP"]);
    let hash = "$2b$04$Zs1gAxEI/I649BvlbkUqzOodh6wFcIqLxlq.72U0w0ShhGKU2JBwS";
    site.assert_verifies(hash, &[], OF_SITES);
}

/// By Python's and PHP's bcrypt.
const DIGESTED_FIRST: &[(&str, &str)] = &[
    ("bcrypt_md5_hex", "$2b$04$U/.8vi3fqxiCc9tatt2GBeg7Gpf5goKqkb2FrQTW.5Nj1MrT2pJcm"),
    ("bcrypt_sha1_hex", "$2b$04$gI6bRIONRI1zkyY/hr2ooeqtuqRuDfJmvQd8n0Ahes8Tm8i3LASOa"),
    ("bcrypt_sha256_base64", "$2b$04$cSTiY0SEfbW.CEpR45zHLu4mW5JQoiXGwEvZVAGSnLWiQmDbVP30i"),
    ("bcrypt_sha256_raw", "$2y$04$abcdefghijklmnopqrstuu02zc59UJncd3ZM0TAUfXtlYrAI7bzYW"),
    ("bcrypt_sha384_base64", "$2b$04$/uQWhtOJiW3QkbS0.w7D6uKKW35zuKFNyfbf0shCEozqpIZYRlh3m"),
    ("bcrypt_sha512_hex", "$2b$04$9UiubZfIzdkX1.JIyyPhe.N8Yxrc5QukrRhKeyH3vWh5j1EJW33DC"),
    ("bcrypt_sha512_base64", "$2b$04$umCDAZNURlAH5LwT.kxu6OtqROqPPjO4gOBSdkCV1zKrUcv6Tn9bC"),
    ("bcrypt_sha512_raw", "$2y$04$abcdefghijklmnopqrstuuB8TNj2D7pA4qnicKH50bQ8HlA.Zb8.6"),
];

#[test]
fn what_is_digested_before_bcrypt_has_a_name() {
    for (form, hash) in DIGESTED_FIRST {
        Site::of(&[form]).assert_verifies(hash, &[], OF_SITES);
    }
}

/// By bcryptjs of `a\0bc`. Other software stops at the NUL, so no new hash is made of such a password.
#[test]
fn a_nul_byte_may_be_a_part_of_a_password() {
    let site = Site::of(&[]);
    let hash = "$2b$04$/OOYfGPDtptZEXcPF1ToA.Ic.2a9VqJri5FUH/IPHHk8RHswej7sS";
    site.assert_verifies(hash, &[], "a\0bc");
    let hash = StoredHash::from_column(Some(hash.to_owned())).unwrap();
    let new = Secret::from(&b"new\0word"[..]);
    let refused = site.0.imitate(&hash, None, &new, &Counting::default()).unwrap_err();
    assert!(refused.to_string().contains("NUL"), "{refused}");
}

/// As Invision's own code for old hashes escapes a password; by Python's hashlib, the salt `aB3x7`.
const IPB: &[(&str, &str)] = &[
    ("eb04655ffc4d44584e7495607c792409", "Hallo123"),
    ("9cd95a0591cb8d539624be9f10300dfb", "Hallo!123"),
    ("a242197372b8a958f726e7994a0a5014", "Pa$$word1"),
    ("b309af4e23c15db5958b730b115f3507", "o'neil99"),
    ("6bcbe3e7681cdc852c5d2177a42ac29b", r#"a&b<c>d"e"#),
    ("2a0b093df88e8a42981bdad5cc0f1471", r"ab\cd12"),
];

#[test]
fn invision_escapes_more_than_html_does() {
    let site = Site::of(&["ipb3"]);
    for (hash, password) in IPB {
        site.assert_verifies(hash, &[("salt", "aB3x7")], password);
    }
}

/// By Python's hashlib and argon2-cffi: what Magento has upgraded step by step.
const MAGENTO: &[(&str, &str)] = &[
    ("0:1", "557eaf26fda76c091e2e0f6459dc9a6e12424e8c5e3d7ee0bc50252fa21c076c"),
    ("0:2", "961eca9f57cf3a404505c944f84d0bb544d52130a0dfe69d56537bf8179cc710"),
    ("0:3_32_2_67108864", "961eca9f57cf3a404505c944f84d0bb544d52130a0dfe69d56537bf8179cc710"),
    ("1:2", "d41fda7688d16f53da6b6fcb4500c1ca1599b261a2248a76002d0cc082e59d00"),
    ("1:3_32_2_67108864", "d41fda7688d16f53da6b6fcb4500c1ca1599b261a2248a76002d0cc082e59d00"),
    ("2:3_32_2_67108864", "0eb8807e336dbe145c86aabd46d69f518d81f0c718964aa9b854a6184f219c65"),
    ("0:1:2", "21f4c768cd8a96386c3d900c667b17687de9709f59fd29a4cfda19ac919dc473"),
    ("0:1:3_32_2_67108864", "21f4c768cd8a96386c3d900c667b17687de9709f59fd29a4cfda19ac919dc473"),
    ("0:2:3_32_2_67108864", "7d5245579ed2a68640f3e7d9afa5f019f9c76bfaf56a7b7dd5a0440f4430e13c"),
    ("1:2:3_32_2_67108864", "e23b30eb041160c5a93611536aa84ab2ab84a61c5f2015d1ce6d505664708721"),
    ("0:1:2:3_32_2_67108864", "0310cce1772dd3e91abf42c50717e2ba6dd836fdc01c7f45e7ec09fbf996d7ae"),
    ("0", "afc94c0e22b783c3db512836d7e8040e"),
    ("1", "4b734a7353441b13046f74da524c0169697d71816d612a07f599664e0097d359"),
    ("2", "01bde1c2e414c222383edb066b56dc0d4daea0c6f7bd6a2784904128d10d905c"),
    ("3_32_2_67108864", "01bde1c2e414c222383edb066b56dc0d4daea0c6f7bd6a2784904128d10d905c"),
];

const MAGENTO_SALT: &str = "abcdEFGHijklMNOPqrstUVWXyz012345";

#[test]
fn magento_does_one_function_after_the_other() {
    let site = Site::of(&[]);
    for (chain, digest) in MAGENTO {
        let hash = format!("{digest}:{MAGENTO_SALT}:{chain}");
        site.assert_verifies(&hash, &[], "Grün&Blau-7");
    }
    let (_, digest) = MAGENTO[0];
    for chain in ["1:1", "3_32_2_1048576", "4", "1:4", "2:1"] {
        let hash = format!("{digest}:{MAGENTO_SALT}:{chain}");
        site.assert_unknown(&hash, &[]);
    }
}

/// By Python's hashlib: SHA-256 of salt and `Grün&Blau-7`, of each salt.
const SALTED: &[(&str, &str)] = &[
    ("abcdefgh", "8e3163f51262068848c967edb72eb729ed550be0aba30e48b070d054819dee4c"),
    (
        r"\x9f00ff1080c3280a7e55aa0102030405",
        "2485b7e6e4600a5d685a5090e600236d170290b80549ee2e9bedd0ead9a74e33",
    ),
    (r"\x00616263", "46ff554ddc6cdff715023e8105342540be79456a386f33b758fd8361477e5616"),
    (r"\x61626300", "4864500c911f1a975307997216518bd9532b937463c9b13bf0f5687df8cdacf9"),
    (r"\xdeadbeef", "28d4ef1a86229f390aca53b2fa0f457b0cd8d4bb846fa4334096d74da07200d7"),
    (r"\x6bc3a47365", "4a9213483fabba8dede1bc7878bf59b4a6b0e0d8538790ed31a0fbc5535049f6"),
    ("", "c640506300d93d1f17227b1bdf466b3d925b546b1bc81853fab10c3aa8e8aa0f"),
];

#[test]
fn a_salt_of_bytes_is_used_as_it_is() {
    let site = Site::of(&["ours: <hash:hex> := concat(salt,_)|sha256"]);
    for (salt, hash) in SALTED {
        site.assert_verifies(hash, &[("salt", salt)], "Grün&Blau-7");
    }
}

#[test]
fn what_a_form_reads_as_digits_and_a_column_holds_as_bytes_is_unknown() {
    let site = Site::of(&["ours: <hash:hex> := pbkdf2-sha256((salt|unhex),1000,32)"]);
    for (salt, hash) in SALTED.iter().filter(|(salt, _)| salt.starts_with('\\')) {
        site.assert_unknown(hash, &[("salt", salt)]);
    }
}

#[test]
fn blanks_at_the_end_of_a_salt_may_be_a_part_of_it_or_not() {
    let site = Site::of(&["ours: <hash:hex> := concat(salt,_)|sha256"]);
    // The site's driver gives what a column of fixed length is filled up with, or does not.
    let (padded, bare) = (
        "65c1c3355785959c7ff62ecac230a965b2be4524b786764f42096470a2a12273",
        "91a121bde763aa8148c35b6a4208259d3fd78c20eacd480e68e3955e156b09a4",
    );
    for hash in [padded, bare] {
        site.assert_verifies(hash, &[("salt", "abc       ")], "Grün&Blau-7");
    }
    let site = Site::of(&["gitea"]);
    let columns = [("salt", "01020304  "), ("algorithm", "pbkdf2$10000$50     ")];
    site.assert_verifies(GITEA[0].2, &columns, "abcdef");
}

#[test]
fn a_new_salt_has_the_form_of_the_one_before() {
    let site = Site::of(&["ours: <hash:hex> := concat(salt,_)|sha256"]);
    for (salt, hash) in SALTED.iter().copied().chain([
        ("abc       ", "65c1c3355785959c7ff62ecac230a965b2be4524b786764f42096470a2a12273"),
        ("abc       ", "91a121bde763aa8148c35b6a4208259d3fd78c20eacd480e68e3955e156b09a4"),
    ]) {
        let old = StoredHash::from_columns(Some(hash.to_owned()), &[("salt", salt)]).unwrap();
        let Verdict::Match { reading, .. } = site.verdict(hash, &[("salt", salt)], "Grün&Blau-7")
        else {
            panic!("{salt}");
        };
        let new = [Secret::from(&b"new"[..])];
        let made = site.0.imitate(&old, Some(reading), &new[0], &Counting::default()).unwrap();
        let made_salt = made.column("salt").unwrap();
        assert_eq!(made_salt.len(), salt.len(), "{made_salt:?}");
        assert_eq!(made_salt.ends_with(' '), salt.ends_with(' '), "{made_salt:?}");
        assert!(salt.is_empty() || made_salt != salt);
        assert!(matches!(site.0.verify(&made, &new).verdict, Verdict::Match { .. }), "{salt}");
    }
}

#[test]
fn a_part_of_the_hash_is_not_the_column_of_the_same_name() {
    let site = Site::of(&["ours: <hash:hex> := concat(salt,_)|sha256"]);
    // By Django, before the site had another way.
    let django = "pbkdf2_sha256$1000$seasalt$y2BG7PD5BxcaIiqPr9hXzcczWIWSC49fjktp7keNtmE=";
    site.assert_verifies(django, &[("salt", "another"), ("n", "7")], "Grün&Blau-7");
}

#[test]
fn a_hash_in_which_the_password_has_no_part_matches_nobody() {
    let malformed = Verdict::Unverified(Unverified::Malformed);
    let site = Site::of(&["cut: <hash:hex> := concat(salt,_)|first(4)|md5"]);
    // Kratos: the MD5 of `salt`, and of `x`, as its text has it.
    for hash in [
        "$md5$pf=e1NBTFR9$c2FsdA==$zrIHcuDJ0kDHXrJrDjer7g==",
        "$md5$pf=eA==$c2FsdA==$ndTkYSaMgDT1yFZOFVxnpg==",
    ] {
        for password in ["abcdef", "{PASSWORD}"] {
            assert_eq!(site.verdict(hash, &[], password), malformed, "{hash}");
        }
    }
    // The MD5 of a salt of four bytes, and of one of three with the first of the password's.
    let salt = |salt| [("salt", salt)];
    assert_eq!(
        site.verdict("ceb20772e0c9d240c75eb26b0e37abee", &salt("salt"), "abcdef"),
        malformed
    );
    site.assert_verifies("ceb20772e0c9d240c75eb26b0e37abee", &salt("sal"), "tbcdef");
}
