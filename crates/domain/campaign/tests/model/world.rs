//! A small town: three addresses, two workers, three operators, and everything that can go wrong.

mod state;

use std::{collections::BTreeSet, time::Duration};

use campaign::{
    Campaign, Claim, ClaimFacts, Event, HaltReason, NoticeDue, NoticeEnds, PassedAttempt, RateUsed,
    Refusal, Reverification, Scope, Sending, SignedPlan, Stage, StageProgress, State, SwapEnd,
    TargetAction, Unsettled, Waiting, after_reverification, decide_claim, decide_intent,
    decide_pass, decide_send, judge_swap, notice_due, step,
};
use model::{KillSwitch, NoticeState, SiteRow, TargetState, Verdict};
use notice::{NoticeEvent, NoticeRow, RelayRecord, SmtpOutcome, notice_after};
use stateright::{Model, Property};

use crate::office::{
    ACCOUNTS, ADDRESSES, AUTHOR, CAMPAIGN, INNOCENT, LISTS, NOW, OPERATORS, Office,
};

pub(crate) const ONCE: &str = "an address gets one notice at most";
pub(crate) const EVIDENCE: &str = "nobody without evidence is touched";
pub(crate) const HALTED: &str = "no send begins after a halt";
pub(crate) const NOTHING_PASSES: &str = "no password is replaced after a halt or in a later round";
pub(crate) const SEALED_IS_COUNTED: &str = "whoever was ever sealed is never counted as untouched";
pub(crate) const SIGNED: &str = "nothing without two signatures of this list and round";
pub(crate) const SEALED_FIRST: &str = "sealed before told";
pub(crate) const CANARY: &str = "the canary cap holds";
pub(crate) const SENT_IS_TRUE: &str = "what is sent, the server has";
pub(crate) const DELIVERED_IS_KNOWN: &str = "what the server has, is sent, uncertain or in flight";
pub(crate) const CLOSED_TOLD: &str = "nobody is left sealed and untold when it is over";
pub(crate) const HALTS_FOR_NEWS: &str =
    "a halt by a threshold is because of what came after the signatures";
pub(crate) const OVER: &str = "in the end it is over, and everybody sealed is told or listed";
pub(crate) const FINISHED: &str = "everybody can be told";
pub(crate) const FINISHED_AFTER_HALT: &str = "everybody can be told after a halt";

/// The production code, or a deliberate fault beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Right,
    RequeueInflight,
    SignaturesSurvive,
    IgnoreHalt,
    TellFirst,
    TrustTheList,
    NoCap,
    SilenceIsYes,
    GateAtClaimOnly,
    OtherIsNeverOurs,
    UnfencedSwap,
    CloseUntold,
    CountSinceStart,
}

pub(crate) struct Town {
    office: Office,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    campaign: Campaign,
    list: usize,
    scope: Scope,
    /// The ghost that knows what had become of notices when it was resumed last.
    ended_before: NoticeEnds,
    /// What operators have really signed: list, round, who. The ghost that judges.
    approvals: BTreeSet<(usize, u32, usize)>,
    hashes: [Hash; ACCOUNTS],
    targets: [TargetState; ACCOUNTS],
    /// The attempt that looks after a swap, and whether one was ever let through.
    swaps: [(u8, bool); ACCOUNTS],
    /// The ghost that knows whose row ever held a value of ours.
    ever_ours: [bool; ACCOUNTS],
    notices: [Option<NoticeRow>; ADDRESSES.len()],
    delivered: [u8; ADDRESSES.len()],
    workers: [Job; 2],
    left: Budget,
    broken: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Hash {
    Leaked,
    Ours,
    Own,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Job {
    Idle,
    Look { address: usize, account: usize },
    Write { address: usize, account: usize, round: u32, attempt: u8 },
    Record { address: usize, account: usize, attempt: u8, end: TargetState },
    Send { address: usize, attempt: u32 },
    Answer { address: usize, attempt: u32, reply: Reply },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reply {
    Accepted,
    PutOff,
    Refused,
    LostBeforeDot,
    LostAfterDot { taken: bool },
}

/// How often each mishap may still happen: it keeps the town small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Budget {
    edits: u8,
    halts: u8,
    crashes: u8,
    mishaps: u8,
    persons: u8,
    /// Swaps that another worker takes over.
    lapses: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Freeze(usize),
    Edit,
    Approve(usize),
    Sign,
    Start,
    Tick,
    Halt,
    Renew(Scope),
    Resume,
    Close,
    Claim(usize, usize),
    Work(usize),
    Take(usize, usize),
    FindInflight(usize),
    Judge(usize),
    Reply(usize, Reply),
    Crash(usize),
    ChangePassword(usize),
}

/// Who may choose another password: one of two at an address, and one alone.
const CHANGING: [usize; 2] = [0, 2];

/// Time stands still in this town.
const RETRY: Duration = Duration::ZERO;

const REPLIES: [Reply; 6] = [
    Reply::Accepted,
    Reply::Refused,
    Reply::PutOff,
    Reply::LostBeforeDot,
    Reply::LostAfterDot { taken: false },
    Reply::LostAfterDot { taken: true },
];

impl Model for Town {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            campaign: Campaign::draft(CAMPAIGN, NOW),
            list: 0,
            scope: Scope::All,
            ended_before: NoticeEnds::default(),
            approvals: BTreeSet::new(),
            hashes: [Hash::Leaked; ACCOUNTS],
            targets: [TargetState::Pending; ACCOUNTS],
            swaps: [(0, false); ACCOUNTS],
            ever_ours: [false; ACCOUNTS],
            notices: [None; ADDRESSES.len()],
            delivered: [0; ADDRESSES.len()],
            workers: [Job::Idle; 2],
            left: Budget { edits: 1, halts: 1, crashes: 1, mishaps: 1, persons: 1, lapses: 1 },
            broken: None,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        use Action as A;
        actions.extend([A::Edit, A::Sign, A::Start, A::Tick, A::Halt, A::Resume, A::Close]);
        actions.extend([Scope::All, Scope::Begun].map(A::Renew));
        actions.extend((0..LISTS.len()).map(A::Freeze));
        actions.extend((0..OPERATORS.len()).map(A::Approve));
        actions.extend((0..ADDRESSES.len()).map(A::FindInflight));
        actions.extend((0..ACCOUNTS).map(A::Judge));
        actions.extend(CHANGING.map(A::ChangePassword));
        for (worker, job) in world.workers.iter().enumerate() {
            // Of two workers that do the same it is enough to follow one.
            if world.workers[..worker].contains(job) {
                continue;
            }
            match job {
                Job::Idle => {
                    actions.extend((0..ADDRESSES.len()).map(|address| A::Claim(worker, address)));
                    actions.extend((0..ADDRESSES.len()).map(|address| A::Take(worker, address)));
                }
                Job::Send { .. } => actions.extend(REPLIES.map(|reply| A::Reply(worker, reply))),
                _ => actions.push(A::Work(worker)),
            }
            actions.push(A::Crash(worker));
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        if !last.can_be(action) {
            return None;
        }
        let mut world = last.clone();
        self.act(&mut world, action)?;
        // Workers are alike: which of the two does something makes no other world.
        world.workers.sort_unstable();
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONCE, |_, world: &World| {
                world.delivered.iter().all(|count| *count <= 1)
            }),
            Property::always(EVIDENCE, |_, world: &World| {
                world.hashes[INNOCENT] != Hash::Ours && world.delivered[2] == 0
            }),
            Property::always(HALTED, |_, world: &World| world.broken != Some(HALTED)),
            Property::always(NOTHING_PASSES, |_, world: &World| {
                world.broken != Some(NOTHING_PASSES)
            }),
            Property::always(SEALED_IS_COUNTED, |_, world: &World| world.sealed_is_counted()),
            Property::always(SIGNED, |_, world: &World| world.broken != Some(SIGNED)),
            Property::always(SEALED_FIRST, |_, world: &World| world.broken != Some(SEALED_FIRST)),
            Property::always(CANARY, |_, world: &World| world.keeps_the_canary()),
            Property::always(SENT_IS_TRUE, |_, world: &World| world.sent_is_true()),
            Property::always(DELIVERED_IS_KNOWN, |_, world: &World| world.delivered_is_known()),
            Property::always(CLOSED_TOLD, |_, world: &World| {
                world.campaign.state() != State::Closed || !world.unsettled().is_anybody()
            }),
            Property::always(HALTS_FOR_NEWS, |_, world: &World| {
                world.broken != Some(HALTS_FOR_NEWS)
            }),
            Property::eventually(OVER, |_, world: &World| world.is_over()),
            Property::sometimes(FINISHED, |_, world: &World| world.all_told()),
            Property::sometimes(FINISHED_AFTER_HALT, |_, world: &World| {
                world.all_told() && world.left.halts == 0
            }),
        ]
    }
}

impl Town {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { office: Office::open(), rule }
    }

    fn act(&self, world: &mut World, action: Action) -> Option<()> {
        match action {
            Action::Freeze(list) => self.freeze(world, list),
            Action::Edit => {
                spend(&mut world.left.edits)?;
                world.step(Event::Thaw)
            }
            Action::Approve(operator) => self.approve(world, operator),
            Action::Sign => world.step(Event::Sign(self.signed(world)?)),
            Action::Start => {
                self.forget(world);
                world.step(Event::Start)
            }
            Action::Tick => world.tick(),
            Action::Halt => {
                spend(&mut world.left.halts)?;
                world.step(Event::Halt(HaltReason::Operator))
            }
            Action::Renew(scope) => self.renew(world, scope),
            Action::Resume => self.resume(world),
            Action::Close => self.close(world),
            Action::Claim(worker, address) => self.claim(world, worker, address),
            Action::Work(worker) => self.work(world, worker),
            Action::Take(worker, address) => self.take(world, worker, address),
            Action::FindInflight(address) => self.find_inflight(world, address),
            Action::Judge(account) => self.judge(world, account),
            Action::Reply(worker, reply) => world.reply(worker, reply),
            Action::Crash(worker) => {
                spend(&mut world.left.crashes)?;
                world.workers[worker] = Job::Idle;
                Some(())
            }
            Action::ChangePassword(account) => {
                spend(&mut world.left.persons)?;
                world.hashes[account] = Hash::Own;
                Some(())
            }
        }
    }

    fn freeze(&self, world: &mut World, list: usize) -> Option<()> {
        world.list = list;
        if list != 0 {
            // What becomes of a wrong list is told without further mishaps.
            world.left = Budget { edits: world.left.edits, halts: 1, ..Budget::default() };
        }
        let plan = self.office.plan(list, world.campaign.next_round(), Scope::All)?;
        world.step(Event::Freeze(plan))
    }

    fn renew(&self, world: &mut World, scope: Scope) -> Option<()> {
        (world.is_halted() && world.campaign.plan().is_none()).then_some(())?;
        world.scope = scope;
        let plan = self.office.plan(world.list, world.campaign.next_round(), scope)?;
        world.step(Event::Freeze(plan))
    }

    fn resume(&self, world: &mut World) -> Option<()> {
        let before = match self.rule {
            Rule::CountSinceStart => StageProgress::default(),
            _ => world.progress(),
        };
        world.step(Event::Resume(self.signed(world)?, &before))?;
        world.ended_before = world.progress().notices;
        Some(())
    }

    fn close(&self, world: &mut World) -> Option<()> {
        let progress = match self.rule {
            Rule::CloseUntold => StageProgress::default(),
            _ => world.progress(),
        };
        world.step(Event::Close(&progress))
    }

    fn approve(&self, world: &mut World, operator: usize) -> Option<()> {
        (world.campaign.plan().is_some()).then_some(())?;
        let signature = (world.list, world.campaign.round(), operator);
        (!world.approvals.contains(&signature)).then_some(())?;
        let plan = self.office.plan(world.list, world.campaign.round(), world.scope)?;
        let approval = self.office.approve(plan, operator)?;
        approval.check(plan, &self.office.roster, NOW).ok()?;
        world.approvals.insert(signature);
        if world.is_halted() {
            // In later rounds all sign at once: that each has to is told in the first.
            let all = 0..OPERATORS.len();
            world.approvals.extend(all.map(|other| (world.list, signature.1, other)));
        }
        Some(())
    }

    /// What the service loads at each claim: the plan with all signatures that are under it.
    fn signed(&self, world: &World) -> Option<&SignedPlan> {
        let (list, round) = (world.list, world.campaign.round());
        let any = self.rule == Rule::SignaturesSurvive;
        let counts = |of: &&(usize, u32, usize)| any || (of.0, of.1) == (list, round);
        let mask = world.approvals.iter().filter(counts).fold(0, |mask, of| mask | 1 << of.2);
        self.office.signed(list, round, world.scope, mask)
    }

    fn claim(&self, world: &mut World, worker: usize, address: usize) -> Option<()> {
        (world.workers[worker] == Job::Idle && !world.is_held(address)).then_some(())?;
        let signed = self.signed(world)?;
        let group = self.office.group(world.list, world.campaign.round(), world.scope, address)?;
        let claim = decide_claim(group, &world.states(address), &world.facts(signed));
        let early = Claim::Wait { reason: Waiting::NotItsTurn, until: None };
        (claim == Claim::Proceed || (self.rule == Rule::NoCap && claim == early)).then_some(())?;
        world.judge_signatures();
        if self.rule == Rule::TellFirst {
            world.notices[address].get_or_insert(NoticeRow::pending(NOW));
        }
        world.workers[worker] = world.next_job(address)?;
        Some(())
    }

    fn work(&self, world: &mut World, worker: usize) -> Option<()> {
        let job = std::mem::replace(&mut world.workers[worker], Job::Idle);
        world.workers[worker] = match job {
            Job::Look { address, account } => self.look(world, address, account),
            Job::Write { address, account, round, attempt } => {
                self.write(world, address, account, round, attempt)
            }
            Job::Record { address, account, attempt, end } => {
                if world.swaps[account].0 == attempt {
                    world.settle(address, account, end)
                } else {
                    Job::Idle
                }
            }
            Job::Answer { address, attempt, reply } => {
                self.answer(world, address, attempt, reply);
                Job::Idle
            }
            Job::Idle | Job::Send { .. } => return None,
        };
        Some(())
    }

    fn look(&self, world: &mut World, address: usize, account: usize) -> Job {
        let action = match self.rule {
            Rule::TrustTheList => TargetAction::Seal,
            _ => after_reverification(world.reverify(account)),
        };
        match action {
            TargetAction::Seal => return self.intend(world, address, account),
            TargetAction::Skip(_) => {}
            TargetAction::SkipAndHalt(_) => {
                // Somebody else may have halted it before.
                let _ = world.step(Event::Halt(HaltReason::Contradicted));
            }
        }
        world.settle(address, account, TargetState::Skipped)
    }

    /// The gate is read once more, in the transaction that commits the intent.
    fn intend(&self, world: &mut World, address: usize, account: usize) -> Job {
        let signed = self.signed(world);
        let open =
            signed.is_some_and(|signed| decide_intent(&world.facts(signed), 1) == Claim::Proceed);
        if !open && self.rule != Rule::GateAtClaimOnly {
            return Job::Idle;
        }
        world.targets[account] = TargetState::Sealing;
        world.swaps[account] = (world.swaps[account].0.wrapping_add(1), false);
        let (round, attempt) = (world.campaign.round(), world.swaps[account].0);
        Job::Write { address, account, round, attempt }
    }

    /// While the site's row is locked, the intent is asked for, and then the site commits.
    fn write(
        &self,
        world: &mut World,
        address: usize,
        account: usize,
        round: u32,
        attempt: u8,
    ) -> Job {
        let fenced = world.swaps[account].0 != attempt && self.rule != Rule::UnfencedSwap;
        let refused = decide_pass(&world.campaign, round, KillSwitch::Released).is_err();
        if fenced || (refused && self.rule != Rule::GateAtClaimOnly) {
            if !fenced {
                world.targets[account] = TargetState::Pending;
            }
            return Job::Idle;
        }
        if world.hashes[account] != Hash::Leaked {
            return Job::Record { address, account, attempt, end: TargetState::Skipped };
        }
        if refused {
            world.broken = Some(NOTHING_PASSES);
        }
        world.swaps[account].1 = true;
        (world.hashes[account], world.ever_ours[account]) = (Hash::Ours, true);
        Job::Record { address, account, attempt, end: TargetState::Sealed }
    }

    /// Another worker finds out what became of a swap that was left, or only seems to be.
    fn judge(&self, world: &mut World, account: usize) -> Option<()> {
        (world.targets[account] == TargetState::Sealing).then_some(())?;
        spend(&mut world.left.lapses)?;
        world.swaps[account].0 = world.swaps[account].0.wrapping_add(1);
        let row = match world.hashes[account] {
            Hash::Leaked => SiteRow::Old,
            Hash::Ours => SiteRow::Ours,
            Hash::Own => SiteRow::Other,
        };
        let passed = world.swaps[account].1 && self.rule != Rule::OtherIsNeverOurs;
        let passed = if passed { PassedAttempt::Unknown } else { PassedAttempt::None };
        let end = match judge_swap(row, passed) {
            SwapEnd::Done => TargetState::Sealed,
            SwapEnd::Untouched | SwapEnd::Held => TargetState::Pending,
            SwapEnd::Spared(_) => TargetState::Skipped,
            SwapEnd::Overtaken => TargetState::Overtaken,
        };
        let address = ADDRESSES.iter().position(|accounts| accounts.contains(&account))?;
        world.settle(address, account, end);
        Some(())
    }

    fn take(&self, world: &mut World, worker: usize, address: usize) -> Option<()> {
        (world.workers[worker] == Job::Idle).then_some(())?;
        let notice = world.notices[address]?;
        let signed = self.signed(world).or_else(|| self.outdated(world))?;
        let facts = ClaimFacts { now: notice.not_before(), ..world.facts(signed) };
        let accounts = match self.rule {
            Rule::TellFirst => vec![TargetState::Sealed],
            _ => world.states(address),
        };
        let claim = decide_send(notice.state(), notice.not_before(), &accounts, &facts);
        let halted = matches!(claim, Claim::Refuse(Refusal::NotRunning(State::Halted { .. })));
        let ignored = self.rule == Rule::IgnoreHalt && halted;
        (claim == Claim::Proceed || ignored).then_some(())?;
        world.judge_send(address);
        let taken = notice_after(notice, NoticeEvent::Taken, RETRY, notice.not_before()).ok()?;
        world.notices[address] = Some(taken);
        world.workers[worker] = Job::Send { address, attempt: taken.attempts() };
        Some(())
    }

    /// Worlds that differ only in what can matter no more are made the same.
    fn forget(&self, world: &mut World) {
        world.left.edits = 0;
        let (list, round) = (world.list, world.campaign.round());
        if self.rule != Rule::SignaturesSurvive {
            world.approvals.retain(|of| (of.0, of.1) == (list, round));
        }
    }

    /// What a worker remembers from before a halt: only for the one that ignores it.
    fn outdated(&self, world: &World) -> Option<&SignedPlan> {
        let before = world.campaign.round().checked_sub(1)?;
        let forgetful = self.rule == Rule::IgnoreHalt;
        forgetful.then(|| self.office.signed(world.list, before, world.scope, 0b110)).flatten()
    }

    fn find_inflight(&self, world: &mut World, address: usize) -> Option<()> {
        let notice = world.notices[address]?;
        let found = notice_after(notice, NoticeEvent::FoundInflight, RETRY, NOW).ok()?;
        let again =
            NoticeRow::restore(NoticeState::Pending, notice.attempts(), NOW, notice.put_offs());
        let requeued = self.rule == Rule::RequeueInflight;
        world.notices[address] = Some(if requeued { again } else { found });
        Some(())
    }

    fn answer(&self, world: &mut World, address: usize, attempt: u32, reply: Reply) {
        let outcome = match reply {
            Reply::Accepted => SmtpOutcome::Accepted,
            Reply::PutOff => SmtpOutcome::PutOff,
            Reply::Refused => SmtpOutcome::Refused,
            Reply::LostBeforeDot => SmtpOutcome::Hindered { heard: false },
            Reply::LostAfterDot { .. } if self.rule == Rule::SilenceIsYes => SmtpOutcome::Accepted,
            Reply::LostAfterDot { .. } => SmtpOutcome::LostAfterDot,
        };
        let event = NoticeEvent::Answered { attempt, outcome, relay: RelayRecord::default() };
        let row = world.notices[address].and_then(|row| notice_after(row, event, RETRY, NOW).ok());
        // An answer that comes too late changes nothing.
        world.notices[address] = row.or(world.notices[address]);
    }
}

fn spend(left: &mut u8) -> Option<()> {
    *left = left.checked_sub(1)?;
    Some(())
}
