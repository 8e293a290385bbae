use futures_util::TryStreamExt as _;
use model::{AccountId, FileId, LeakId, RejectReason, RejectSample, Tally};
use sql::Constraint;
use store::{JobKind, LocatedReject, NewCandidate, NewPiece, StoreError, Tx, Work};

use crate::support::{TestStore, account, broken, candidate, leak, leak_in_pieces, take};

/// Lines of the pieces of two files. A piece within one long line has none.
const LINES: [&[u64]; 2] = [&[3, 0, 5, 1], &[2, 4]];

on_both! {
    a_candidates_line_is_counted_through_all_pieces_before_it,
    lines_are_numbered_only_when_all_are_counted,
    other_leaks_keep_their_numbers,
    a_lost_line_is_refused,
    tallies_add_up_by_file_and_by_leak,
    a_file_that_is_not_read_to_its_end_is_not_complete,
    samples_of_rejects_say_where_they_stand,
    an_account_is_a_candidate_by_one_line_once,
    a_candidate_belongs_to_the_leak_of_its_piece,
    accounts_are_ordered_by_their_bytes,
    candidates_come_back_in_bulk_and_are_dropped,
}

async fn a_candidates_line_is_counted_through_all_pieces_before_it(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, files) = leak_of_two(&mut tx).await;
    while let Some(lease) = next(&mut tx, leak).await {
        let lines = LINES[index(&files, lease.1.file)][place(lease.1.start)];
        let found = (1..=lines).map(|line| candidate("a", line, lease.1.start + line));
        screened(&mut tx, leak, &lease.0, lines, found.collect()).await;
    }
    tx.number_lines(leak).await.unwrap();
    let (a, b) = (account("a"), account("b"));
    let found = tx.candidates_between(leak, &a, &b).await.unwrap();
    let lines: Vec<_> = found.iter().map(|found| (found.file, found.line)).collect();
    let expected = |n: usize| {
        let (file, all) = (files[n], LINES[n].iter().sum());
        (1..=all).map(move |line| (file, line))
    };
    assert_eq!(lines, expected(0).chain(expected(1)).collect::<Vec<_>>());
}

async fn lines_are_numbered_only_when_all_are_counted(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 2).await;
    let mut tx = store.tx().await;
    let (held, _) = next(&mut tx, leak).await.unwrap();
    screened(&mut tx, leak, &held, 4, vec![candidate("a", 4, 60)]).await;
    let error = tx.number_lines(leak).await.unwrap_err().to_string();
    assert_eq!(error, "leak 1 has 1 pieces that are not screened yet");
    let unnumbered = tx.candidates_between(leak, &account("a"), &account("a")).await;
    assert!(unnumbered.is_err());
}

async fn other_leaks_keep_their_numbers(store: TestStore) {
    let done = leak_in_pieces(&store, "Done", 1).await;
    let open = leak_in_pieces(&store, "Open", 1).await;
    let mut tx = store.tx().await;
    let (held, _) = next(&mut tx, done).await.unwrap();
    screened(&mut tx, done, &held, 1, Vec::new()).await;
    tx.number_lines(done).await.unwrap();
    assert!(matches!(tx.number_lines(open).await, Err(StoreError::PiecesOpen { open: 1, .. })));
    tx.commit().await.unwrap();
    let numbered = store.ask::<(Option<i64>,)>("SELECT first_line FROM piece ORDER BY job").await;
    assert_eq!(numbered, [(Some(1),), (None,)]);
}

async fn a_lost_line_is_refused(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let (held, _) = next(&mut tx, leak).await.unwrap();
    let tally = Tally { lines: 3, hits: 2, ..Tally::default() };
    let error = tx.record_screened(held.job, &tally, true, &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unbalanced(_)), "{error}");
}

async fn tallies_add_up_by_file_and_by_leak(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, files) = leak_of_two(&mut tx).await;
    assert_eq!(tx.summary(leak).await.unwrap().tally, Tally::default());
    let mut expected = vec![Tally::default(); 2];
    let mut n = 0;
    while let Some((held, piece)) = next(&mut tx, leak).await {
        n += 1;
        let tally = tally(n);
        let broke_off = piece.file == files[1] && piece.start > 0;
        tx.finish(&held).await.unwrap();
        tx.record_screened(held.job, &tally, !broke_off, &[]).await.unwrap();
        expected[index(&files, piece.file)] += &tally;
    }
    let by_file = tx.file_tallies(leak).await.unwrap();
    let [one, two] = expected.try_into().unwrap();
    let mut all = one.clone();
    all += &two;
    assert_eq!(by_file, [(files[0], one, true), (files[1], two, false)]);
    let summary = tx.summary(leak).await.unwrap();
    assert_eq!((summary.tally.rejects.total(), summary.tally.lines), (21 + 2 * 21, 21 * 16));
    assert_eq!((summary.tally, summary.incomplete_files), (all, vec!["two".to_owned()]));
    assert_eq!((summary.pieces.done, summary.pieces.open), (6, 0));
}

async fn a_file_that_is_not_read_to_its_end_is_not_complete(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 2).await;
    let mut tx = store.tx().await;
    let (held, piece) = next(&mut tx, leak).await.unwrap();
    screened(&mut tx, leak, &held, 1, Vec::new()).await;
    let tally = Tally { lines: 1, misses: 1, ..Tally::default() };
    assert_eq!(tx.file_tallies(leak).await.unwrap(), [(piece.file, tally, false)]);
    let summary = tx.summary(leak).await.unwrap();
    assert!(summary.incomplete_files.is_empty(), "it may still be read to its end");
}

async fn samples_of_rejects_say_where_they_stand(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 2).await;
    let mut tx = store.tx().await;
    let sample =
        |line, offset| RejectSample { reason: RejectReason::NoDelimiter, line, offset, length: 9 };
    for samples in [vec![sample(2, 40), sample(3, 50)], vec![sample(1, 110)]] {
        let (held, _) = next(&mut tx, leak).await.unwrap();
        tx.finish(&held).await.unwrap();
        tx.record_screened(held.job, &tally(1), true, &samples).await.unwrap();
    }
    assert_eq!(tx.reject_samples(leak, 10).await.unwrap(), []);
    tx.number_lines(leak).await.unwrap();
    let found = tx.reject_samples(leak, 10).await.unwrap();
    let located = |line, offset| {
        let RejectSample { reason, length, .. } = sample(0, 0);
        LocatedReject { file: FileId(1), reason, line, offset, length }
    };
    assert_eq!(found, [located(2, 40), located(3, 50), located(17, 110)]);
    assert_eq!(tx.reject_samples(leak, 2).await.unwrap(), found[..2]);
}

async fn an_account_is_a_candidate_by_one_line_once(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let (held, _) = next(&mut tx, leak).await.unwrap();
    let both = [candidate("a", 1, 0), candidate("b", 1, 0), candidate("a", 2, 25)];
    tx.add_candidates(leak, held.job, both).await.unwrap();
    assert_eq!(tx.candidate_count(leak).await.unwrap(), 3);
    let again = tx.add_candidates(leak, held.job, [candidate("a", 1, 0)]).await;
    assert_eq!(broken(again), Constraint::Unique);
}

async fn a_candidate_belongs_to_the_leak_of_its_piece(store: TestStore) {
    let one = leak_in_pieces(&store, "One", 1).await;
    let other = leak_in_pieces(&store, "Other", 1).await;
    let mut tx = store.tx().await;
    let (held, _) = next(&mut tx, one).await.unwrap();
    let wrong = tx.add_candidates(other, held.job, [candidate("a", 1, 0)]).await;
    assert_eq!(broken(wrong), Constraint::ForeignKey);
}

async fn accounts_are_ordered_by_their_bytes(store: TestStore) {
    let ids = ["10", "9", "A", "Z", "a", "a b", "aa", "z", "~", "ä", "é", "Ω", "😀"];
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let (held, _) = next(&mut tx, leak).await.unwrap();
    let twice = ids.iter().rev().flat_map(|id| [candidate(id, 1, 0), candidate(id, 2, 9)]);
    screened(&mut tx, leak, &held, 2, twice.collect()).await;
    tx.number_lines(leak).await.unwrap();
    let found: Vec<AccountId> = tx.candidate_accounts(leak).try_collect().await.unwrap();
    let found: Vec<_> = found.iter().map(AccountId::as_str).collect();
    assert!(ids.is_sorted());
    assert_eq!(found, ids);
    for from in 0..ids.len() {
        let (first, last) = (account(ids[from]), account("é"));
        let between = ids[from..].iter().filter(|id| **id <= "é").count();
        let found = tx.candidates_between(leak, &first, &last).await.unwrap();
        assert_eq!(found.len(), between * 2, "from {first}");
    }
}

async fn candidates_come_back_in_bulk_and_are_dropped(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let (held, _) = next(&mut tx, leak).await.unwrap();
    let many = (1..=2000).map(|n| candidate(&format!("{n:04}"), n, n * 30));
    screened(&mut tx, leak, &held, 2000, many.collect()).await;
    tx.number_lines(leak).await.unwrap();
    let (from, to) = (account("0500"), account("1499"));
    let found = tx.candidates_between(leak, &from, &to).await.unwrap();
    assert_eq!(found.len(), 1000);
    let expected = candidate("0500", 500, 15_000);
    assert_eq!(found[0].account, expected.account);
    assert_eq!((found[0].line, found[0].offset), (expected.line, expected.offset));
    assert_eq!((found[0].tier, found[0].length), (expected.tier, expected.length));
    assert_eq!(found[0].sealed, expected.sealed);
    assert_eq!(tx.drop_candidates_between(leak, &from, &to).await.unwrap(), 1000);
    assert_eq!(tx.candidates_between(leak, &from, &to).await.unwrap(), []);
    assert_eq!(tx.summary(leak).await.unwrap().candidates, 1000);
}

/// Two files, cut into the pieces that [`LINES`] speaks of; the second file's come first, so that
/// the order of the jobs is not the order of the lines.
async fn leak_of_two(tx: &mut Tx) -> (LeakId, Vec<FileId>) {
    let (leak, files) = leak(tx, "Example", &["one", "two"]).await;
    let pieces = |file: usize| {
        let file_id = files[file];
        (0..LINES[file].len() as u64).rev().map(move |n| NewPiece {
            file: file_id,
            start: n * 100,
            end: n * 100 + 100,
        })
    };
    tx.add_pieces(leak, &pieces(1).chain(pieces(0)).collect::<Vec<_>>()).await.unwrap();
    (leak, files)
}

async fn next(tx: &mut Tx, leak: LeakId) -> Option<(store::Lease, store::Piece)> {
    let counts = tx.job_counts(JobKind::Screen, leak).await.unwrap();
    if counts.open == 0 {
        return None;
    }
    let lease = take(tx, JobKind::Screen, leak).await;
    match lease.work {
        Work::Screen(piece) => Some((lease, piece)),
        Work::Verify(_) => panic!("a piece was asked for"),
    }
}

/// Ends a piece of so many lines with these candidates.
async fn screened(
    tx: &mut Tx,
    leak: LeakId,
    held: &store::Lease,
    lines: u64,
    found: Vec<NewCandidate>,
) {
    let lines_hit =
        found.iter().map(|candidate| candidate.line).collect::<std::collections::HashSet<_>>();
    let hits = lines_hit.len() as u64;
    let tally = Tally { lines, hits, misses: lines - hits, ..Tally::default() };
    tx.finish(held).await.unwrap();
    tx.record_screened(held.job, &tally, true, &[]).await.unwrap();
    tx.add_candidates(leak, held.job, found).await.unwrap();
}

/// Sixteen lines, `n` times over, of every sort.
fn tally(n: u64) -> Tally {
    let mut tally =
        Tally { lines: 16 * n, hits: 4 * n, misses: 8 * n, blank: n, ..Tally::default() };
    tally.rejects.add(RejectReason::NoDelimiter, 2 * n);
    tally.rejects.add(RejectReason::Nul, n);
    tally
}

fn index(files: &[FileId], file: FileId) -> usize {
    files.iter().position(|other| *other == file).unwrap()
}

fn place(start: u64) -> usize {
    usize::try_from(start / 100).unwrap()
}
