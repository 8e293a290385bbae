//! The ways on which campaigns move.

/// The states in which accounts are sealed and people told.
pub(super) const RUNNING: &[&str] = &["canary", "soak", "ramp"];

/// All ways, but for those between two states in which a campaign runs.
const WAYS: &[(&str, &[&str])] = &[
    ("draft", &["frozen", "closed"]),
    ("frozen", &["signed", "draft", "closed"]),
    ("signed", &["canary", "draft", "closed"]),
    ("canary", &["done", "halted"]),
    ("soak", &["done", "halted"]),
    ("ramp", &["done", "halted"]),
    ("done", &["halted", "closed"]),
    ("halted", &["halted", "canary", "soak", "ramp", "closed"]),
];

pub(super) fn is_way(from: &str, to: &str) -> bool {
    if runs(from) && runs(to) {
        return from != to;
    }
    WAYS.iter().any(|(start, ends)| *start == from && ends.contains(&to))
}

/// Freezing and halting: no signature of before counts any more.
pub(super) fn raises_round(from: &str, to: &str) -> bool {
    freezes(from, to) || to == "halted"
}

pub(super) fn freezes(from: &str, to: &str) -> bool {
    matches!((from, to), ("draft", "frozen") | ("halted", "halted"))
}

pub(super) fn takes_signatures(from: &str, to: &str) -> bool {
    match from {
        "frozen" => to == "signed",
        "signed" | "halted" => runs(to),
        _ => false,
    }
}

fn runs(state: &str) -> bool {
    RUNNING.contains(&state)
}
