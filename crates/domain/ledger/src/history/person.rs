//! What a campaign did with one account.

use model::CredentialVersion;

use super::rule::{BrokenRules, HistoryRule};

/// How far a campaign is with an account, by the entries alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum HistoryStanding {
    #[default]
    Untouched,
    Intended,
    Sealed,
    Skipped,
    Overtaken,
    Reset,
    PutBack,
    /// Old entries of the campaign name accounts, and this may be any of them.
    Before,
}

use HistoryStanding::{Before, Intended, Overtaken, PutBack, Reset, Sealed, Skipped, Untouched};

#[derive(Debug, Default)]
pub(super) struct HistoryPerson {
    pub(super) standing: HistoryStanding,
    pub(super) was_sealed: bool,
    pub(super) address: Option<u64>,
    /// The password as it was found in the leak.
    pub(super) version: Option<CredentialVersion>,
    /// The one that is open; `None` if there is none, or if its intent is too old to tell.
    swap: Option<u64>,
    attempt: u64,
    /// All of them.
    swaps: Vec<u64>,
    has_untold_swap: bool,
}

impl HistoryPerson {
    pub(super) fn of(standing: HistoryStanding) -> Self {
        Self { standing, ..Self::default() }
    }

    /// A swap that is intended twice breaks a rule of the whole log, and none here.
    pub(super) fn intend(
        &mut self,
        swap: Option<u64>,
        version: Option<CredentialVersion>,
        broken: &mut BrokenRules,
    ) {
        let is_open = matches!(self.standing, Untouched | Intended | Before);
        broken.unless(is_open, HistoryRule::Settled, || "the account is settled".to_owned());
        (self.standing, self.swap, self.attempt, self.version) = (Intended, swap, 1, version);
        self.know(swap);
    }

    pub(super) fn take_over(&mut self, swap: u64, attempt: u64, broken: &mut BrokenRules) {
        self.check_intent(Some(swap), broken);
        let is_next = self.standing == Before || attempt == self.attempt + 1;
        broken.unless(is_next, HistoryRule::Intent, || {
            format!("attempt {attempt} comes after attempt {}", self.attempt)
        });
        (self.standing, self.swap, self.attempt) = (Intended, Some(swap), attempt);
        self.know(Some(swap));
    }

    /// Its swap ends, which only some entries name.
    pub(super) fn end(
        &mut self,
        swap: Option<u64>,
        end: HistoryStanding,
        broken: &mut BrokenRules,
    ) {
        self.check_intent(swap, broken);
        self.standing = end;
    }

    pub(super) fn seal(&mut self, address: u64) {
        (self.standing, self.was_sealed, self.address) = (Sealed, true, Some(address));
    }

    pub(super) fn skip(&mut self, broken: &mut BrokenRules) {
        let is_open = matches!(self.standing, Untouched | Intended | Before);
        broken.unless(is_open, HistoryRule::Settled, || "the account is settled".to_owned());
        self.standing = Skipped;
    }

    pub(super) fn reset(&mut self, broken: &mut BrokenRules) {
        let is_sealed = matches!(self.standing, Sealed | Before);
        broken.unless(is_sealed, HistoryRule::Aftermath, || "the account is not sealed".to_owned());
        self.standing = Reset;
    }

    pub(super) fn put_back(&mut self, swap: u64, broken: &mut BrokenRules) {
        let was_out = matches!(self.standing, Sealed | Reset | Overtaken | Before);
        broken.unless(was_out && self.knows(swap), HistoryRule::Aftermath, || {
            format!("swap {swap} had not taken the account's password out of use")
        });
        self.standing = PutBack;
    }

    pub(super) fn find(&mut self, swap: u64, broken: &mut BrokenRules) {
        let is_at_rest = self.standing != Intended;
        broken.unless(is_at_rest && self.knows(swap), HistoryRule::Aftermath, || {
            format!("swap {swap} made no value for the account, or is open")
        });
    }

    pub(super) const fn is_settled(&self) -> bool {
        !matches!(self.standing, Untouched | Intended)
    }

    fn check_intent(&self, swap: Option<u64>, broken: &mut BrokenRules) {
        let is_of = self.swap.is_none() || swap.is_none() || self.swap == swap;
        let has_intent = self.standing == Before || self.standing == Intended && is_of;
        broken.unless(has_intent, HistoryRule::Intent, || match swap {
            Some(swap) => format!("no intent of swap {swap} is open for the account"),
            None => "no intent is open for the account".to_owned(),
        });
    }

    fn know(&mut self, swap: Option<u64>) {
        self.has_untold_swap |= swap.is_none();
        self.swaps.extend(swap);
    }

    fn knows(&self, swap: u64) -> bool {
        self.standing == Before || self.has_untold_swap || self.swaps.contains(&swap)
    }
}
