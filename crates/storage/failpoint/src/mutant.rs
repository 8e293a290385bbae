//! Faults of the past that a simulation puts back, to see that it finds them.

/// Their names, each with what is wrong.
pub const MUTANTS: &[(&str, &str)] = &[
    ("inflight_requeued", "a notice found in flight is sent again"),
    ("lost_is_put_off", "an answer lost after the dot is taken for a mail put off"),
    ("begun_unrecorded", "a mail goes out before it is on record that nobody may send it again"),
];

/// Whether this one is put back.
#[cfg(not(feature = "simulation"))]
#[must_use]
pub const fn is_on(_: &'static str) -> bool {
    false
}

/// Whether this one is put back.
#[cfg(feature = "simulation")]
#[must_use]
pub fn is_on(name: &'static str) -> bool {
    crate::simulated::hook().is_some_and(|hook| hook.is_mutant(name))
}
