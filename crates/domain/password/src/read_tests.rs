//! What texts are read as, and what is refused.

use model::{HashFormat, StoredHash, Unverified, Verdict};
use proptest::prelude::*;

use crate::{
    CostLimits, HashForms, MakeHashError, Verifier,
    samples::{Counting, PASSWORD, SAMPLES, hash, secret},
};

/// Small enough that whatever a mutation leaves readable is verified at once.
const CHEAP: CostLimits = CostLimits {
    bcrypt_cost_max: 5,
    argon2_memory_kib_max: 1024,
    argon2_passes_max: 9,
    argon2_lanes_max: 9,
    pbkdf2_iterations_max: 999,
    digest_rounds_max: 9999,
    scrypt_log_n_max: 6,
    scrypt_r_max: 64,
    scrypt_p_max: 9,
};

fn verifier(limits: CostLimits) -> Verifier {
    Verifier::new(limits, HashForms::known())
}

fn recognised(text: &str) -> Result<HashFormat, Unverified> {
    verifier(CostLimits::default()).recognise(&hash(text))
}

fn format_of(text: &str) -> Option<HashFormat> {
    verifier(CostLimits::default()).verify(&hash(text), &[]).format
}

#[test]
fn every_sample_is_recognised() {
    for (format, text) in SAMPLES {
        assert_eq!(recognised(text), Ok(format.parse().unwrap()), "{text}");
        assert_eq!(format_of(text), Some(format.parse().unwrap()), "{text}");
    }
}

#[test]
fn what_nobody_writes_is_unknown() {
    for text in [
        "pbkdf2_sha512$10$salt$AAAA",
        "plain text, even a caf\u{e9}",
        "$argon2$v=19$m=64,t=1,p=2$c2FsdHNhbHQ$AAAA".replace("argon2", "argun2").as_str(),
        "!never$seen$before",
    ] {
        assert_eq!(recognised(text), Err(Unverified::UnknownFormat), "{text}");
        assert_eq!(format_of(text), None, "{text}");
    }
}

#[test]
fn a_shape_that_many_share_is_recognised_by_nobody() {
    for text in [
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "5f4dcc3b5aa765d61d8327deb882cf99:salt",
        // A salt of vBulletin's that looks like a number of Magento's.
        "5f4dcc3b5aa765d61d8327deb882cf99:x:0",
        // DES, or a password as it is; ASP.NET's second version, or any 49 bytes.
        "abJnggxhB/yWI",
        "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==",
    ] {
        assert_eq!(recognised(text), Err(Unverified::UnknownFormat), "{text}");
        assert!(format_of(text).is_some());
    }
}

#[test]
fn a_known_beginning_with_a_broken_rest_is_malformed() {
    let argon2 = "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ";
    let digest = "Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU";
    let bcrypt = "FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6";
    for text in [
        // No digest, or not all of it: an empty one would match every password.
        &format!("{argon2}$"),
        argon2,
        &format!("{argon2}$Qk9V8Q"),
        "$pbkdf2-sha256$i=10$c2FsdHNhbHRzYWx0$",
        "$scrypt$ln=4,r=4,p=2$eA9BiBHCuBfCeG8NAQBg7A$",
        &format!("$2b$04${}", &bcrypt[..52]),
        "md5$salt$",
        "md5$dM6GSctsIEFqrf1Iu1unmG$972D566960920E1DA4BB7F6554623",
        // Parameters that nobody writes, or that contradict each other.
        &format!("{argon2}${digest}").replace("v=19", "v=18"),
        &format!("{argon2}${digest}").replace("m=64", "m=8"),
        &format!("{argon2}${digest}").replace("t=1", "t=0"),
        &format!("{argon2}${digest}").replace("m=64", "m=+64"),
        &format!("$2b$4${bcrypt}"),
        &format!("$2b$03${bcrypt}"),
        &format!("$2b$+4${bcrypt}"),
        "$pbkdf2-sha256$i=10,l=31$c2FsdHNhbHRzYWx0$T5ntHrMeTVVhQwCgYSRARwbo5kY5rWvmc9vYRay6Xa8",
        "$pbkdf2-sha256$ten$$9G9n5oRqgTIs7YsfjezZJGLxRda3pKEq9hxw.1BvAOo",
        // Text cut in the middle of a character.
        "$7$22....0...\u{e9}",
        &format!("$2b$04$FnTFtrDgRpaMMaDYnZOIw\u{e9}{}", &bcrypt[22..]),
    ] {
        assert_eq!(recognised(text), Err(Unverified::Malformed), "{text}");
        assert!(format_of(text).is_some(), "{text}");
    }
    assert_eq!(recognised(&format!("$2$04${bcrypt}")), Err(Unverified::UnsupportedVariant));
}

#[test]
fn what_enters_a_function_beside_the_password_must_be_known() {
    let (head, rest) =
        ("$argon2id$v=19$m=64,t=1,p=2", "QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU");
    for more in ["keyid=AA", "data=AAAA", "keyid=AA,data=AAAA"] {
        let found = recognised(&format!("{head},{more}${rest}"));
        assert_eq!(found, Err(Unverified::UnknownFormat), "{more}");
    }
}

#[test]
fn digits_in_capitals_and_padded_base64_mean_the_same() {
    // By argon2-cffi and Python's hashlib.
    for text in [
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdHNhbHQ=$PDtIgLV25ftCuRTyzPee5Y/2wTI6lhhB8pzyeHUUuGM=",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdHNhbHQ$PDtIgLV25ftCuRTyzPee5Y/2wTI6lhhB8pzyeHUUuGM",
        "md5$salt$0BAFB0C1EE2DC9137D746D08F835224E",
        "sha1$salt$A108AC2967303F97CB210282DD38B351CBF29A15",
        "sha256$salt$96ff957e80955fa42754c98d060489a6945490daebac9109d8ff4cd5b919519f",
    ] {
        let verifier = verifier(CHEAP);
        let found = verifier.verify(&hash(text), &[secret(PASSWORD)]).verdict;
        let Verdict::Match { reading, .. } = found else { panic!("{text}: {found:?}") };
        assert_eq!(verifier.verify(&hash(text), &[secret(b"new")]).verdict, Verdict::NoMatch);
        let made =
            verifier.imitate(&hash(text), Some(reading), &secret(b"new"), &Counting::default());
        let made = made.unwrap().text().to_owned();
        let is_padded = |text: &str| text.ends_with('=');
        assert_eq!((made.len(), is_padded(&made)), (text.len(), is_padded(text)), "{text}");
    }
}

#[test]
fn what_asks_for_too_much_is_never_tried() {
    let digest = "Qk9V8Qv817iaIM5rE9IRVHzIhIHvdwiU";
    let argon2 = |costs: &str| format!("$argon2id$v=19${costs}$QmitVYqxdk6JUeq9V0pprQ${digest}");
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
        &format!("$scrypt$ln=262144,r=8,p=1$c2FsdA${digest}"),
        &format!("$scrypt$ln=4,r=33,p=1$c2FsdA${digest}"),
        &format!("$scrypt$ln=4,r=8,p=11$c2FsdA${digest}"),
        "$7$z6..../....salt$E1rwN9bZhhTmSZyTp0zAMkAG3Jhmqgdt/RbfaL1kdZA",
        &format!("$pbkdf2-sha256$i=10000001$c2FsdA${digest}"),
        "$shiro1$SHA-256$10000001$h4S+9gYM1L8YSaKIqQHl5g==$UX/OaNrP1mG4AhUX/OaNrP1mG4AhUX/OaNrP1mG4Ahg=",
    ] {
        assert_eq!(recognised(text), Err(Unverified::TooExpensive), "{text}");
        assert!(format_of(text).is_some(), "{text}");
    }
}

#[test]
fn an_endless_text_is_malformed() {
    let endless = format!("md5${}$972d566960920e1da4bb7f655462304c", "s".repeat(2000));
    assert_eq!(recognised(&endless), Err(Unverified::Malformed));
}

#[test]
fn what_no_column_of_text_can_hold_is_not_made() {
    let made = |like: &str, password: &[u8]| {
        let verifier = verifier(CostLimits::default());
        let made = verifier.imitate(&hash(like), None, &secret(password), &Counting::default());
        made.map(|made| made.expose().to_owned())
    };
    assert_eq!(made("{PLAIN}abc", b"\xff"), Err(MakeHashError::VerifiedOnly.into()));
    assert_eq!(made("{PLAIN}abc", b"de"), Ok("{PLAIN}de".to_owned()));
    // Three bytes need no padding, and one does.
    assert_eq!(made("{PLAIN.B64}YWJj", b"a"), Ok("{PLAIN.B64}YQ==".to_owned()));
}

#[test]
fn no_description_works_without_end() {
    for steps in ["times(60,(concat(_,_)))|md5", "times(60,(hex))|md5"] {
        let entry = format!("mine: <hash:hex> := {steps}");
        let forms = HashForms::of_site([entry.as_str()], None).unwrap();
        let verifier = Verifier::new(CostLimits::default(), forms);
        let long = secret(&b"x".repeat(10_000));
        let found = verifier.verify(&hash("5f4dcc3b5aa765d61d8327deb882cf99"), &[long]).verdict;
        assert_eq!(found, Verdict::Unverified(Unverified::TooExpensive), "{steps}");
    }
}

fn salted(text: &str, salt: &str) -> StoredHash {
    StoredHash::from_columns(Some(text.to_owned()), &[("salt", salt)]).unwrap()
}

/// What a site's salts in a column are, and the password's hash with each, by Python's hashlib.
const BYTES_AND_TEXT: [&str; 2] = [
    "da3433fb07bb14670299cb4ce08737250a08350cdbac3af9dca86ba6c98ead87",
    "5ea87476f10f18f1acb102a6d0dc72cdf179adf3636dea8a4e8f7bf5ed2f4acf",
];

#[test]
fn a_salt_that_looks_like_bytes_may_be_a_text() {
    let forms = || HashForms::of_site(["mine: <hash:hex> := concat(salt,_)|sha256"], None).unwrap();
    let verifier = Verifier::new(CHEAP, forms());
    for (text, stands_for) in BYTES_AND_TEXT.into_iter().zip(["bytes", "text"]) {
        let salted = salted(text, r"\x00ff10");
        let verdict = |password| verifier.verify(&salted, &[secret(password)]).verdict;
        assert!(matches!(verdict(b"secret"), Verdict::Match { .. }), "{stands_for}");
        assert_eq!(verdict(b"other"), Verdict::NoMatch);
    }
}

/// By Python's hashlib: the salts are `AB` and `\x4142`.
#[test]
fn a_salt_that_looks_like_the_bytes_of_a_text_may_be_either() {
    let forms = || HashForms::of_site(["mine: <hash:hex> := concat(salt,_)|sha256"], None).unwrap();
    let verifier = Verifier::new(CHEAP, forms());
    for (place, text) in [
        "6e863eefab4aa28f0a033991e8bf4981a63348ece31260e3115f0020a2ad1306",
        "a53952bc29d471a44f1ddac3d15a30bdcb72ee9c84a458cbe8555a4be90ebe60",
    ]
    .into_iter()
    .enumerate()
    {
        let salted = salted(text, r"\x4142");
        let found = verifier.verify(&salted, &[secret(b"secret")]).verdict;
        let Verdict::Match { reading, .. } = found else { panic!("{place}: {found:?}") };
        assert_eq!(verifier.verify(&salted, &[secret(b"other")]).verdict, Verdict::NoMatch);
        let made = verifier
            .imitate(&salted, Some(reading), &secret(b"new"), &Counting::default())
            .unwrap();
        assert_ne!(made.column("salt"), salted.column("salt"));
        let found = verifier.verify(&made, &[secret(b"new")]).verdict;
        assert!(matches!(found, Verdict::Match { .. }), "{place}: {found:?}");
    }
}

/// What sites with such a database hash, by Python's hashlib: SMF with a name, and others with a salt.
#[test]
fn a_name_or_salt_may_be_hashed_in_windows_1252() {
    let forms = HashForms::of_site(["smf", "mine: <hash:hex> := concat(salt,_)|sha256"], None);
    let verifier = Verifier::new(CHEAP, forms.unwrap());
    for (text, column, value) in [
        ("aebe58062077cb905e0cd184cb24bff07766ab0f", "user", "M\u{dc}LLER\u{20ac}"),
        ("12535d03d09986a4da08a1b0c3bdb2da19453259", "user", "M\u{dc}LLER\u{20ac}"),
        ("63a05fed56930c9f2a6877a5692b8e658f9463574404bf319aed90c58781ff93", "salt", "gr\u{fc}n"),
        ("7db48c8bcb0fb3cd94fc6f58714543239dc502ea44243330320b3cbdfe03c84e", "salt", "gr\u{fc}n"),
    ] {
        let hash = StoredHash::from_columns(Some(text.to_owned()), &[(column, value)]).unwrap();
        let verdict = |password| verifier.verify(&hash, &[secret(password)]).verdict;
        assert!(matches!(verdict(b"secret"), Verdict::Match { .. }), "{text}");
        assert_eq!(verdict(b"other"), Verdict::NoMatch);
    }
}

#[test]
fn a_salt_stands_before_or_behind_the_password() {
    let verifier = verifier(CHEAP);
    for digest in [
        "74277eaeca322020426e340ce92529d9a8beac5f3824fc05dc099ef139bf03e7",
        "d912282c217f48acfdbe0dd1493c16bf51c7ca3177070ff797bfc266f7b889fa",
    ] {
        let salted = hash(&format!("sha256$nacl${digest}"));
        let verdict = verifier.verify(&salted, &[secret(b"secret")]).verdict;
        assert!(matches!(verdict, Verdict::Match { .. }), "{digest}");
    }
}

/// As programs in Go may write it.
#[test]
fn argon2_with_little_salt_is_not_computed() {
    let written = "$argon2id$v=19$m=64,t=1,p=2$c2FsdA$Qk9V8Qv817iaIM5rE9IRVHzIhIHvcWbXo2cmGs8pGzA";
    assert_eq!(recognised(written), Err(Unverified::UnsupportedVariant));
    let forms = HashForms::of_site(["mine: <hash:hex> := argon2id(salt,64,1,2,32)"], None).unwrap();
    let salted = salted(&"ab".repeat(32), "salt");
    let verdict = Verifier::new(CHEAP, forms).verify(&salted, &[secret(b"secret")]).verdict;
    assert_eq!(verdict, Verdict::Unverified(Unverified::UnsupportedVariant));
}

#[test]
fn what_lost_its_end_is_malformed() {
    let argon2 = "$argon2id$v=19$m=64,t=1,p=2$QmitVYqxdk6JUeq9V0pprQ$Qk9V8Qv817iaIM5rE9IRVHzIhIHv";
    assert_eq!(recognised(argon2), Err(Unverified::Malformed));
    let firebase =
        "$fbscrypt$v=1,n=4,r=8,p=1,ss=AAAA,sk=AAAAAAAAAAAAAAAAAAAAAAAA$AAAA$AAAAAAAAAAAAAAAA";
    let verdict = verifier(CHEAP).verify(&hash(firebase), &[secret(b"secret")]).verdict;
    assert_eq!(verdict, Verdict::Unverified(Unverified::Malformed));
}

/// By slappasswd, Dovecot and Spring Security.
#[test]
fn a_salt_that_lost_its_end_is_malformed() {
    for whole in [
        "{SSHA}gLaG+S5weQ8bgOQP9/lrwPpLgNt0+o78",
        "{SSHA256}IVEMkpE0OCVQvXnW87gfE8tGBcKAzuA0wV9i4/NMEXw0jgpDZdpASA==",
        "{SSHA384}3D3Nc1FNM2GYTJMgC14BLuU5AskNH3jmDG3ah/3QMa2GXBcktFU4a+szTEptZodbFWQM/7hjt5w=",
        "{SSHA512}ASYO+dZJQlpMaQQ3jbFnkq3yOId/bNo3tTEtvElQcIDdHNbUbH+VhjBSzuugJgJ//fHdi+rlFFZx0ohQbU7XFNsD/c4=",
        "{SMD5}RaqW5o1z5tbvLF9NOSpcD8kKNvI=",
        "{APR1}A+XvZoPdSiAlByhRRLPxB1BmdVpCSXpk",
        "{SSHA.B64}gLaG+S5weQ8bgOQP9/lrwPpLgNt0+o78",
        "{ldap}{SSHA}7DhZ30AJXwyrGjfMSfpTP1PhvwvCwE5bM/tm4Q==",
    ] {
        assert!(recognised(whole).is_ok(), "{whole}");
        for cut in 1..=3 {
            let cut = &whole[..whole.len() - cut];
            assert_eq!(recognised(cut), Err(Unverified::Malformed), "{cut}");
        }
    }
}

#[test]
fn a_key_that_is_not_coded_as_it_should_be_is_no_reason_for_no_match() {
    let entry = "mine: <hash:hex> := hmac-sha1((key|unbase64))";
    let verdict = |key: &[u8]| {
        let forms = HashForms::of_site([entry], Some(secret(key))).unwrap();
        let hash = hash("0f2b3d0c7c8b0a4f6d5e7f3a1b2c3d4e5f607182");
        Verifier::new(CHEAP, forms).verify(&hash, &[secret(b"secret")]).verdict
    };
    assert_eq!(verdict(b"AAAA"), Verdict::NoMatch);
    assert_eq!(verdict(b"not base64"), Verdict::Unverified(Unverified::Malformed));
}

fn verifies_without_panic(text: &str) {
    if let Some(hash) = StoredHash::from_column(Some(text.to_owned())) {
        let verifier = verifier(CHEAP);
        let _ = verifier.verify(&hash, &[secret(b"secret")]);
        let _ = verifier.recognise(&hash);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_makes_it_panic(sample in 0..SAMPLES.len(), rest in any::<String>()) {
        verifies_without_panic(&rest);
        let beginning: String = SAMPLES[sample].1.chars().take(8).collect();
        verifies_without_panic(&format!("{beginning}{rest}"));
    }

    #[test]
    fn no_mutation_makes_it_panic(
        sample in 0..SAMPLES.len(),
        places in prop::collection::vec((any::<prop::sample::Index>(), "[$,=.+/0-9a-z\u{e9}]?"), 1..4),
    ) {
        let mut text: Vec<String> = SAMPLES[sample].1.chars().map(String::from).collect();
        for (place, character) in places {
            *place.get_mut(&mut text) = character;
        }
        verifies_without_panic(&text.concat());
    }
}
