//! What can be said of a world, and the small steps that change it.

use super::*;

impl World {
    /// Spares the copy of a world for what plainly cannot happen in it.
    pub(super) fn can_be(&self, action: Action) -> bool {
        let state = self.campaign.state();
        let (running, halted) = (matches!(state, State::Running(_)), self.is_halted());
        match action {
            Action::Freeze(_) => state == State::Draft,
            Action::Edit | Action::Sign => matches!(state, State::Frozen | State::Signed),
            Action::Start => state == State::Signed,
            Action::Tick | Action::Halt | Action::Claim(..) => running,
            Action::Approve(by) => state == State::Frozen || (halted && by != AUTHOR),
            Action::Renew(_) | Action::Resume => halted,
            Action::Close => halted || state == State::Done,
            Action::ChangePassword(_) => self.left.persons > 0,
            Action::Crash(worker) => {
                // Nothing is begun while a worker only looks, and one that dies with a swap in hand
                // is one that never goes on while others judge it.
                let sends = matches!(self.workers[worker], Job::Send { .. } | Job::Answer { .. });
                self.left.crashes > 0 && sends
            }
            Action::Take(_, address) | Action::FindInflight(address) => {
                self.notices[address].is_some_and(|row| !row.state().is_final())
            }
            Action::Judge(account) => {
                self.left.lapses > 0 && self.targets[account] == TargetState::Sealing
            }
            Action::Work(_) | Action::Reply(..) => true,
        }
    }

    pub(super) fn is_halted(&self) -> bool {
        matches!(self.campaign.state(), State::Halted { .. })
    }

    pub(super) fn step(&mut self, event: Event<'_>) -> Option<()> {
        self.campaign = step(&self.campaign, event, NOW).ok()?.0;
        Some(())
    }

    pub(super) fn tick(&mut self) -> Option<()> {
        let progress = self.progress();
        self.step(Event::Tick(&progress))?;
        let by_itself = HaltReason::Refused;
        let halted =
            matches!(self.campaign.state(), State::Halted { reason, .. } if reason == by_itself);
        if halted && progress.notices == self.ended_before {
            self.broken = Some(HALTS_FOR_NEWS);
        }
        Some(())
    }

    pub(super) fn facts<'a>(&'a self, signed: &'a SignedPlan) -> ClaimFacts<'a> {
        ClaimFacts {
            campaign: &self.campaign,
            signed,
            kill_switch: KillSwitch::Released,
            taken: RateUsed::default(),
            begun: RateUsed::default(),
            sealed_untold: 0,
            is_earlier_unsettled: false,
            sending: Sending::Open,
            now: NOW,
        }
    }

    pub(super) fn states(&self, address: usize) -> Vec<TargetState> {
        ADDRESSES[address].iter().map(|account| self.targets[*account]).collect()
    }

    /// A lease: nobody else works on the address while its worker lives.
    pub(super) fn is_held(&self, address: usize) -> bool {
        self.workers.iter().any(|job| match job {
            Job::Look { address: held, .. }
            | Job::Write { address: held, .. }
            | Job::Record { address: held, .. } => *held == address,
            _ => false,
        })
    }

    /// The first account of an address that is not settled. One that is being sealed is judged
    /// first.
    pub(super) fn next_job(&self, address: usize) -> Option<Job> {
        let open = |account: &&usize| !self.targets[**account].is_settled();
        let account = *ADDRESSES[address].iter().find(open)?;
        (self.targets[account] == TargetState::Pending).then_some(Job::Look { address, account })
    }

    pub(super) fn sealed_is_counted(&self) -> bool {
        let untouched = [TargetState::Pending, TargetState::Skipped];
        let mut accounts = self.ever_ours.iter().zip(self.targets);
        accounts.all(|(ever, state)| !ever || !untouched.contains(&state))
    }

    pub(super) fn reverify(&self, account: usize) -> Reverification {
        let original = self.hashes[account] == Hash::Leaked;
        let matches = original && account != INNOCENT;
        let verdict =
            if matches { Verdict::Match { secret: 0, reading: 0 } } else { Verdict::NoMatch };
        Reverification::Present { verdict, same_version: original }
    }

    /// One transaction: the account's end, and the notice once it was the last one.
    pub(super) fn settle(&mut self, address: usize, account: usize, state: TargetState) -> Job {
        self.targets[account] = state;
        self.forget_swap(account);
        if notice_due(&self.states(address)) == NoticeDue::Now {
            self.notices[address].get_or_insert(NoticeRow::pending(NOW));
        }
        self.next_job(address).unwrap_or(Job::Idle)
    }

    /// Worlds that differ only in what nobody looks at any more are made the same.
    pub(super) fn forget_swap(&mut self, account: usize) {
        let settled = self.targets[account].is_settled();
        let is_in_hand = self.workers.iter().any(|job| match job {
            Job::Write { account: held, .. } | Job::Record { account: held, .. } => {
                *held == account
            }
            _ => false,
        });
        if settled && !is_in_hand {
            self.swaps[account] = (0, false);
        }
    }

    pub(super) fn reply(&mut self, worker: usize, reply: Reply) -> Option<()> {
        let Job::Send { address, attempt } = self.workers[worker] else { return None };
        if reply != Reply::Accepted {
            spend(&mut self.left.mishaps)?;
        }
        if matches!(reply, Reply::Accepted | Reply::LostAfterDot { taken: true }) {
            self.delivered[address] += 1;
        }
        self.workers[worker] = Job::Answer { address, attempt, reply };
        Some(())
    }

    pub(super) fn progress(&self) -> StageProgress {
        let settled = |address: &usize| {
            let due = notice_due(&self.states(*address));
            let told = self.notices[*address].is_some_and(|row| row.state().is_final());
            due == NoticeDue::Never || (due == NoticeDue::Now && told)
        };
        let settled = LISTS[self.list].iter().take_while(|address| settled(address)).count();
        let ends = |state| {
            let rows = self.notices.iter().flatten();
            rows.filter(|row| row.state() == state).count() as u64
        };
        let [refused, uncertain] = [NoticeState::Refused, NoticeState::Uncertain].map(ends);
        let ended = ends(NoticeState::Sent) + refused + uncertain;
        StageProgress {
            settled_addresses: settled as u64,
            notices: NoticeEnds { ended, refused, uncertain },
            unsettled: self.unsettled(),
        }
    }

    pub(super) fn unsettled(&self) -> Unsettled {
        let mut unsettled = Unsettled::default();
        for (address, accounts) in ADDRESSES.iter().enumerate() {
            let told = self.notices[address].is_some_and(|row| row.state().is_final());
            for state in accounts.iter().map(|account| self.targets[*account]) {
                unsettled.sealing += u64::from(state == TargetState::Sealing);
                unsettled.untold += u64::from(state == TargetState::Sealed && !told);
            }
        }
        unsettled
    }

    /// The campaign is put away, and whoever was sealed was told, or is listed as one whom no mail
    /// reached or of whom nobody can tell.
    pub(super) fn is_over(&self) -> bool {
        self.campaign.state() == State::Closed && !self.unsettled().is_anybody()
    }

    pub(super) fn judge_signatures(&mut self) {
        let (list, round) = (self.list, self.campaign.round());
        let mut all = 0..OPERATORS.len();
        if !all.all(|by| self.approvals.contains(&(list, round, by))) {
            self.broken = Some(SIGNED);
        }
    }

    pub(super) fn judge_send(&mut self, address: usize) {
        if self.is_halted() {
            self.broken = Some(HALTED);
            return;
        }
        self.judge_signatures();
        let listed = |account: &&usize| self.targets[**account] != TargetState::Skipped;
        let mut listed = ADDRESSES[address].iter().filter(listed);
        if listed.any(|account| self.hashes[*account] == Hash::Leaked) {
            self.broken = Some(SEALED_FIRST);
        }
    }

    pub(super) fn keeps_the_canary(&self) -> bool {
        let canary = match self.campaign.state() {
            State::Running(stage) | State::Halted { stage, .. } => {
                matches!(stage, Stage::Canary | Stage::Soak { after: None })
            }
            _ => false,
        };
        let [_, later] = LISTS[self.list];
        !canary || self.states(later).iter().all(|state| *state == TargetState::Pending)
    }

    pub(super) fn sent_is_true(&self) -> bool {
        let sent =
            |row: &Option<NoticeRow>| row.is_some_and(|row| row.state() == NoticeState::Sent);
        let mut rows = self.notices.iter().zip(self.delivered);
        rows.all(|(row, delivered)| !sent(row) || delivered > 0)
    }

    pub(super) fn delivered_is_known(&self) -> bool {
        use NoticeState::{Inflight, Sent, Uncertain};
        let known = |row: &Option<NoticeRow>| {
            row.is_some_and(|row| matches!(row.state(), Inflight | Sent | Uncertain))
        };
        let mut rows = self.notices.iter().zip(self.delivered);
        rows.all(|(row, delivered)| delivered == 0 || known(row))
    }

    pub(super) fn all_told(&self) -> bool {
        let told = [0, 1].map(|address| self.notices[address].map(NoticeRow::state));
        self.campaign.state() == State::Done && told == [Some(NoticeState::Sent); 2]
    }
}
