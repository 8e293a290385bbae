//! Every input that has made a tool of this kind lose or invent a match.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    io::{Cursor, Read},
    path::Path,
};

use leak::{
    AccountIndex, Compression, FilePiece, Hit, IndexBuilder, LeakSource, PieceScreening,
    ScreenError, Screened,
    limits::{HITS_PER_BATCH, LINE_BYTES_MAX, REJECT_SAMPLES_MAX},
    screen_file, screen_piece, screen_reader,
};
use model::{AccountId, RejectReason, Tally, Tier};

/// `account/tier@line+offset secret|secret`, one for each hit, then the tally.
#[track_caller]
fn check(input: impl AsRef<[u8]>, expected: &[&str]) {
    let input = input.as_ref();
    let (hits, screened) = whole(input);
    let mut shown: Vec<_> = hits.iter().map(show).collect();
    shown.push(show_tally(&screened.tally));
    assert_eq!(shown, expected, "{}", input.escape_ascii());
    for size in [1, 2, 3, 5, 8, 64] {
        check_pieces(input, size, &hits, &screened.tally);
    }
}

fn whole(input: &[u8]) -> (Vec<Hit>, Screened) {
    read_all(screen_reader(input, &accounts())).unwrap()
}

fn read_all(
    screening: Result<PieceScreening<'_>, ScreenError>,
) -> Result<(Vec<Hit>, Screened), ScreenError> {
    let mut screening = screening?;
    let batches = screening.by_ref().collect::<Result<Vec<_>, _>>()?;
    let hits = batches.into_iter().flat_map(|batch| batch.hits).collect();
    Ok((hits, screening.finish()?))
}

#[track_caller]
fn check_pieces(input: &[u8], size: usize, expected: &[Hit], expected_tally: &Tally) {
    let (mut hits, mut tally) = (Vec::new(), Tally::default());
    for piece in leak::pieces(input.len() as u64, Compression::Plain, size as u64) {
        let index = accounts();
        let read = read_all(screen_piece(Cursor::new(input), &piece, &index));
        let (found, screened) = read.unwrap();
        hits.extend(found.into_iter().map(|hit| Hit { line: hit.line + tally.lines, ..hit }));
        tally += &screened.tally;
    }
    assert_eq!((&*hits, &tally), (expected, expected_tally), "in pieces of {size}");
}

fn accounts() -> AccountIndex {
    let mut builder = IndexBuilder::default();
    for (id, email, username) in [
        ("anna", "Anna@example.com", None),
        ("bob", "bob@example.com", Some("Bobby")),
        ("obrien", "o'brien@x.com", None),
        ("dots", "jo.hn@gmail.com", None),
        ("plain", "john@gmail.com", None),
        ("mike", "mike@github.example", None),
        ("idn", "info@müller.de", Some("mıke")),
        ("bar", "a|b@x.com", None),
        ("twin1", "twin@x.com", None),
        ("twin2", "TWIN@X.com", Some("a")),
        ("evil", "x@y.com", None),
        ("kim", "kim@x.com", None),
        ("strasse", "strasse@x.com", None),
    ] {
        builder.add(&AccountId::new(id).unwrap(), Some(email), username);
    }
    builder.build()
}

fn show(found: &Hit) -> String {
    let secrets: Vec<_> = found.secrets.iter().map(|secret| escape(secret.expose())).collect();
    let Hit { account, tier, line, offset, .. } = found;
    format!("{account}/{tier}@{line}+{offset} {}", secrets.join("|"))
}

fn escape(secret: &[u8]) -> String {
    secret.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

fn show_tally(tally: &Tally) -> String {
    let Tally { lines, hits, misses, blank, rejects } = tally;
    let rejects = rejects.iter().map(|(reason, count)| format!(" {reason}={count}"));
    format!("{lines}={hits}+{misses}+{blank}{}", rejects.collect::<String>())
}

const MISS: &[&str] = &["1=0+1+0"];

#[test]
fn lines_end_in_many_ways() {
    check("", &["0=0+0+0"]);
    check("anna@example.com:pw", &["anna/exact@1+0 pw", "1=1+0+0"]);
    check("anna@example.com:pw\r\n", &["anna/exact@1+0 pw", "1=1+0+0"]);
    check("x@x:1\nanna@example.com:pw\r", &["anna/exact@2+6 pw", "2=1+1+0"]);
    check("\n \t\r\n\r\nanna@example.com:a\rb\n", &["anna/exact@4+7 a\\rb", "4=1+0+3"]);
    check(
        "anna@example.com:1\nanna@example.com:1\nanna@example.com:1\n",
        &["anna/exact@1+0 1", "anna/exact@2+19 1", "anna/exact@3+38 1", "3=3+0+0"],
    );
}

#[test]
fn identifiers_are_compared_whole_and_unchanged() {
    check("ANNA@Example.com:pw", &["anna/exact@1+0 pw", "1=1+0+0"]);
    check("o'brien@x.com:pw", &["obrien/exact@1+0 pw", "1=1+0+0"]);
    for stranger in [
        "joanna@example.com:pw",
        "x@y.com.evil:pw",
        "xx@y.com:pw",
        "brien@x.com:pw",
        "anna@example_com:pw",
        "mıke@github.example:pw",
        "\u{212a}im@x.com:pw",
        "stra\u{df}e@x.com:pw",
    ] {
        check(stranger, MISS);
    }
}

#[test]
fn domains_have_one_form_and_folded_addresses_are_leads() {
    check("info@xn--mller-kva.de:pw", &["idn/exact@1+0 pw", "1=1+0+0"]);
    check("INFO@MÜLLER.DE:pw", &["idn/exact@1+0 pw", "1=1+0+0"]);
    check("anna+shop@example.com:pw", &["anna/lead@1+0 pw", "1=1+0+0"]);
    let both = ["dots/lead@1+0 pw", "plain/exact@1+0 pw", "1=1+0+0"];
    check("john@gmail.com:pw", &both);
    let both = ["dots/lead@1+0 pw", "plain/lead@1+0 pw", "1=1+0+0"];
    check("j.o.h.n+x@googlemail.com:pw", &both);
    check("an.na@example.com:pw", MISS);
}

#[test]
fn all_accounts_of_an_identifier_are_candidates() {
    let twins = ["twin1/exact@1+0 pw", "twin2/exact@1+0 pw", "1=1+0+0"];
    check("twin@x.com:pw", &twins);
    check("BOBBY;pw", &["bob/username@1+0 pw", "1=1+0+0"]);
    check("mıke:pw", &["idn/username@1+0 pw", "1=1+0+0"]);
    check("mike:pw", MISS);
}

#[test]
fn every_plausible_split_is_kept() {
    check("anna@example.com:pa:ss", &["anna/exact@1+0 pa:ss|pa|ss", "1=1+0+0"]);
    check("anna@example.com:pa;ss", &["anna/exact@1+0 pa;ss|pa|ss", "1=1+0+0"]);
    check(
        "anna@example.com;pa:ss\nbob@example.com\tpw",
        &["anna/exact@1+0 pa:ss|pa|ss", "bob/exact@2+23 pw", "2=2+0+0"],
    );
    let two = ["twin2/lead@1+0 b@x.com:pw|pw|b@x.com", "bar/exact@1+0 pw", "1=1+0+0"];
    check("a|b@x.com:pw", &two);
    let each = ["bob/exact@1+0 anna@example.com", "anna/exact@1+0 bob@example.com", "1=1+0+0"];
    check("bob@example.com:anna@example.com", &each);
    check(
        "bobby:bob@example.com:pw",
        &["bob/exact@1+0 bob@example.com:pw|pw|bob@example.com|bobby", "1=1+0+0"],
    );
    check("anna@example.com::", &["anna/exact@1+0 :", "1=1+0+0"]);
}

#[test]
fn quotes_may_belong_to_the_file() {
    check("\"anna@example.com\":\"pw\"", &["anna/exact@1+0 pw|\"pw\"", "1=1+0+0"]);
    check("'anna@example.com','pw'", &["anna/exact@1+0 pw|'pw'", "1=1+0+0"]);
    check("\"bobby\",\"p\"\"w\"", &["bob/username@1+0 p\"w|\"p\"\"w\"|p\"\"w", "1=1+0+0"]);
    check("\"anna@example.com:pw\"", &["anna/exact@1+0 pw\"|pw", "1=1+0+0"]);
    check("\"anna@example.com\",\"p\nw\"\n", &["anna/exact@1+0 \"p", "2=1+0+0 no_delimiter=1"]);
}

#[test]
fn other_encodings_cost_no_secret() {
    check(b"anna@example.com:caf\xe9", &["anna/exact@1+0 caf\\xe9|caf\\xc3\\xa9", "1=1+0+0"]);
    check(b"ann\xe4@example.com:pw", &["1=0+0+0 encoding=1"]);
    check("ann\u{fffd}@example.com:pw", &["1=0+0+0 encoding=1"]);
    check(b"\xff\xff", &["1=0+0+0 no_delimiter=1"]);
    check("anna@example.com:$HEX[70773a]", &["anna/exact@1+0 pw:|$HEX[70773a]", "1=1+0+0"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_line() {
    check("\u{feff}anna@example.com:pw", &["anna/exact@1+3 pw", "1=1+0+0"]);
    check("\u{feff}", &["1=0+0+1"]);
    check("x:y\n\u{feff}anna@example.com:pw", &["anna/exact@2+4 pw", "2=1+1+0"]);
    let text = b"\xff\xfea\0:\0p\0\n\0B\0o\0b\0b\0y\0:\0\xe9\0";
    check(text, &["twin2/username@1+0 p", "bob/username@2+4 \\xc3\\xa9", "2=2+0+0"]);
}

#[test]
fn nothing_is_dropped_in_silence() {
    check("anna@example.com", &["1=0+0+0 no_secret=1"]);
    check("anna@example.com:", &["1=0+0+0 no_secret=1"]);
    check("a|b@x.com:", &["twin2/lead@1+0 b@x.com:|b@x.com", "1=1+0+0"]);
    check("stranger:\r\n", &["1=0+0+0 no_secret=1"]);
    check(":pw\n \"\":pw\n", &["2=0+0+0 no_identifier=2"]);
    check("anna@example.com:p\0w", &["1=0+0+0 nul=1"]);
    check("\0\n", &["1=0+0+0 nul=1"]);
    let insert = "INSERT INTO u VALUES ('anna@example.com','it\\'s');";
    let (hits, _) = whole(insert.as_bytes());
    assert_eq!(hits[0].secrets[0].expose(), b"it's");
    let (hits, _) = whole(b"a:1:{s:5:\"email\";s:23:\"test@example.com\";}");
    assert_eq!((hits[0].account.as_str(), hits[0].tier), ("twin2", Tier::Lead));
    check("https://h:8443/p:user:pw\nandroid://k@pkg/:u:p", &["2=0+2+0"]);
}

#[test]
fn an_overlong_line_is_one_reject() {
    let fits = "x".repeat(LINE_BYTES_MAX - "bobby:".len());
    let (hits, screened) = whole(format!("bobby:{fits}\nbobby:{fits}x\na:b").as_bytes());
    assert_eq!(show_tally(&screened.tally), "3=2+0+0 overlong=1");
    assert_eq!(hits[1].offset, 2 * LINE_BYTES_MAX as u64 + 3);
    let [sample] = *screened.rejects else { panic!("one reject") };
    assert_eq!((sample.reason, sample.line), (RejectReason::Overlong, 2));
    assert_eq!((sample.offset, sample.length), (65_537, 65_537));
}

#[test]
fn a_line_of_a_gigabyte_is_one_reject_and_takes_no_memory() {
    let line = std::io::repeat(b'x').take(1 << 30);
    let screened = screen_reader(line, &accounts()).unwrap().finish().unwrap();
    assert_eq!(show_tally(&screened.tally), "1=0+0+0 overlong=1");
    assert_eq!(screened.rejects[0].length, 1 << 30);
}

#[test]
fn samples_are_bounded_and_counts_are_not() {
    let (_, screened) = whole(("x\n".repeat(1000) + ":pw").as_bytes());
    assert_eq!(show_tally(&screened.tally), "1001=0+0+0 no_identifier=1 no_delimiter=1000");
    assert_eq!(screened.rejects.len(), REJECT_SAMPLES_MAX + 1);
}

const MEMBERS: &[u8] = include_bytes!("data/members.gz");
const FRAMES: &[u8] = include_bytes!("data/frames.zst");

#[test]
fn members_and_frames_are_read_through() {
    let expected = &["anna/exact@1+0 one", "bob/exact@3+46 three", "5=2+1+1 no_delimiter=1"];
    check(MEMBERS, expected);
    check(FRAMES, expected);
    let skippable = [b"\x50\x2a\x4d\x18\x02\0\0\0ab", FRAMES].concat();
    check(skippable, expected);
}

#[test]
fn utf_16_is_recognised_in_compressed_files_too() {
    let expected = &["anna/exact@1+0 p\\xc3\\xa4ss", "bob/exact@2+24 \\xe2\\x82\\xac", "2=2+0+0"];
    check(include_bytes!("data/utf16.gz"), expected);
    check(include_bytes!("data/utf16be.txt"), expected);
}

#[test]
fn a_broken_member_is_one_reject_and_said_so() {
    for whole_file in [MEMBERS, FRAMES] {
        for length in 5..whole_file.len() {
            check_truncated(&whole_file[..length]);
        }
    }
    let mut corrupt = MEMBERS.to_vec();
    corrupt[MEMBERS.len() / 2 + 15] ^= 0x55;
    check_truncated(&corrupt);
}

/// What comes before the break is screened, and at most one line is lost to it.
#[track_caller]
fn check_truncated(input: &[u8]) {
    let (hits, screened) = whole(input);
    let reasons: Vec<_> = screened.tally.rejects.iter().collect();
    // The first member may be all there is, and then nothing is missing from it.
    if screened.complete {
        assert_eq!(show_tally(&screened.tally), "2=1+1+0", "{}", input.len());
        return;
    }
    assert!(reasons.contains(&(RejectReason::TruncatedMember, 1)), "{reasons:?}");
    assert_eq!(hits.len() as u64, screened.tally.hits);
    check_pieces(input, 7, &hits, &screened.tally);
}

#[test]
fn a_bomb_takes_no_memory() {
    let zeros = std::io::repeat(b'0').take(64 << 20);
    let mut bomb = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(zeros, flate2::Compression::fast());
    encoder.read_to_end(&mut bomb).unwrap();
    assert!(bomb.len() < 1 << 20);
    assert_eq!(show_tally(&whole(&bomb).1.tally), "1=0+0+0 overlong=1");
}

#[test]
fn batches_tell_the_bytes_of_the_piece_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leak.txt");
    std::fs::write(&path, "anna@example.com:pw\n".repeat(100)).unwrap();
    let source = LeakSource::open(&path).unwrap();
    for piece in source.pieces(300) {
        let index = accounts();
        let batches = screen_file(&path, &piece, &index).unwrap();
        let told = batches.map(|batch| batch.unwrap().bytes_read);
        assert_eq!(told.sum::<u64>(), piece.length());
    }
}

#[test]
fn a_piece_ends_however_far_its_last_line_goes_beyond_it() {
    let text = "z:b\n".to_owned() + &"x".repeat(5 << 20) + "\nanna@example.com:pw\n";
    let index = accounts();
    for (range, expected) in [(0..10, "2=0+1+0 overlong=1"), (10..20, "0=0+0+0")] {
        let screening = screen_piece(Cursor::new(&text), &FilePiece::new(range), &index);
        assert_eq!(show_tally(&screening.unwrap().finish().unwrap().tally), expected);
    }
}

#[test]
fn a_batch_is_bounded_and_the_counts_wait_for_the_last() {
    let text = "anna@example.com:pw\n".repeat(3 * HITS_PER_BATCH + 1);
    let index = accounts();
    let mut screening = screen_reader(text.as_bytes(), &index).unwrap();
    let sizes: Vec<_> = screening.by_ref().take(2).map(|batch| batch.unwrap().hits.len()).collect();
    assert!(sizes.iter().all(|size| (1..=HITS_PER_BATCH).contains(size)), "{sizes:?}");
    let lines = screening.finish().unwrap().tally.lines;
    assert_eq!(lines, 3 * HITS_PER_BATCH as u64 + 1);
}

#[test]
fn a_file_that_is_gone_or_has_shrunk_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leak\n.txt");
    let error = screen_error(&path, 0..1);
    assert!(matches!(error, ScreenError::Open(_)));
    assert!(error.to_string().contains("leak\\n.txt"), "{error}");
    std::fs::write(&path, "anna@example.com:pw").unwrap();
    let error = screen_error(&path, 0..20);
    assert!(error.to_string().contains("leak\\n.txt\" has 19 bytes"), "{error}");
}

fn screen_error(path: &Path, range: std::ops::Range<u64>) -> ScreenError {
    screen_file(path, &FilePiece::new(range), &accounts()).err().unwrap()
}

#[test]
fn a_stream_that_fails_is_an_error_and_not_a_truncated_member() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    for start in [&b"anna@example.com:pw\nbob"[..], &MEMBERS[..30], &FRAMES[..30], b"\xff\xfea\0"] {
        let index = accounts();
        let failed = read_all(screen_reader(start.chain(Failing), &index));
        assert!(matches!(failed, Err(ScreenError::Read { .. })), "{failed:?}");
    }
}

#[test]
fn no_secret_is_shown_by_accident() {
    let (hits, screened) = whole(b"anna@example.com:hunter2\nhunter2\n");
    assert!(!format!("{hits:?}{screened:?}").contains("hunter2"));
}
