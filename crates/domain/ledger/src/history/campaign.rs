//! What a campaign did.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    common::HistoryCommon,
    line::{HistoryLine, HistoryWhom},
    person::{HistoryPerson, HistoryStanding},
    rule::{BrokenRules, HistoryRule},
    way::{RUNNING, freezes, is_way, raises_round, takes_signatures},
};

/// Signatures without which nothing is signed, started or resumed, whatever the policy.
const APPROVALS_MIN: usize = 2;

#[derive(Debug, Default)]
pub(super) struct HistoryCampaign {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) targets: u64,
    pub(super) addresses: u64,
    pub(super) left_out: BTreeMap<String, u64>,
    pub(super) skipped: BTreeMap<String, u64>,
    pub(super) passwords: BTreeMap<String, u64>,
    pub(super) people: HashMap<HistoryWhom, HistoryPerson>,
    pub(super) disputed: u64,
    pub(super) entries: u64,
    author: String,
    round: u64,
    /// Whether the next entry must fix a plan.
    awaits_plan: bool,
    /// The round of the plan that was fixed last.
    plan_round: Option<u64>,
    /// Plans since it was a draft.
    plans: u64,
    /// Of the present round.
    approvals: BTreeSet<String>,
    /// Under the plan that was fixed last.
    authorship: Authorship,
    /// Who was sealed, by address.
    sealed_at: BTreeMap<u64, BTreeSet<HistoryWhom>>,
    /// The notices of the addresses that are done.
    done: BTreeMap<u64, Option<u64>>,
    /// Whether some of its entries name accounts of which nobody knows the subjects.
    names_accounts: bool,
}

/// Whether the author has signed a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Authorship {
    #[default]
    Unneeded,
    Missing,
    Signed,
}

impl HistoryCampaign {
    /// One of which nothing was said yet.
    pub(super) fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }

    /// Takes an entry about it. It takes effect whatever rules it breaks.
    pub(super) fn follow(
        &mut self,
        line: &HistoryLine,
        log: &mut HistoryCommon,
        broken: &mut BrokenRules,
    ) {
        self.check_order(line, broken);
        self.entries += 1;
        self.names_accounts |= line.names_account();
        match line.event() {
            "campaign_drafted" => self.draft(line),
            "campaign_moved" => self.step(line, log, broken),
            "campaign_frozen" => self.freeze(line, broken),
            "campaign_handed_over" => self.author = text(line, "author"),
            "campaign_written" => self.write(line, broken),
            "campaign_approved" => self.approve(line, broken),
            "address_done" => self.finish_address(line, log, broken),
            "notice_begun" => self.begin_notice(line, log, broken),
            "notice_ended" => self.end_notice(line, log, broken),
            "notice_disputed" => {
                log.notices.dispute(number(line, "notice"), Some(self.id), broken);
                self.disputed += 1;
            }
            _ => {
                if let Some(whom) = line.whom() {
                    self.follow_person(whom, line, log, broken);
                }
            }
        }
    }

    /// The number of the notice to an address, once there is one.
    pub(super) fn notice_to(&self, address: Option<u64>) -> Option<u64> {
        self.done.get(&address?).copied().flatten()
    }

    fn check_order(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let (is_first, is_draft) = (self.entries == 0, line.event() == "campaign_drafted");
        broken.unless(is_first == is_draft, HistoryRule::Drafted, || {
            format!("campaign {} is drafted by its first entry", self.id)
        });
        let is_plan = line.event() == "campaign_frozen";
        let awaits_plan = std::mem::take(&mut self.awaits_plan);
        broken.unless(awaits_plan == is_plan, HistoryRule::Plan, || {
            "a plan is fixed by the entry right after the move that freezes".to_owned()
        });
    }

    fn draft(&mut self, line: &HistoryLine) {
        (self.name, self.author) = (text(line, "name"), text(line, "author"));
        "draft".clone_into(&mut self.state);
    }

    fn step(&mut self, line: &HistoryLine, log: &HistoryCommon, broken: &mut BrokenRules) {
        let (from, to, round) = (text(line, "from"), text(line, "to"), number(line, "round"));
        self.check_way(&from, &to, broken);
        self.check_round(&from, &to, round, broken);
        if takes_signatures(&from, &to) {
            self.check_signed(broken);
        }
        if to == "done" || to == "closed" {
            self.check_untold(log, broken);
            self.check_balance(to == "done", broken);
        }
        if round != self.round {
            self.approvals.clear();
            self.authorship = Authorship::Unneeded;
        }
        if to == "draft" {
            (self.targets, self.addresses, self.plans) = (0, 0, 0);
        }
        self.awaits_plan = freezes(&from, &to);
        (self.state, self.round) = (to, round);
    }

    fn check_way(&self, from: &str, to: &str, broken: &mut BrokenRules) {
        broken.unless(from == self.state && is_way(from, to), HistoryRule::Moves, || {
            format!("campaign {} is {}, and cannot move from {from} to {to}", self.id, self.state)
        });
    }

    fn check_round(&self, from: &str, to: &str, round: u64, broken: &mut BrokenRules) {
        let expected = self.round + u64::from(raises_round(from, to));
        broken.unless(round == expected, HistoryRule::Rounds, || {
            format!("it is round {round}, and should be {expected}")
        });
    }

    fn check_signed(&self, broken: &mut BrokenRules) {
        let is_of_round = self.plan_round == Some(self.round);
        let is_signed = is_of_round && self.approvals.len() >= APPROVALS_MIN;
        let is_written = self.authorship != Authorship::Missing;
        broken.unless(is_signed && is_written, HistoryRule::Signed, || {
            let by_author = if is_written { "" } else { ", and none of its author's" };
            format!("round {} has {} approvals{by_author}", self.round, self.approvals.len())
        });
    }

    fn freeze(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let round = number(line, "round");
        broken.unless(round == self.round, HistoryRule::Plan, || {
            format!("the plan is of round {round}, and the campaign in round {}", self.round)
        });
        self.plan_round = Some(round);
        let is_needed = line.flag("author_signs");
        self.authorship = if is_needed { Authorship::Missing } else { Authorship::Unneeded };
        self.plans += 1;
        (self.targets, self.addresses) = (number(line, "targets"), number(line, "addresses"));
        self.left_out = line.counts("skipped").collect();
    }

    fn approve(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let (operator, round) = (text(line, "operator"), number(line, "round"));
        let is_of_round = round == self.round && self.plan_round == Some(round);
        let is_others = operator != self.author;
        let is_new = self.approvals.insert(operator);
        broken.unless(is_of_round && is_others && is_new, HistoryRule::Approvals, || {
            format!("it is no first approval of round {} by somebody else", self.round)
        });
    }

    fn write(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let (operator, round) = (text(line, "operator"), number(line, "round"));
        let is_of_round = round == self.round && self.plan_round == Some(round);
        let is_missing = self.authorship == Authorship::Missing && operator == self.author;
        self.authorship = Authorship::Signed;
        broken.unless(is_of_round && is_missing, HistoryRule::Approvals, || {
            format!("it is no first signature of the author's in round {}", self.round)
        });
    }

    fn check_untold(&self, log: &HistoryCommon, broken: &mut BrokenRules) {
        let is_left = |person: &&HistoryPerson| match person.standing {
            HistoryStanding::Intended => true,
            HistoryStanding::Sealed | HistoryStanding::Reset => {
                let notice = self.notice_to(person.address);
                !notice.is_some_and(|notice| log.notices.is_final(notice))
            }
            _ => false,
        };
        let left = self.people.values().filter(is_left).count();
        broken.unless(left == 0 || self.names_accounts, HistoryRule::Untold, || {
            format!("{left} accounts are sealed, or may be, and nobody there was told")
        });
    }

    fn check_balance(&self, is_done: bool, broken: &mut BrokenRules) {
        let settled = self.people.values().filter(|person| person.is_settled()).count() as u64;
        let done = self.done.len() as u64;
        let balances = if is_done && self.plans == 1 {
            (settled, done) == (self.targets, self.addresses)
        } else {
            settled <= self.targets && done <= self.addresses
        };
        broken.unless(balances || self.names_accounts, HistoryRule::Balance, || {
            format!(
                "{settled} of {} accounts are settled, and {done} of {} addresses done",
                self.targets, self.addresses
            )
        });
    }

    fn check_runs(&self, log: &HistoryCommon, broken: &mut BrokenRules) {
        log.check_released(broken);
        broken.unless(RUNNING.contains(&&*self.state), HistoryRule::Running, || {
            format!("campaign {} is {}", self.id, self.state)
        });
    }

    fn finish_address(
        &mut self,
        line: &HistoryLine,
        log: &mut HistoryCommon,
        broken: &mut BrokenRules,
    ) {
        let (address, notice) = (number(line, "address"), line.number("notice"));
        let is_sealed = self.sealed_at.contains_key(&address);
        broken.unless(is_sealed == notice.is_some(), HistoryRule::Address, || {
            format!("there is a notice to address {address} exactly if somebody there is sealed")
        });
        let is_first = !self.done.contains_key(&address);
        broken.unless(is_first, HistoryRule::Address, || {
            format!("address {address} was done before")
        });
        if let Some(notice) = notice {
            let is_new = log.notices.add(notice, Some(self.id), Some(address));
            broken.unless(is_new, HistoryRule::Address, || {
                format!("there is a notice {notice} already")
            });
        }
        self.done.insert(address, notice);
    }

    fn begin_notice(
        &mut self,
        line: &HistoryLine,
        log: &mut HistoryCommon,
        broken: &mut BrokenRules,
    ) {
        self.check_runs(log, broken);
        let notice = number(line, "notice");
        log.notices.begin(notice, Some(self.id), number(line, "attempt"), broken);
        let address = log.notices.get(notice).and_then(|notice| notice.address);
        let sealed = address.and_then(|address| self.sealed_at.get(&address));
        for whom in sealed.into_iter().flatten() {
            let person = self.people.get(whom);
            let person = person.filter(|person| person.standing != HistoryStanding::PutBack);
            if let Some(version) = person.and_then(|person| person.version) {
                log.tell(notice, whom.clone(), version, broken);
            }
        }
    }

    fn end_notice(&self, line: &HistoryLine, log: &mut HistoryCommon, broken: &mut BrokenRules) {
        if let Some(state) = line.state() {
            let end = (number(line, "attempt"), state);
            log.notices.end(number(line, "notice"), Some(self.id), end, broken);
        }
    }

    fn follow_person(
        &mut self,
        whom: &HistoryWhom,
        line: &HistoryLine,
        log: &mut HistoryCommon,
        broken: &mut BrokenRules,
    ) {
        use HistoryStanding::{Overtaken, Sealed, Untouched};
        let (campaign, swap) = (self.id, number(line, "swap"));
        match line.event() {
            "account_sealing" => self.intend(whom, line, log, broken),
            "sealing_taken" => {
                self.person(whom).take_over(swap, number(line, "attempt"), broken);
            }
            "account_found_sealed" => self.find_sealed(whom, line, broken),
            "account_put_back" => self.put_back(whom, swap, log, broken),
            "account_sealed" => {
                self.person(whom).end(None, Sealed, broken);
                self.seal(whom, number(line, "address"), broken);
            }
            "account_overtaken" => self.person(whom).end(Some(swap), Overtaken, broken),
            "sealing_undone" => self.person(whom).end(Some(swap), Untouched, broken),
            "account_skipped" => {
                self.person(whom).skip(broken);
                *self.skipped.entry(text(line, "reason")).or_default() += 1;
            }
            "account_reset" => {
                self.person(whom).reset(broken);
                *self.passwords.entry(text(line, "password")).or_default() += 1;
            }
            _ => {}
        }
        if self.person(whom).standing != HistoryStanding::Intended {
            log.end(Some(campaign), whom);
        }
    }

    /// Whoever is new may be somebody whom old entries name otherwise.
    fn person(&mut self, whom: &HistoryWhom) -> &mut HistoryPerson {
        let may_be_old = self.names_accounts && matches!(whom, HistoryWhom::Subject(_));
        let standing =
            if may_be_old { HistoryStanding::Before } else { HistoryStanding::Untouched };
        self.people.entry(whom.clone()).or_insert_with(|| HistoryPerson::of(standing))
    }

    fn intend(
        &mut self,
        whom: &HistoryWhom,
        line: &HistoryLine,
        log: &mut HistoryCommon,
        broken: &mut BrokenRules,
    ) {
        self.check_runs(log, broken);
        let (swap, version) = (line.number("swap"), line.version());
        if let Some(version) = version {
            log.check_evidence(whom, version, broken);
        }
        log.intend(Some(self.id), whom, swap, broken);
        self.person(whom).intend(swap, version, broken);
    }

    fn seal(&mut self, whom: &HistoryWhom, address: u64, broken: &mut BrokenRules) {
        broken.unless(!self.done.contains_key(&address), HistoryRule::NamesAll, || {
            format!("address {address} is done: its notice would not name the account")
        });
        self.put_sealed(whom, address);
    }

    fn put_sealed(&mut self, whom: &HistoryWhom, address: u64) {
        self.person(whom).seal(address);
        self.sealed_at.entry(address).or_default().insert(whom.clone());
    }

    /// Whoever is found at an address that was done without a notice has to be told.
    fn find_sealed(&mut self, whom: &HistoryWhom, line: &HistoryLine, broken: &mut BrokenRules) {
        let (address, reopened) = (number(line, "address"), line.flag("reopened"));
        self.person(whom).find(number(line, "swap"), broken);
        let is_untold = self.done.get(&address) == Some(&None);
        broken.unless(is_untold == reopened, HistoryRule::NamesAll, || {
            format!("address {address} is opened again exactly if it was done without a notice")
        });
        let skipped = line.text("skipped").and_then(|reason| self.skipped.get_mut(reason));
        if let Some(count) = skipped {
            *count = count.saturating_sub(1);
        }
        self.put_sealed(whom, address);
        if reopened {
            self.done.remove(&address);
        }
    }

    fn put_back(
        &mut self,
        whom: &HistoryWhom,
        swap: u64,
        log: &mut HistoryCommon,
        broken: &mut BrokenRules,
    ) {
        let person = self.person(whom);
        person.put_back(swap, broken);
        if let Some(version) = person.version {
            log.untell(whom, version);
        }
    }
}

/// What a field says that was looked for when the entry was read.
fn number(line: &HistoryLine, field: &str) -> u64 {
    line.number(field).unwrap_or_default()
}

fn text(line: &HistoryLine, field: &str) -> String {
    line.text(field).unwrap_or_default().to_owned()
}
