//! Arbitrary bytes as a leak: no panic, every line accounted for, and any cut into pieces gives
//! what the whole gives.
#![no_main]

use std::{io::Cursor, sync::LazyLock};

use leak::{
    AccountIndex, Compression, Hit, IndexBuilder, PieceScreening, ScreenError, Screened, pieces,
    screen_piece, screen_reader,
};
use libfuzzer_sys::fuzz_target;
use model::{AccountId, Tally};

fuzz_target!(|input: (u8, &[u8])| {
    let (size, text) = input;
    let (hits, screened) = read_all(screen_reader(text, &*ACCOUNTS));
    check(text, &hits, &screened);
    // Pieces of up to a kilobyte, or so many small ones that they meet each edge.
    let size = u64::from(size) + 1;
    let size = if text.len() > 64 { size * 4 } else { size };
    assert_eq!(in_pieces_of(size, text), (hits, screened.tally));
});

/// Short identifiers, so that arbitrary bytes soon find them.
static ACCOUNTS: LazyLock<AccountIndex> = LazyLock::new(|| {
    let mut builder = IndexBuilder::default();
    for (id, email, username) in [
        ("1", Some("a@b"), Some("a")),
        ("2", Some("A@B"), Some("\"c\"")),
        ("3", Some("a|b@c"), None),
        ("4", Some("d@gmail.com"), Some("é")),
        ("5", Some("e@ü"), Some("a:b")),
    ] {
        builder.add(&AccountId::new(id).expect("not empty"), email, username);
    }
    builder.build()
});

fn read_all(screening: Result<PieceScreening<'_>, ScreenError>) -> (Vec<Hit>, Screened) {
    let mut screening = screening.expect("memory can be read");
    let batches = screening.by_ref().map(|batch| batch.expect("memory can be read"));
    let hits = batches.flat_map(|batch| batch.hits).collect();
    (hits, screening.finish().expect("every line is accounted for"))
}

fn check(text: &[u8], hits: &[Hit], screened: &Screened) {
    let tally = screened.tally.clone().balanced().expect("every line is accounted for");
    let newlines = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
    let plain = !matches!(text, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0x1f, 0x8b, ..])
        && !matches!(text, [0x28, 0xb5, 0x2f, 0xfd, ..] | [_, 0x2a, 0x4d, 0x18, ..]);
    let open_end = u64::from(text.last().is_some_and(|&byte| byte != b'\n'));
    assert!(!plain || tally.lines == newlines + open_end);
    let mut lines: Vec<_> = hits.iter().map(|hit| (hit.line, hit.offset)).collect();
    assert!(lines.is_sorted());
    lines.dedup();
    assert_eq!(lines.len() as u64, tally.hits);
    for found in hits.iter().filter(|_| plain) {
        let line = &text[found.offset as usize..][..found.length as usize];
        assert!(!line.contains(&b'\n') && !found.secrets.is_empty());
    }
}

fn in_pieces_of(size: u64, text: &[u8]) -> (Vec<Hit>, Tally) {
    let (mut hits, mut tally) = (Vec::new(), Tally::default());
    for piece in pieces(text.len() as u64, Compression::Plain, size) {
        let (found, screened) = read_all(screen_piece(Cursor::new(text), &piece, &*ACCOUNTS));
        hits.extend(found.into_iter().map(|hit| Hit { line: hit.line + tally.lines, ..hit }));
        tally += &screened.tally;
    }
    (hits, tally)
}
