use exposure::{AccountsRead, ExposureCounts};

use crate::output::{Sheet, grouped};

/// What to do with a leak that was verified in other forms than those of today.
pub(super) const ONCE_MORE: &str = "register the leak's files once more (`countersign leak add --again --name ANOTHER ..`), \
     screen and verify that";

/// The first lines of a summary whose "not exposed" is not to be believed: what could not be judged, and
/// what to do.
pub(super) fn could_not_judge<'a>(
    sheet: &mut Sheet,
    (counts, read): (&ExposureCounts, &AccountsRead),
    unread: impl Iterator<Item = &'a str>,
) {
    const WHAT: &str = "COULD NOT JUDGE";
    if !counts.are_accounts_judged() {
        let (some, all) = (grouped(counts.outcomes.unverified), grouped(counts.outcomes.total()));
        let how = "`--output FILE` lists them, and docs/hashes.md says how to name their form in the \
                   configuration (`countersign.toml` in this folder, or `--config FILE`)";
        sheet.row(WHAT, format!("{some} of {all} accounts in a leak: {how}"));
    }
    if read.has_no_password() {
        let why = "no account has a password: is `directory.columns.hash` where the hashes are?";
        sheet.row(WHAT, why);
    } else if !read.is_judged() {
        let (some, all) = (grouped(read.unreadable), grouped(read.accounts));
        let why = "cannot be read whole, and may be named by what cannot: `countersign doctor` says which";
        sheet.row(WHAT, format!("{some} of {all} accounts {why}"));
    }
    if !counts.are_forms_todays() {
        let (some, all) = (grouped(counts.in_other_forms), grouped(counts.outcomes.total()));
        let since = "accounts in a leak: `directory.hash` was changed since they were tried";
        sheet.row(WHAT, format!("{some} of {all} {since}")).row("  what to do", ONCE_MORE);
    }
    for leak in unread {
        let why = "broke off, or most of its lines are no records";
        sheet.row(WHAT, format!("the leak {leak}: it {why}"));
    }
}

/// The accounts that were looked for.
pub(super) fn accounts_read(sheet: &mut Sheet, read: &AccountsRead) {
    sheet.row("accounts", grouped(read.accounts));
    sheet.part("without a password", read.without_password);
    if read.unreadable > 0 {
        sheet.part("that cannot be read whole", read.unreadable);
    }
}

/// Which of those that are not exposed were tried in a form that nobody has proved.
pub(super) fn without_proof(sheet: &mut Sheet, counts: &ExposureCounts) {
    for (shape, accounts) in &counts.without_proof {
        sheet.part(format!("WITHOUT PROOF, {shape}"), *accounts);
    }
    if !counts.without_proof.is_empty() {
        let why = "in a wrong form nobody is exposed: `countersign verify calibrate` proves it; \
                   `--output FILE` lists them";
        sheet.row("    what to do", why);
    }
}

/// Lines of an export that are shown. All are in the answer of `--json`.
const UNREAD_LINES_SHOWN: usize = 20;

/// What is wrong with lines of an export, as far as people read that.
pub(super) fn unread_lines(sheet: &mut Sheet, what: &str, lines: &[String]) {
    for line in lines.iter().take(UNREAD_LINES_SHOWN) {
        sheet.row(what, line);
    }
    if lines.len() > UNREAD_LINES_SHOWN {
        let left = (lines.len() - UNREAD_LINES_SHOWN) as u64;
        sheet.row(what, format!("{} lines more: `--json` names them", grouped(left)));
    }
}
