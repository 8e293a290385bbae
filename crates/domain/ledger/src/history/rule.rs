//! What must hold of every log, by name.

use std::fmt;

use serde::Serialize;

model::text_enum! {
    /// A rule that the entries of a log keep among themselves.
    pub enum HistoryRule {
        /// An entry can be read, tells what its event needs, and is about a campaign only if it is
        /// one of those that this version knows.
        Readable = "readable",
        /// A log begins with the making of its store, and no other entry makes one.
        Beginning = "beginning",
        /// A campaign is drafted once, before anything else is said of it.
        Drafted = "drafted",
        /// A campaign moves on from where it stands, by a way that there is.
        Moves = "moves",
        /// Freezing and halting raise a campaign's round by one, and nothing else changes it.
        Rounds = "rounds",
        /// A plan is fixed by the entry right after the move that freezes, for its round.
        Plan = "plan",
        /// An operator approves the plan of the present round once, and its author never does. Its
        /// author signs it once, and nobody else does so in their name.
        Approvals = "approvals",
        /// A campaign is signed, started or resumed by two approvals of its present round, and by
        /// its author where the plan asks for that.
        Signed = "signed",
        /// Nothing is intended or begun for a campaign from when the kill switch is pulled until it
        /// is released, and only what is pulled is released.
        KillSwitch = "kill_switch",
        /// Something is intended or begun only for a campaign that runs.
        Running = "running",
        /// A password is taken out of use only where a finding tells of it. A finding is made once.
        Evidence = "evidence",
        /// An account has one open swap at most, whichever campaign or person intends it; a swap's
        /// number is used once.
        OneSwap = "one_swap",
        /// What ends a swap, or takes it over, has its intent before it; a take-over is the next
        /// attempt.
        Intent = "intent",
        /// An account that is settled is not taken up again.
        Settled = "settled",
        /// Only who was sealed chooses another password afterwards; only what was swapped, or may
        /// have been, is put back; only a value that was made is found.
        Aftermath = "aftermath",
        /// An address is done once, unless it was opened again, and has a notice exactly if
        /// somebody there was sealed. A notice's number is used once.
        Address = "address",
        /// Nobody is sealed at an address that is done: its notice would not name them.
        NamesAll = "names_all",
        /// An attempt of a notice begins only where one is due, or the one before was put off.
        Attempts = "attempts",
        /// An attempt ends only if it is the one that was begun, and final is final: but for one of
        /// which nothing was known.
        Ended = "ended",
        /// Nobody is told of the same password by two notices.
        ToldOnce = "told_once",
        /// A recipient disputes a notice once, and only if it was begun.
        Disputed = "disputed",
        /// A campaign that is done or closed leaves no swap open, and nobody sealed and untold.
        Untold = "untold",
        /// No more accounts and addresses are settled than the plan has; all of them once a campaign
        /// is done that was never halted.
        Balance = "balance",
        /// A link is used once.
        Links = "links",
        /// No key comes into force a second time.
        Keys = "keys",
        /// A store that was restored tells how many entries were in the backup. From then on nothing is
        /// intended or begun before operators have signed that steps may be lost.
        Restored = "restored",
    }
}

/// An entry that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryFault {
    /// The number of the entry, from 0.
    pub entry: u64,
    /// The rule that it breaks.
    pub rule: HistoryRule,
    /// How, in plain English.
    pub what: String,
}

impl fmt::Display for HistoryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} breaks the rule `{}`: {}", self.entry, self.rule, self.what)
    }
}

/// The rules that one entry breaks.
#[derive(Debug, Default)]
pub(super) struct BrokenRules(Vec<(HistoryRule, String)>);

impl BrokenRules {
    /// Notes a rule, unless what it asks for is so.
    pub(super) fn unless(&mut self, holds: bool, rule: HistoryRule, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push((rule, what()));
        }
    }

    /// All of them, as faults of this entry.
    pub(super) fn of_entry(self, entry: u64) -> impl Iterator<Item = HistoryFault> {
        self.0.into_iter().map(move |(rule, what)| HistoryFault { entry, rule, what })
    }
}
