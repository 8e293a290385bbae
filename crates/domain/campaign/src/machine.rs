use std::fmt;

use model::{CampaignId, CampaignState, Timestamp, canonical::micros};
use serde::{Deserialize, Serialize};

use crate::{
    NoticeEnds, Plan, PlanDigest, Policy, Scope, SignedPlan, StageProgress, TargetRoot, Unsettled,
    halt_reason::HaltReason, limits::SECRETS_KEPT,
};

/// Takes a campaign one step further: what it becomes, and what is to be done about it.
///
/// # Errors
/// [`StepError`] says why the event has no place here; the campaign is then as it was.
pub fn step(
    campaign: &Campaign,
    event: Event<'_>,
    now: Timestamp,
) -> Result<(Campaign, Vec<Command>), StepError> {
    match event {
        Event::Freeze(plan) => campaign.freeze(plan, now),
        Event::Thaw => campaign.thaw(now),
        Event::Sign(signed) => campaign.sign(signed, now),
        Event::Start => campaign.start(now),
        Event::Tick(progress) => campaign.tick(progress, now),
        Event::Halt(reason) => campaign.halt(reason, now),
        Event::Resume(signed, progress) => campaign.resume(signed, progress, now),
        Event::Close(progress) => campaign.close(progress, now),
    }
}

/// How many addresses, from the start of the order, may be begun by now.
#[must_use]
pub fn allowed_addresses(campaign: &Campaign) -> u64 {
    match (campaign.state, &campaign.order) {
        (_, Some(order)) if order.scope == Scope::Begun => 0,
        (State::Running(stage), Some(order)) => order.policy.reach(stage.taken(), order.addresses),
        _ => 0,
    }
}

/// Since when a campaign that runs could have done something, if it was last at work at `worked_at`;
/// `None` of one that does not run.
#[must_use]
pub fn may_work_since(campaign: &Campaign, worked_at: Option<Timestamp>) -> Option<Timestamp> {
    let since = worked_at.map_or(campaign.since, |at| at.max(campaign.since));
    match (campaign.state, &campaign.order) {
        (State::Running(Stage::Soak { after }), Some(order)) => {
            Some(campaign.since.after(order.policy.soak(after)))
        }
        (State::Running(_), _) => Some(since),
        _ => None,
    }
}

/// Where a campaign stands. It changes only by [`step`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    id: CampaignId,
    round: u32,
    state: State,
    #[serde(with = "micros")]
    since: Timestamp,
    order: Option<Order>,
    /// When it was resumed last, and what had become of notices then: thresholds count from there.
    #[serde(default)]
    resumed: Option<Resumed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resumed {
    #[serde(with = "micros")]
    at: Timestamp,
    before: NoticeEnds,
}

/// What the frozen plan orders. Kept beside the state so that no step needs the whole plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    plan: PlanDigest,
    round: u32,
    root: TargetRoot,
    addresses: u64,
    policy: Policy,
    #[serde(default)]
    scope: Scope,
    #[serde(with = "micros")]
    sign_by: Timestamp,
    #[serde(with = "micros")]
    start_by: Timestamp,
}

/// The states of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being put together.
    Draft,
    /// Fixed, and waiting for signatures.
    Frozen,
    /// Signed, and waiting for its start.
    Signed,
    /// Accounts are sealed and people told.
    Running(Stage),
    /// Everybody is settled.
    Done,
    /// Stopped. It goes on where it was once a plan of a later round is signed.
    Halted {
        /// Where it goes on.
        stage: Stage,
        /// Why it stopped.
        reason: HaltReason,
    },
    /// Over, for good.
    Closed,
}

/// How far a running campaign has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The first few addresses.
    Canary,
    /// Everybody taken up is settled; their complaints are waited for.
    Soak {
        /// The step of the ramp that is settled; `None` for the canary.
        after: Option<usize>,
    },
    /// A step of the ramp.
    Ramp {
        /// Its place in the policy, from 0.
        step: usize,
    },
}

impl Stage {
    /// The last step whose addresses have been let go; `None` for the canary.
    const fn taken(self) -> Option<usize> {
        match self {
            Self::Canary => None,
            Self::Soak { after } => after,
            Self::Ramp { step } => Some(step),
        }
    }
}

impl State {
    /// The one word that stands for it in the database, the command line and JSON.
    #[must_use]
    pub const fn word(self) -> CampaignState {
        match self {
            Self::Draft => CampaignState::Draft,
            Self::Frozen => CampaignState::Frozen,
            Self::Signed => CampaignState::Signed,
            Self::Running(Stage::Canary) => CampaignState::Canary,
            Self::Running(Stage::Soak { .. }) => CampaignState::Soak,
            Self::Running(Stage::Ramp { .. }) => CampaignState::Ramp,
            Self::Done => CampaignState::Done,
            Self::Halted { .. } => CampaignState::Halted,
            Self::Closed => CampaignState::Closed,
        }
    }

    /// As [`State::word`], in letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.word().as_str()
    }

    /// Whether its accounts belong to this campaign alone.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Draft | Self::Closed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What happens to a campaign.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A plan was fixed: of a draft, or of a halted campaign that is to go on.
    Freeze(&'a Plan),
    /// The plan is to be edited, or was not signed or started in time.
    Thaw,
    /// Enough operators have signed the plan.
    Sign(&'a SignedPlan),
    /// An operator starts it.
    Start,
    /// Time has passed, or work was done.
    Tick(&'a StageProgress),
    /// Stop before the next claim.
    Halt(HaltReason),
    /// Enough operators have signed the plan of the new round, and this was done before.
    Resume(&'a SignedPlan, &'a StageProgress),
    /// Give it up, or put it away: this was done.
    Close(&'a StageProgress),
}

impl Event<'_> {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Freeze(_) => "frozen",
            Self::Thaw => "edited",
            Self::Sign(_) => "signed",
            Self::Start => "started",
            Self::Tick(_) => "advanced",
            Self::Halt(_) => "halted",
            Self::Resume(..) => "resumed",
            Self::Close(_) => "closed",
        }
    }
}

/// What is to be done in the transaction that records a step, or because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Accounts that were not sealed may be targets of another campaign.
    ReleaseUntouched,
    /// The secrets of the campaign's findings are to be destroyed at this moment.
    DestroySecretsAt(Timestamp),
}

type Stepped = Result<(Campaign, Vec<Command>), StepError>;

impl Campaign {
    /// A new draft.
    #[must_use]
    pub const fn draft(id: CampaignId, now: Timestamp) -> Self {
        Self { id, round: 0, state: State::Draft, since: now, order: None, resumed: None }
    }

    /// Which one.
    #[must_use]
    pub const fn id(&self) -> CampaignId {
        self.id
    }

    /// Raised by every freezing and every halt.
    #[must_use]
    pub const fn round(&self) -> u32 {
        self.round
    }

    /// The round that a plan frozen now is to name.
    #[must_use]
    pub const fn next_round(&self) -> u32 {
        self.round.saturating_add(1)
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// When it came there.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// When it was resumed last; `None` while it goes on as it was started.
    #[must_use]
    pub fn resumed_at(&self) -> Option<Timestamp> {
        self.resumed.map(|resumed| resumed.at)
    }

    /// The plan of this round; `None` in a draft, and after a halt until one is frozen.
    #[must_use]
    pub fn plan(&self) -> Option<PlanDigest> {
        self.order.as_ref().filter(|order| order.round == self.round).map(|order| order.plan)
    }

    /// Whether these signatures are under the very plan and round that the campaign is in.
    #[must_use]
    pub fn is_ordered_by(&self, signed: &SignedPlan) -> bool {
        let this_round = signed.plan().round() == self.round;
        this_round && signed.plan().campaign() == self.id && self.plan() == Some(signed.digest())
    }

    fn freeze(&self, plan: &Plan, now: Timestamp) -> Stepped {
        if !matches!(self.state, State::Draft | State::Halted { .. }) {
            return Err(self.unexpected(Event::Freeze(plan)));
        }
        if plan.campaign() != self.id {
            return Err(StepError::OtherCampaign { plan: plan.campaign(), campaign: self.id });
        }
        if plan.round() != self.next_round() {
            return Err(StepError::OtherRound { plan: plan.round(), campaign: self.next_round() });
        }
        let order = Order::of(plan);
        let halted = matches!(self.state, State::Halted { .. });
        let state = if halted { self.same_targets(&order)? } else { self.unbegun(&order)? };
        let round = self.next_round();
        let frozen = Self { round, order: Some(order), ..self.to(state, now) };
        Ok((frozen, Vec::new()))
    }

    /// A halted campaign goes on with whom it began. By other stages it begins with the canary.
    fn same_targets(&self, new: &Order) -> Result<State, StepError> {
        match (self.state, &self.order) {
            (State::Halted { reason, .. }, Some(old)) if old.root == new.root => {
                let same = old.policy.has_stages_of(&new.policy);
                Ok(if same { self.state } else { State::Halted { stage: Stage::Canary, reason } })
            }
            (_, old) => Err(StepError::OtherTargets {
                plan: new.root,
                begun: old.as_ref().map(|order| order.root),
            }),
        }
    }

    fn unbegun(&self, new: &Order) -> Result<State, StepError> {
        match new.scope {
            Scope::All => Ok(State::Frozen),
            Scope::Begun => Err(StepError::NothingBegun { id: self.id, state: self.state }),
        }
    }

    /// What was signed for in this round is held against what has become of notices in it.
    fn too_bad(&self, policy: &Policy, progress: &StageProgress) -> Option<HaltReason> {
        let before = self.resumed.map_or_else(NoticeEnds::default, |resumed| resumed.before);
        let NoticeEnds { ended, refused, uncertain } = progress.notices.since(before);
        if policy.uncertain.is_exceeded(uncertain, ended) {
            return Some(HaltReason::Uncertain);
        }
        if policy.refused.is_exceeded(refused, ended) {
            return Some(HaltReason::Refused);
        }
        None
    }

    fn thaw(&self, now: Timestamp) -> Stepped {
        match self.state {
            State::Frozen | State::Signed => {
                let draft = Self { order: None, ..self.to(State::Draft, now) };
                Ok((draft, vec![Command::ReleaseUntouched]))
            }
            _ => Err(self.unexpected(Event::Thaw)),
        }
    }

    fn sign(&self, signed: &SignedPlan, now: Timestamp) -> Stepped {
        let State::Frozen = self.state else {
            return Err(self.unexpected(Event::Sign(signed)));
        };
        let order = self.ordered(signed)?;
        in_time("signed", order.sign_by, now)?;
        Ok((self.to(State::Signed, now), Vec::new()))
    }

    fn start(&self, now: Timestamp) -> Stepped {
        match (self.state, &self.order) {
            (State::Signed, Some(order)) => {
                in_time("started", order.start_by, now)?;
                Ok((self.run(Stage::Canary, now), Vec::new()))
            }
            _ => Err(self.unexpected(Event::Start)),
        }
    }

    fn resume(&self, signed: &SignedPlan, progress: &StageProgress, now: Timestamp) -> Stepped {
        let State::Halted { stage, .. } = self.state else {
            return Err(self.unexpected(Event::Resume(signed, progress)));
        };
        let order = self.ordered(signed)?;
        in_time("resumed", order.start_by, now)?;
        let resumed = Some(Resumed { at: now, before: progress.notices });
        Ok((Self { resumed, ..self.run(stage, now) }, Vec::new()))
    }

    fn tick(&self, progress: &StageProgress, now: Timestamp) -> Stepped {
        match (self.state, &self.order) {
            (State::Frozen, Some(order)) if now > order.sign_by => self.thaw(now),
            (State::Signed, Some(order)) if now > order.start_by => self.thaw(now),
            (State::Running(stage), Some(order)) => match self.too_bad(&order.policy, progress) {
                // Where nobody new is begun, a halt keeps nobody from becoming uncertain.
                Some(reason) if reason != HaltReason::Uncertain || order.scope == Scope::All => {
                    self.halt(reason, now)
                }
                _ => Ok(self.advance(stage, order, progress, now)),
            },
            _ => Ok((self.clone(), Vec::new())),
        }
    }

    fn advance(
        &self,
        stage: Stage,
        order: &Order,
        progress: &StageProgress,
        now: Timestamp,
    ) -> (Self, Vec<Command>) {
        if order.scope == Scope::Begun {
            return self.finish_begun(progress, now);
        }
        let after = stage.taken();
        let next = order.policy.step_after(after, order.addresses);
        let settled = progress.settled_addresses >= order.policy.reach(after, order.addresses);
        let soak = order.policy.soak(after);
        match (stage, next) {
            _ if !settled => (self.clone(), Vec::new()),
            (_, None) => self.finish(now),
            (Stage::Soak { .. }, _) if now < self.since.after(soak) => (self.clone(), Vec::new()),
            (Stage::Soak { .. }, Some(step)) => (self.next_step(step, order, now), Vec::new()),
            _ => (self.to(State::Running(Stage::Soak { after }), now), Vec::new()),
        }
    }

    fn next_step(&self, step: usize, order: &Order, now: Timestamp) -> Self {
        let stage = Stage::Ramp { step };
        let reapproval = order.policy.ramp.get(step).is_some_and(|step| step.reapproval);
        if reapproval {
            self.stop(stage, HaltReason::ReapprovalDue, now)
        } else {
            self.run(stage, now)
        }
    }

    fn finish(&self, now: Timestamp) -> (Self, Vec<Command>) {
        let destroy = Command::DestroySecretsAt(now.after(SECRETS_KEPT));
        (self.to(State::Done, now), vec![destroy])
    }

    /// It is over once those who were begun are settled.
    fn finish_begun(&self, progress: &StageProgress, now: Timestamp) -> (Self, Vec<Command>) {
        if progress.unsettled.is_anybody() {
            return (self.clone(), Vec::new());
        }
        let (done, mut commands) = self.finish(now);
        commands.push(Command::ReleaseUntouched);
        (done, commands)
    }

    fn halt(&self, reason: HaltReason, now: Timestamp) -> Stepped {
        match self.state {
            State::Running(stage) => Ok((self.stop(stage, reason, now), Vec::new())),
            // Somebody turned out to be sealed who was not told: they can be, once it is signed.
            State::Done if reason == HaltReason::Unreconciled => {
                Ok((self.stop(Stage::Canary, reason, now), Vec::new()))
            }
            _ => Err(self.unexpected(Event::Halt(reason))),
        }
    }

    fn close(&self, progress: &StageProgress, now: Timestamp) -> Stepped {
        match self.state {
            State::Running(_) | State::Closed => Err(self.unexpected(Event::Close(progress))),
            _ if progress.unsettled.is_anybody() => {
                Err(StepError::Unsettled { id: self.id, unsettled: progress.unsettled })
            }
            _ => Ok((self.to(State::Closed, now), vec![Command::ReleaseUntouched])),
        }
    }

    fn run(&self, stage: Stage, now: Timestamp) -> Self {
        self.to(State::Running(stage), now)
    }

    /// In the round that this begins, no signature given so far counts.
    fn stop(&self, stage: Stage, reason: HaltReason, now: Timestamp) -> Self {
        Self { round: self.next_round(), ..self.to(State::Halted { stage, reason }, now) }
    }

    fn to(&self, state: State, now: Timestamp) -> Self {
        Self { state, since: now, ..self.clone() }
    }

    fn ordered(&self, signed: &SignedPlan) -> Result<&Order, StepError> {
        match &self.order {
            Some(order) if self.is_ordered_by(signed) => Ok(order),
            _ => Err(StepError::OtherPlan {
                signed: signed.digest(),
                signed_round: signed.plan().round(),
                plan: self.plan(),
                round: self.round,
            }),
        }
    }

    const fn unexpected(&self, event: Event<'_>) -> StepError {
        StepError::Unexpected { id: self.id, state: self.state, event: event.as_str() }
    }
}

impl Order {
    fn of(plan: &Plan) -> Self {
        Self {
            plan: plan.digest(),
            round: plan.round(),
            root: plan.root(),
            addresses: plan.counts().addresses,
            policy: plan.policy().clone(),
            scope: plan.scope(),
            sign_by: plan.sign_by(),
            start_by: plan.start_by(),
        }
    }
}

fn in_time(what: &'static str, by: Timestamp, now: Timestamp) -> Result<(), StepError> {
    if now > by { Err(StepError::Expired { what, by, now }) } else { Ok(()) }
}

/// Why an event has no place in a campaign's state.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Nothing of the kind can happen here.
    #[error("campaign {id} is {state}: it cannot be {event} now")]
    Unexpected {
        /// Which campaign.
        id: CampaignId,
        /// Where it stands.
        state: State,
        /// What should have happened.
        event: &'static str,
    },
    /// The plan of another campaign.
    #[error("the plan is of campaign {plan}, this is campaign {campaign}")]
    OtherCampaign {
        /// Named by the plan.
        plan: CampaignId,
        /// This one.
        campaign: CampaignId,
    },
    /// A plan that was made before something else happened.
    #[error("the plan is of round {plan}, the campaign's next round is {campaign}")]
    OtherRound {
        /// Named by the plan.
        plan: u32,
        /// What it should name.
        campaign: u32,
    },
    /// Signatures under something else.
    #[error(
        "plan {signed} of round {signed_round} is signed, the campaign is in round {round} \
         with plan {plan:?}"
    )]
    OtherPlan {
        /// What was signed.
        signed: PlanDigest,
        /// In which round.
        signed_round: u32,
        /// The campaign's plan; `None` if it has to be frozen again first.
        plan: Option<PlanDigest>,
        /// The campaign's round.
        round: u32,
    },
    /// Other people than those it began with.
    #[error("the plan's targets are {plan}, the campaign began with {begun:?}")]
    OtherTargets {
        /// Root of the plan.
        plan: TargetRoot,
        /// Root of the plan that it began with.
        begun: Option<TargetRoot>,
    },
    /// People are sealed who were not told, or may be.
    #[error(
        "campaign {id} still has {sealing} accounts whose sealing is not known to have ended and \
         {untold} that are sealed while nobody was told",
        sealing = .unsettled.sealing,
        untold = .unsettled.untold
    )]
    Unsettled {
        /// Which campaign.
        id: CampaignId,
        /// How many.
        unsettled: Unsettled,
    },
    /// Only a campaign that was begun and halted can be finished.
    #[error("campaign {id} is {state}: there is nobody to finish with")]
    NothingBegun {
        /// Which campaign.
        id: CampaignId,
        /// Where it stands.
        state: State,
    },
    /// Too late.
    #[error("the campaign had to be {what} before {by}, it is {now}: freeze it again")]
    Expired {
        /// What should have happened.
        what: &'static str,
        /// Until when.
        by: Timestamp,
        /// By our clock.
        now: Timestamp,
    },
}

#[cfg(test)]
mod tests;
