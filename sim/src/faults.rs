//! What can go wrong.

use clap::ValueEnum;

use crate::dice::Dice;

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
    /// Somebody edits the store's rows. Few runs have it, unless it is asked for by name.
    Editor,
    /// A standby takes the store's place, and may not have all of it. As rare.
    Failover,
    /// A host that is armed is away from when the store was backed up until it is put back: its sending
    /// file knows of nothing that is lost. As rare.
    Absence,
}

/// Faults that would hide most others if each run had them.
const RARE: &[Fault] = &[Fault::Editor, Fault::Failover, Fault::Absence];

/// In how many thousandths of the runs one of these goes wrong.
const RARE_PERMILLE: u64 = 250;

/// So that what is rare has a die of its own: chosen so that seeds recorded before have none of it.
const RARE_SALT: u64 = 0x7261_728f;

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

/// Those that may go wrong.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    list: Vec<Fault>,
    /// Whether they were asked for by name: then each run has a rare one of them.
    is_chosen: bool,
}

impl Faults {
    pub(crate) fn new(only: &[Fault], without: &[Fault]) -> Self {
        let all = Fault::value_variants().iter().copied();
        let is_in =
            |fault: &Fault| (only.is_empty() || only.contains(fault)) && !without.contains(fault);
        Self { list: all.filter(is_in).collect(), is_chosen: !only.is_empty() }
    }

    /// Those of one run: of the rare ones one at most. Then the store is put back only if it is for
    /// that: whoever is away has to come home to it.
    pub(crate) fn of_run(&self, seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ RARE_SALT);
        let rare: Vec<_> = RARE.iter().copied().filter(|fault| self.has(*fault)).collect();
        let is_rare = self.is_chosen || dice.happens(RARE_PERMILLE);
        let rare = (is_rare && !rare.is_empty()).then(|| *dice.pick(&rare));
        let is_in = |fault: &Fault| match rare {
            Some(rare) if RARE.contains(fault) => *fault == rare,
            Some(rare) => *fault != Fault::Restore || rare == Fault::Absence,
            None => !RARE.contains(fault),
        };
        let list = self.list.iter().copied().filter(is_in).collect();
        Self { list, is_chosen: self.is_chosen }
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.list.contains(&fault)
    }
}
