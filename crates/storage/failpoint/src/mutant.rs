//! Faults of the past that a simulation puts back, to see that it finds them.

/// Their names, each with what is wrong.
pub const MUTANTS: &[(&str, &str)] = &[
    ("judged_by_replica", "a swap that was left is judged by the connection that reads"),
    ("old_is_changed", "a swap that was never made is taken for its owner's change"),
    ("other_is_changed", "a password that the site hashed anew is taken for its owner's change"),
    ("no_pass", "the site's change is committed without asking once more"),
    ("pass_before_lock", "an attempt is let through before it holds the site's row"),
    ("taken_after_look", "a swap is taken over after the site's row was looked at"),
    ("other_is_undone", "whoever was let through and holds another password was never sealed"),
    ("gate_at_claim_only", "a halt is not seen any more once addresses are claimed"),
    ("pass_in_any_round", "an intent of an earlier round is let through in this one"),
    ("close_untold", "a campaign is closed while people are sealed and not told"),
    ("threshold_since_start", "a campaign that is resumed counts from its start"),
    ("fresh_before_unsettled", "others are sealed before those from before a halt are told"),
    ("inflight_requeued", "a notice found in flight is sent again"),
    ("lost_is_put_off", "an answer lost after the dot is taken for a mail put off"),
    ("every_no_is_final", "whatever a relay refuses for good is about the recipient"),
    ("witness_unasked", "a host sends by a store of which no witness knows how far it had come"),
    ("any_database", "a host that was armed sends on by whatever database it finds"),
    ("campaign_row_believed", "a campaign goes on by its row, whatever the log says of it"),
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
