//! crypt(3)'s families and phpass's against hashes of other software.

use model::Unverified::{self, Malformed, TooExpensive};
use proptest::prelude::*;

use super::{
    des_crypt, family::Family, md5_crypt, parsed::ParsedHash, phpass, scratch::Scratch, sha_crypt,
    sha1_crypt, sun_md5, yescrypt,
};
use crate::{CostLimits, MakeHashError, limits::REHASHED_SECRET_BYTES_MAX, samples::PASSWORD};

type Stored = ParsedHash<Box<dyn Family>>;

type NativeReader = fn(&str) -> Result<Stored, Unverified>;

/// The first that fits decides.
const READERS: &[(&str, NativeReader)] = &[
    ("$1$", |text| Ok(boxed(md5_crypt::read(text)?))),
    ("$apr1$", |text| Ok(boxed(md5_crypt::read(text)?))),
    ("$5$", |text| Ok(boxed(sha_crypt::read(text)?))),
    ("$6$", |text| Ok(boxed(sha_crypt::read(text)?))),
    ("$sha1$", |text| Ok(boxed(sha1_crypt::read(text)?))),
    ("$md5", |text| Ok(boxed(sun_md5::read(text)?))),
    ("$y$", |text| Ok(boxed(yescrypt::read(text)?))),
    ("$gy$", |text| Ok(boxed(yescrypt::read(text)?))),
    ("$P$", |text| Ok(boxed(phpass::read(text)?))),
    ("$H$", |text| Ok(boxed(phpass::read(text)?))),
    ("$S$", |text| Ok(boxed(phpass::read(text)?))),
    ("_", |text| Ok(boxed(des_crypt::read_bsdi(text)?))),
    ("", |text| Ok(boxed(des_crypt::read_unix(text)?))),
];

fn boxed<F: Family + 'static>(stored: ParsedHash<F>) -> Stored {
    stored.boxed()
}

fn read(text: &str) -> Result<Stored, Unverified> {
    let (_, reader) = READERS.iter().find(|(prefix, _)| text.starts_with(prefix)).unwrap();
    let stored = reader(text)?;
    if stored.method.exceeds(&CHEAP) { Err(TooExpensive) } else { Ok(stored) }
}

/// Enough for every vector, and no more.
const CHEAP: CostLimits = CostLimits {
    bcrypt_cost_max: 0,
    argon2_memory_kib_max: 0,
    argon2_passes_max: 0,
    argon2_lanes_max: 0,
    pbkdf2_iterations_max: 0,
    digest_rounds_max: 100_000,
    scrypt_log_n_max: 12,
    scrypt_r_max: 32,
    scrypt_p_max: 4,
};

fn matches(text: &str, secret: &[u8]) -> Result<bool, MakeHashError> {
    let stored = read(text).unwrap();
    let mut derived = vec![0; stored.digest.len()];
    stored.method.derive(secret, &stored.salt, &mut derived, &mut Scratch::default())?;
    Ok(derived == *stored.digest)
}

const GERMAN: &[u8] = "Grün&Blau-7".as_bytes();

const WAX: &[u8] = b"Wachs-Kerze 42";

const DIGITS: &[u8] =
    "0123456789012345678901234567890123456789012345678901234567890123456789äöü-Ende".as_bytes();

const LETTERS: &[u8] =
    b"AbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghijAbcdefghij";

const LATIN: &[u8] = b"caf\xe9\x80\xff";

const EIGHT: &[u8] = b"12345678";

const NINE: &[u8] = b"12345678\x80";

/// Of libxcrypt 4.4, `mkpasswd`, `htpasswd`, PostgreSQL's pgcrypto, passlib 1.7, WordPress, phpBB
/// and Drupal; the words in English without a capital are hashcat's.
const VECTORS: &[(&[u8], &str)] = &[
    (GERMAN, "$y$j9T$d3Myr9fVSKTZO39e.KBIX1$AUm17oXg7L13vrkmWfpUMytw8K5FAIp9oSb0HzyEkJ1"),
    (GERMAN, "$gy$j9T$ufeQ8ydIXbH9K9iB/Qcq11$EY.MY2oBcTFGlVhR0rJVeJrlcDsxzVb1aj8RCBrLPbA"),
    (
        GERMAN,
        "$6$D6ZBm/dQf190B07n$6PglDHeYDinZCl5Fj3tYHlrlKdqpeJEWx11Lb4YsO1PTNfsMhVWoifnKNYJ/njscOfxeERa0Djfb4lh/Ao4kd1",
    ),
    (GERMAN, "$5$dpHO/Mm7Vnl7US95$RsFacEsLGokaEO3KBXVX9eoCEfKMxGJySJVls7TcL02"),
    (GERMAN, "$md5,rounds=82361$2CeROxva$$iKyA7.4OTOq7kmkP8cpOL0"),
    (GERMAN, "$1$R0dX90Mc$Jlw33x04W.d/jESV2Y1rk/"),
    (GERMAN, "_J9..ZWsWQQlLBjxbGPo"),
    (GERMAN, "3eOj6PoMa3FeU"),
    (GERMAN, "$1$a99cY3Bp$mvChhUyw7.NUYMD.04mrt0"),
    (GERMAN, "xQhQz7JpfdUUY"),
    (GERMAN, "_J9..XRTSzdT8JJPfvao"),
    (b"hashcat", "24leDr0hHfb3A"),
    (b"hashcat", "_GW..8841inaTltazRsQ"),
    (
        b"hashcat",
        "$6$72820166$U4DVzpcYxgw7MVVDGGvB2/H5lRistD5.Ah4upwENR5UtffLR4X4SxSzfREv8z6wVl0jRFX40/KnYVvK4829kD1",
    ),
    (GERMAN, "$apr1$5nw2g.MX$V2IN5jcHRqr73FNF9dFzf."),
    (GERMAN, "$apr1$mybOa2v2$7FySQ4Nv2tTV5qLL2e.Gn0"),
    (WAX, "$apr1$PGLVAq1T$A.YZ6kt4TB8M.SuQJcoHo1"),
    (GERMAN, "$1$BecydCDR$QwuJgG.zjwItL1ItmkV.t1"),
    (GERMAN, "$sha1$1000$22xYDnm5$1QyNb2W1izxtmgqPr.hqBeTrbx08"),
    (GERMAN, "$5$rounds=1000$3HGF49NSIpxxsx2y$q1mOURIkN38wSGpNPt.VdyJ9ibfUNeNpjgA1Gl9nSsA"),
    (
        GERMAN,
        "$6$rounds=1000$XFHrmBpVHxa/AqOh$yxPXCoG.esWRpOnDKB4iv3Ea1bKv6SzmB8wcdNkQR5GOQwzjUzFq5nMAAB/kuZ2VJFC34tM.TTvuoWNbx0jrt1",
    ),
    (GERMAN, "$md5,rounds=1000$Zef2q3dI$$bX.coKpcf6JKGv4Y75X1T1"),
    (GERMAN, "dVGzUuHBhRqGo"),
    (GERMAN, "_dD..WJ40.OLeQ4RBNtU"),
    (GERMAN, "$P$BA5U9y04pALrWG7Eum2cIXNGbwIoxv1"),
    (DIGITS, "$P$BT7Jf3g/2gtn4wIojsLgCnHpKmbfCd."),
    (WAX, "$H$911egy/W6fmByIrw/IW.NwIz3X/I4H."),
    (GERMAN, "$S$7aBcDeF9/m92iqgOvH0k6CoMzYw6WdVUzZ77LlzUfeuHFLZzbqfu"),
    (DIGITS, "$S$7aBcDeF9/TIDZCqTImwCaZiB8l7Z.Tw3YCntOOQ4ldeTSPb0/b72"),
    (
        GERMAN,
        "$6$95oRrjw/$kIQn1lyItrge7hQjPDaVwd9GFg2Vp9Fs1EPWBM9DJ3cMHvfTrhfn2Q17izXAxCiuGSBIR/KWuOwutzG7WKHx1/",
    ),
    (
        "Grün&Blau-7PEP".as_bytes(),
        "$6$rounds=10000$Abcdefgh12345678$RUx.Jq4/gMK.eDmHnidUFcanYWn0H/.K57MUP8Q4.THrEmdQVbkO4XAC9jCe4BIFk7PlP3Sx2RQmLDJam.ai9/",
    ),
    (b"0cf87a048d3a30ba640168a857d9bd39", "$H$9YdHTbgqo.lnAN1h4cGt73scFbZgTx."),
    (
        b"255ef65673622e83a2a759a6ba452497",
        "$S$7aBcDeF9/i2MB1.dd76FMtULpWQs7.nIs.S2Ng7chbL73JFfHr1Z",
    ),
    (PASSWORD, "$1$$MU.0v1gvPE7wBoLX3z9wN/"),
    (PASSWORD, "$1$abcdefgh$4VJcu7URAbznXZORLRW6V/"),
    (b"", "$1$abcdefgh$M55TzYaaccxVGbptZWaxX/"),
    (PASSWORD, "$1$a-b_c#~$rN2vcJnL07N.h.7UEfTkq1"),
    (LETTERS, "$1$a-b_c#~$K05p/kurc0u8iNWC9estr."),
    (PASSWORD, "$5$$HSe6cTukfHdO1FLke1O.bD8VjS8mqMt2nIAbfvRgV7A"),
    (LATIN, "$5$$C11CvLDKISb/UXYIPtfsxpd5fzHd4Qe19CuLPMAEMN3"),
    (PASSWORD, "$5$saltstring$.qaizqtR6TzdKc0AtCH2maM4nRhwnKR/6yN26Io8x51"),
    (EIGHT, "$5$saltstring$bxo8usuMDyYq4.ip/zOFd5.s0OVIcI/V3vV0VJTGbEA"),
    (PASSWORD, "$5$rounds=1000$a-b_c#~$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/"),
    (NINE, "$5$rounds=1000$a-b_c#~$LONTB4bJqsBSFaWE76LmOS/XNfulRssHXDJmBysMfkD"),
    (
        PASSWORD,
        "$6$$tlflMpNEcYvLVPeT/5wO80d22tae0yc8I035s9GMi8/RSJBH2JnPvDUtrbb8EBBpPA6mFl.mlM9fjPpkZl.8Z/",
    ),
    (
        PASSWORD,
        "$6$rounds=1001$0123456789abcdef$rGMRsvl/5Vxj06mMlL72kWHI.a2hDWPr.jJZgfKSUpLHNiL/tLgNml6zsr6kLX9SvPB.hbVjNWjAHcIRP1Aiw/",
    ),
    (
        b"",
        "$6$rounds=1001$0123456789abcdef$.hVA5UF88nIIMTfxmUPnm5Gp/6G806GCWtHDBDgBqOgaXV/HDE/p.Z8fpdEzpDdpjuI1DA9Jq6FMU4zA/ymWk.",
    ),
    (PASSWORD, "$sha1$1$a$dy9AIiYfMJzoxRy1FNzADogxkMvC"),
    (LETTERS, "$sha1$1$a$.Crmu1HDEqDGGfBAgN7g4tqp9vTX"),
    (PASSWORD, "$sha1$99$saltSALT/.$u5joAkfB.Hxg7UVN9AhlYgVnG1dJ"),
    (LATIN, "$sha1$99$saltSALT/.$dNWTCgqQkMhJAGOddWdIiZMTyxVq"),
    (PASSWORD, "$md5$abc$$5klOME4Rk2C8LuWm1ayTt1"),
    (EIGHT, "$md5$abc$$wu/E3R3vGfnZdBmQL38.n1"),
    (PASSWORD, "$md5$abc$07pJtEXlsE6lvTfSAwQNQ/"),
    (NINE, "$md5$abc$luUqw49yphqRqEl/lbxlk/"),
    (PASSWORD, "$md5,rounds=7$abcdefgh$$CNh.fPoc/pwTf9UyQrt2/."),
    (PASSWORD, "$md5,rounds=7$abcdefgh$3I1DhrtT08HESVWa7U0y80"),
    (b"", "$md5,rounds=7$abcdefgh$LL7YdcNTDAa8uqdeP.n2e1"),
    (PASSWORD, "abwirc53tCB5w"),
    (LETTERS, "abWqviZ0OU.qY"),
    (PASSWORD, "./VTeZ8RKl2Sw"),
    (LATIN, "./StaY5EaRqLE"),
    (PASSWORD, "zzvFb5CFpCOhw"),
    (EIGHT, "zzRtj6pNdfpLE"),
    (PASSWORD, "_/...abcdWV2XngV46KE"),
    (NINE, "_/...abcdc57yQ4f8aVw"),
    (PASSWORD, "_J9..zzzzesGgg5PlwUg"),
    (PASSWORD, "_5...././DqXK.hyd5gI"),
    (b"", "_5...././mPEDWvmQOSs"),
    (PASSWORD, "$y$j75$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA"),
    (LETTERS, "$y$j75$abcd$CoMk2.uf5j3RZGgKEBdP8eevcutg.q1Gb/zh0U9JGk1"),
    (PASSWORD, "$y$j75.0$0123456789abcdefghijk.$cwi.zf0nhN3vSqeMXXsQOs/W3gmNQUTrGVIKRJYWLpD"),
    (LATIN, "$y$j75.0$0123456789abcdefghijk.$fBEplFdcQarC6Q3DAGBnOJJaml5MW/KjgbItqz8.vj."),
    (PASSWORD, "$y$j85$$st1si3QZmEPr7VaLwtskmWWcb/OPT/E9Ra5P/eJabB0"),
    (EIGHT, "$y$j85$$CgsnIKAVq3UsMM4CADrnk0taB9XfwyDBwC1x7Kv83n6"),
    (PASSWORD, "$y$j75..$abcd$/tsvdELKyYQ1T7KDmHwvao9IUscqqcx3TCdME9YN/cB"),
    (PASSWORD, "$y$j75./$abcd$AKvJ33gbpmX1Ek6bIVP9TDnrYez4WSve3IAkDe.E5P/"),
    (PASSWORD, "$y$j8/./$0123$WCYN61CRHO0nlLVrWplLI0xexO59t1UE3VrHuhywM80"),
    (PASSWORD, "$gy$j75$abcd$ORqEGTz8.A8afwxRg7ziufTIa9puIwhY/PkkRFZ/k85"),
    (NINE, "$gy$j75$abcd$sXPEGwdBH2zbL7b.EG4Ctl0MJ0MpcGFm3mHL34IDoT."),
    (PASSWORD, "$gy$j75.0$$YqYiXA6scFiqfnYNcn/oy2bXGg19tkFEo6nXTglu6UA"),
    (EIGHT, "_J9..zzzzanXi1aZ2CRY"),
    (LETTERS, "_J9..zzzzxa8gvk5bLqk"),
    (PASSWORD, "$apr1$bF8AGseI$Fj4PxV9K/DuuC6m4gJVEG/"),
    (PASSWORD, "$P$5K3nEMGaKPPoZEtGHlOFxiIrNdUDUT1"),
    (b"", "$P$5P4vwEFGP6O/1mTy51MN18A9/dFTNj0"),
    (LATIN, "$H$5qRPFDvQ2272YfSTNd4dOSgRX/gAVA/"),
    (LETTERS, "$H$54VKrXoi7XgFDybVuACDxbmJBCm0DP1"),
    (b"", "$apr1$H5XjjZ4j$115wS/I7nFJeWAQx6zSNw0"),
    (LETTERS, "$apr1$cjlzi.ij$wADB3iVIWEH/p0fU4P6OI."),
    (PASSWORD, "$S$5saltSALTJmmdb6SdvvSkVvIWn67p452HHQiuqHMgL/NvRc4roql"),
];

#[test]
fn hashes_of_other_software_match_their_password_and_no_other() {
    for (password, text) in VECTORS {
        assert_eq!(matches(text, password), Ok(true), "{text}");
        assert_eq!(matches(text, &[b"x", *password].concat()), Ok(false), "{text}");
        let shouted = password.to_ascii_uppercase();
        assert_eq!(matches(text, &shouted), Ok(shouted == *password), "{text}");
    }
}

#[test]
fn encoding_gives_back_what_was_read() {
    for (_, text) in VECTORS {
        let stored = read(text).unwrap();
        assert_eq!(&stored.method.encode(&stored.salt, &stored.digest), text);
    }
}

#[test]
fn what_is_made_in_the_form_of_another_verifies() {
    for (_, text) in VECTORS {
        let Stored { method, mut salt, mut digest } = read(text).unwrap();
        let other = method.salt_alphabet().unwrap_or(b"salt");
        salt.iter_mut().zip(other.iter().rev().cycle()).for_each(|(salt, other)| *salt = *other);
        method.derive(b"new", &salt, &mut digest, &mut Scratch::default()).unwrap();
        let made = method.encode(&salt, &digest);
        assert_eq!(made.len(), text.len());
        assert_eq!(matches(&made, b"new"), Ok(true), "{made}");
        assert_eq!(matches(&made, b"now"), Ok(false), "{made}");
    }
}

#[test]
fn crypt_hashes_no_secret_with_a_nul_byte_and_others_do() {
    for (_, text) in VECTORS {
        let others = ["$P$", "$H$", "$S$", "$2"].iter().any(|prefix| text.starts_with(prefix));
        let expected = if others { Ok(false) } else { Err(MakeHashError::Nul) };
        assert_eq!(matches(text, b"a\0b"), expected, "{text}");
    }
    // Of PHP, as phpass and Drupal call it.
    assert_eq!(matches("$P$5saltSALTGcRFjuThUbD0D6M3pbD/C/", b"a\0b"), Ok(true));
    let drupal = "$S$5saltSALTqE1GF0Kh7k2gqnXeAbJtI2dQzwImtMw2407wynrq0uE";
    assert_eq!(matches(drupal, b"a\0b"), Ok(true));
}

#[test]
fn what_hashes_the_secret_again_and_again_takes_none_that_is_endless() {
    for (_, text) in VECTORS {
        let again = ["$5$", "$6$", "$P$", "$H$", "$S$"].iter().any(|known| text.starts_with(known));
        let expected = if again { Err(MakeHashError::TooLong) } else { Ok(false) };
        assert_eq!(matches(text, &[b'a'; REHASHED_SECRET_BYTES_MAX + 1]), expected, "{text}");
    }
}

#[test]
fn the_oldest_reads_seven_bits_of_eight_bytes() {
    let unix = "zzRtj6pNdfpLE";
    assert_eq!(matches(unix, b"12345678 and more"), Ok(true));
    assert_eq!(matches(unix, b"\xb12345678"), Ok(true));
    assert_eq!(matches(unix, b"1234567"), Ok(false));
    let bsdi = "_J9..zzzzanXi1aZ2CRY";
    assert_eq!(matches(bsdi, b"\xb12345678"), Ok(true));
    assert_eq!(matches(bsdi, b"12345678 and more"), Ok(false));
}

#[test]
fn of_a_salt_that_is_too_long_the_beginning_is_read() {
    let cut = "$6$rounds=1001$0123456789abcdef$rGMRsvl/5Vxj06mMlL72kWHI.a2hDWPr.jJZgfKSUpLHNiL/tLgNml6zsr6kLX9SvPB.hbVjNWjAHcIRP1Aiw/";
    let long = cut.replace("abcdef$", "abcdefgh$");
    let stored = read(&long).unwrap();
    assert_eq!(stored.method.encode(&stored.salt, &stored.digest), cut);
    assert_eq!(matches(&long, PASSWORD), Ok(true));
    assert_eq!(matches("$1$abcdefghij$4VJcu7URAbznXZORLRW6V/", PASSWORD), Ok(true));
}

#[test]
fn ldap_keeps_the_digest_of_md5_crypt_and_the_salt_behind_it() {
    let known = [
        ("$apr1$", "A+XvZoPdSiAlByhRRLPxB1BmdVpCSXpk"),
        ("$1$", "Fwy6BqOs628SUUsavz60lmo2Uy9kNG9T"),
    ];
    for (magic, text) in known {
        let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
        let (digest, salt) = bytes.split_at(16);
        assert_eq!(md5_crypt::raw(GERMAN, salt, magic), digest);
    }
}

#[test]
fn mysql_has_a_salt_of_bytes() {
    let body = "bTy95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGV/";
    let salt = b"\xf9\xcc\x98\xce\x08\x89)$\xf5\x0a!;k\xc5q\xa2\xc1\x17x\xc5";
    let digest = sha_crypt::raw256(b"hashcat", salt, 5000);
    assert_eq!(sha_crypt::body256(&digest), body);
    assert_eq!(sha_crypt::read_body256(body), Ok(digest.to_vec()));
}

#[test]
fn what_real_software_would_not_take_is_malformed() {
    for text in [
        // No digest, or not all of it, or too much.
        "$1$abcdefgh$",
        "$1$abcdefgh",
        "$1$abcdefgh$4VJcu7URAbznXZORLRW6V",
        "$1$abcdefgh$4VJcu7URAbznXZORLRW6V//",
        "$5$saltstring$.qaizqtR6TzdKc0AtCH2maM4nRhwnKR/6yN26Io8x5",
        "$6$saltstring$.qaizqtR6TzdKc0AtCH2maM4nRhwnKR/6yN26Io8x51",
        "$sha1$1$a$dy9AIiYfMJzoxRy1FNzADogxkMv",
        "$md5$abc$",
        "$md5$abc$$",
        "$y$j75$abcd$",
        "$P$5K3nEMGaKPPoZEtGHlOFxiIrNdUDUT",
        "$S$5saltSALTJmmdb6SdvvSkVvIWn67p452HHQiuqHMgL/NvRc4roq",
        "$S$5saltSALTJmmdb6SdvvSkVvIWn67p452HHQiuqHMgL/NvRc4roqll",
        "_J9..zzzzesGgg5PlwU",
        "abwirc53tCB5wx",
        "",
        // Bits that no digest sets.
        "$1$abcdefgh$4VJcu7URAbznXZORLRW6Vz",
        "$5$saltstring$.qaizqtR6TzdKc0AtCH2maM4nRhwnKR/6yN26Io8x5z",
        "$y$j75$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89Sz",
        "$y$j75$abcz/$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$P$5K3nEMGaKPPoZEtGHlOFxiIrNdUDUTz",
        "_J9..zzzzesGgg5PlwUz",
        "abwirc53tCB5z",
        // A byte that stands there twice and is not the same.
        "$sha1$1$a$dy9AIiYfMJzoxRy1FNzADogxlMvC",
        // Costs that nobody writes, or writes otherwise.
        "$5$rounds=999$a$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/",
        "$5$rounds=1000000000$a$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/",
        "$5$rounds=01000$a$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/",
        "$5$rounds=$a$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/",
        "$5$rounds=1000$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/",
        "$sha1$0$a$dy9AIiYfMJzoxRy1FNzADogxkMvC",
        "$sha1$01$a$dy9AIiYfMJzoxRy1FNzADogxkMvC",
        "$md5,rounds=0$abc$$5klOME4Rk2C8LuWm1ayTt1",
        "$md5,rounds=$abc$$5klOME4Rk2C8LuWm1ayTt1",
        "$md5,$abc$$5klOME4Rk2C8LuWm1ayTt1",
        "$y$j75.$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$y$.75$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$y$j75/.$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$y$j75x$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$y$$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$P$4K3nEMGaKPPoZEtGHlOFxiIrNdUDUT1",
        "$P$TK3nEMGaKPPoZEtGHlOFxiIrNdUDUT1",
        "_....zzzzesGgg5PlwUg",
        // Salts that crypt(3) refuses.
        "$1$abc!efgh$4VJcu7URAbznXZORLRW6V/",
        "$1$abc efgh$4VJcu7URAbznXZORLRW6V/",
        "$6$sält$tlflMpNEcYvLVPeT/5wO80d22tae0yc8I035s9GMi8/RSJBH2JnPvDUtrbb8EBBpPA6mFl.mlM9fjPpkZl.8Z/",
        "$sha1$1$a-b$dy9AIiYfMJzoxRy1FNzADogxkMvC",
        "$sha1$1$$dy9AIiYfMJzoxRy1FNzADogxkMvC",
        "$md5$a-b$$5klOME4Rk2C8LuWm1ayTt1",
        "$md5$$5klOME4Rk2C8LuWm1ayTt1",
        "$md5$$$5klOME4Rk2C8LuWm1ayTt1",
        "a!wirc53tCB5w",
        // Text cut in the middle of a character.
        "aéwirc53tCB5w",
        "_J9..zzzésGgg5PlwUg",
        "$P$5K3nEMGaéPPoZEtGHlOFxiIrNdUDUT1",
    ] {
        assert_eq!(read(text).err(), Some(Malformed), "{text}");
    }
}

#[test]
fn what_asks_for_too_much_is_never_tried() {
    for text in [
        "$5$rounds=100001$a$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/",
        "$5$rounds=99999999999$a$AHTm6RzbS2VeboEvRWIEaWc/khpzrMfuTOBE2EpLKG/",
        "$sha1$4294967295$a$dy9AIiYfMJzoxRy1FNzADogxkMvC",
        "$md5,rounds=95905$abc$$5klOME4Rk2C8LuWm1ayTt1",
        "$md5,rounds=4294967295$abc$$5klOME4Rk2C8LuWm1ayTt1",
        "$y$jAT$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$gy$j9U$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$y$j75.1$abcd$L0Uz1JltHXtrGelJ8rWV6BiirS1JbVL36m4sN3U89SA",
        "$P$SK3nEMGaKPPoZEtGHlOFxiIrNdUDUT1",
        "_zzzzzzzzesGgg5PlwUg",
    ] {
        assert_eq!(read(text).err(), Some(TooExpensive), "{text}");
    }
}

fn verifies_without_panic(text: &str) {
    if let Ok(stored) = read(text) {
        let mut derived = vec![0; stored.digest.len()];
        let made =
            stored.method.derive(b"secret", &stored.salt, &mut derived, &mut Scratch::default());
        assert_eq!(made, Ok(()));
        let again = stored.method.encode(&stored.salt, &stored.digest);
        let read_again = read(&again).unwrap();
        assert_eq!((read_again.salt, read_again.digest), (stored.salt, stored.digest));
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(prefix in 0..READERS.len(), rest in any::<String>()) {
        verifies_without_panic(&format!("{}{rest}", READERS[prefix].0));
    }

    #[test]
    fn no_text_of_fields_makes_it_panic(
        prefix in 0..READERS.len(),
        rest in "[$,=.+/0-9a-z]{0,120}",
    ) {
        verifies_without_panic(&format!("{}{rest}", READERS[prefix].0));
    }

    #[test]
    fn no_mutation_makes_it_panic(
        vector in 0..VECTORS.len(),
        places in prop::collection::vec((any::<prop::sample::Index>(), "[$,=./0-9a-zé]?"), 1..4),
    ) {
        let mut text: Vec<String> = VECTORS[vector].1.chars().map(String::from).collect();
        for (place, character) in places {
            *place.get_mut(&mut text) = character;
        }
        verifies_without_panic(&text.concat());
    }
}
