//! What can go wrong.

use clap::ValueEnum;

/// A class of faults; each can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Fault {
    /// A worker dies.
    Crash,
    /// A worker stands still for longer than its lease.
    Pause,
    /// The site's replica is behind.
    Lag,
    /// A COMMIT on the store is not answered, or never arrives.
    LostStore,
    /// A COMMIT on the site is not answered, or never arrives.
    LostSite,
    /// Clocks are set forward or back.
    Clock,
    /// People choose new passwords.
    Person,
    /// The site hashes passwords anew when people sign in.
    Rehash,
    /// Operators halt a campaign, or all, and take it up again.
    Halt,
    /// Operators close a halted campaign.
    Close,
    /// The relay puts off, refuses an address, or breaks before the dot.
    Relay,
    /// The relay's answer to the dot is lost.
    LostMail,
    /// The relay refuses whatever comes from us, for a while.
    RelayRefusesUs,
    /// The witness falls silent for a while, or its answers are lost.
    Witness,
    /// The store is put back as it was, while everybody is away.
    Restore,
    /// The campaign halts by itself when few notices are refused.
    Threshold,
}

/// How often what goes wrong is which of these.
pub(crate) const WEIGHTS: &[(Fault, usize)] = &[
    (Fault::Crash, 4),
    (Fault::Pause, 3),
    (Fault::Lag, 3),
    (Fault::Clock, 1),
    (Fault::Person, 3),
    (Fault::Rehash, 2),
    (Fault::Halt, 3),
    (Fault::Close, 1),
    (Fault::Restore, 1),
];

/// Moments at which being killed, held up or overtaken hurts most.
pub(crate) const HOT: &[&str] = &[
    "addresses_claimed",
    "sealing_intended",
    "witness_asked",
    "witness_answered",
    "swap_taken",
    "swap_judged",
    "swap_passed",
    "site_begin",
    "site_committed",
    "site_commit_failed",
    "hashes_swapped",
    "sessions_ended",
    "notice_begun",
    "smtp_begin",
    "smtp_data",
    "smtp_dot",
    "notice_delivered",
];

/// Those of a run.
#[derive(Debug, Clone)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(only: &[Fault], without: &[Fault]) -> Self {
        let all = Fault::value_variants().iter().copied();
        let is_in =
            |fault: &Fault| (only.is_empty() || only.contains(fault)) && !without.contains(fault);
        Self(all.filter(is_in).collect())
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }
}
