//! One run: a seeded die says who goes on at each named moment, and what goes wrong there.

use std::{
    collections::BTreeSet,
    iter::repeat_n,
    ops::Range,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use failpoint::{CommitFate, simulated};
use futures_util::future::{LocalBoxFuture, poll_fn};
use tokio::time::timeout;

use crate::{
    SimResult,
    actors::{self, Order, Trace},
    clock,
    dice::Dice,
    editor::Editor,
    faults::{Fault, Faults, HOT, WEIGHTS},
    oracle::Oracle,
    relay::Server,
    restore::{PutBack, Standby},
    site::{self, Site, Stage, StoreView},
    strand::{Desk, Shared, Ticket},
    witness::SimulatedWitness,
    world::{HOSTS, Host, LEASE, World},
};

/// Named moments that a run is hostile through, and then until everything is settled.
const HOSTILE_STEPS: u64 = 320;
const DRAIN_STEPS: u64 = 1_500;

/// Workers, by host.
const WORKERS: [usize; 3] = [0, 0, 1];

/// In thousandths of the steps.
const FAULT_PERMILLE: u64 = 50;
const HOT_FAULT_PERMILLE: u64 = 220;
const TIME_PASSES_PERMILLE: u64 = 40;
const STALL_PERMILLE: u64 = 20;
const HOT_STALL_PERMILLE: u64 = 150;
const LOST_STORE_PERMILLE: u64 = 12;
const LOST_SITE_PERMILLE: u64 = 60;

/// How often whoever went on last goes on, in thousandths: one of these in a run.
const STAYS_PERMILLE: &[u64] = &[0, 0, 300, 700];

/// Nobody who compares the site's table is waited for longer.
const COMPARING_MILLIS: i64 = 600_000;

/// What a step takes.
const STEP_MILLIS: i64 = 16;

/// How long somebody is not let on, while others are.
const STALL_STEPS: Range<u64> = 4..30;

/// A step that takes longer, by the wall, hangs.
const HANG: Duration = Duration::from_secs(40);

/// What a run was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) seed: u64,
    pub(crate) faults: Faults,
    pub(crate) mutant: Option<String>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What is broken.
    pub(crate) broken: Option<String>,
    /// Named moments passed.
    pub(crate) steps: u64,
    pub(crate) trace: Vec<String>,
    /// The audit log.
    pub(crate) log: Vec<Vec<u8>>,
}

/// Runs one seed.
pub(crate) async fn run(world: &World, asked: &Asked) -> SimResult<Outcome> {
    world.restore()?;
    let mut run = Run::begin(world, asked).await?;
    let ended = run.go().await;
    if let Err(broken) = ended {
        run.oracle.break_by(format!("the run stopped: {broken}"));
    }
    run.end().await
}

pub(crate) struct Actor {
    name: String,
    pub(crate) host: usize,
    role: Role,
    desk: Arc<Desk>,
    task: LocalBoxFuture<'static, ()>,
    held_until_millis: i64,
    held_until_step: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Worker,
    Upkeep,
    Operator,
}

pub(crate) struct Run<'a> {
    pub(crate) world: &'a World,
    pub(crate) faults: Faults,
    pub(crate) dice: Dice,
    shared: Arc<Shared>,
    pub(crate) server: Arc<Server>,
    pub(crate) witness: Arc<SimulatedWitness>,
    pub(crate) site: Site,
    pub(crate) store: StoreView,
    pub(crate) editor: Option<Editor>,
    pub(crate) standby: Option<Standby>,
    stage: Stage,
    pub(crate) hosts: Vec<Arc<Host>>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) trace: Trace,
    pub(crate) oracle: Oracle,
    is_hostile: bool,
    pub(crate) put_back: PutBack,
    /// How often, in thousandths, whoever went on last goes on.
    stays_permille: u64,
    last: String,
    steps: u64,
    born: u64,
}

impl<'a> Run<'a> {
    async fn begin(world: &'a World, asked: &Asked) -> SimResult<Self> {
        let mut dice = Dice::new(asked.seed);
        let faults = asked.faults.of_run(asked.seed);
        let exposed: Vec<_> = site::exposed_addresses(&world.people).into_iter().collect();
        let dead = (0..dice.below(3)).map(|_| dice.pick(&exposed).clone());
        let dead = dead.collect::<BTreeSet<_>>();
        let server = Arc::new(Server::new(dice.roll(), faults.clone(), dead));
        let witness = Arc::new(world.witness(dice.roll(), &faults)?);
        let hosts = world.begin(&mut dice, &faults, &server, &witness).await?;
        let mut store = StoreView::open(&world.store_file(), world.subjects()).await?;
        let (file, seed) = (world.store_file(), asked.seed);
        let editor =
            if faults.has(Fault::Editor) { Some(Editor::open(&file, seed).await?) } else { None };
        let standby = if faults.has(Fault::Failover) {
            Some(Standby::follow(&mut store, &world.path("backup.db"), seed).await?)
        } else {
            None
        };
        let stays_permille = *dice.pick(STAYS_PERMILLE);
        Ok(Self {
            world,
            dice,
            stays_permille,
            last: String::new(),
            shared: Arc::new(Shared::new(asked.mutant.clone())),
            site: Site::open(&world.primary_file(), &world.replica_file()).await?,
            stage: store.stage().await?,
            store,
            editor,
            standby,
            hosts,
            actors: Vec::new(),
            trace: Trace::default(),
            oracle: Oracle::new(world.people.clone()),
            faults,
            server,
            witness,
            is_hostile: true,
            put_back: PutBack::default(),
            steps: 0,
            born: 0,
        })
    }

    async fn go(&mut self) -> SimResult {
        self.staff().await?;
        while self.is_hostile && self.steps < HOSTILE_STEPS && !self.oracle.is_broken() {
            self.step().await?;
            if self.is_settled() && self.dice.happens(100) {
                break;
            }
        }
        if matches!(self.put_back, PutBack::Yes { .. }) {
            self.look_on().await?;
        }
        if self.editor.as_ref().is_some_and(|editor| editor.has_edited) {
            self.look_on_edited().await?;
        }
        self.drain().await
    }

    pub(crate) async fn staff(&mut self) -> SimResult {
        for host in WORKERS {
            self.hire(host).await?;
        }
        for host in 0..HOSTS {
            let name = format!("upkeep{host}");
            let task = actors::upkeep(self.host(host), name.clone(), self.trace.clone());
            self.start(name, host, Role::Upkeep, task).await?;
        }
        Ok(())
    }

    /// Nothing goes wrong any more, operators do what is theirs, and time passes.
    async fn drain(&mut self) -> SimResult {
        self.trace.line("-- drain".to_owned());
        self.be_honest().await?;
        let mut left = DRAIN_STEPS;
        while !self.oracle.is_broken() && !self.is_settled() {
            if left == 0 {
                let state = &self.stage.state;
                self.oracle.break_by(format!("the drain does not end: the campaign is {state}"));
                return Ok(());
            }
            left -= 1;
            self.go_on().await?;
        }
        Ok(())
    }

    /// One step, with operators who do what is theirs.
    pub(crate) async fn go_on(&mut self) -> SimResult {
        let is_asked = self.actors.iter().any(|actor| actor.role == Role::Operator);
        if !self.stage.is_gate_open && !self.is_over() && !is_asked {
            let order = self.way_on();
            self.order(order).await?;
        }
        self.step().await
    }

    pub(crate) async fn be_honest(&mut self) -> SimResult {
        self.is_hostile = false;
        self.server.be_honest();
        self.witness.be_honest();
        self.site.replicate().await?;
        for actor in &mut self.actors {
            (actor.held_until_millis, actor.held_until_step) = (0, 0);
        }
        Ok(())
    }

    /// What operators do about a campaign that stands still.
    fn way_on(&mut self) -> Order {
        if self.stage.state != "halted" {
            return Order::Halt;
        }
        let orders: &[Order] = if let PutBack::Signed = self.put_back {
            &[Order::Finish, Order::Finish, Order::Close]
        } else if self.faults.has(Fault::Close) {
            &[Order::Resume, Order::Resume, Order::Finish, Order::Close]
        } else {
            &[Order::Resume]
        };
        *self.dice.pick(orders)
    }

    fn is_over(&self) -> bool {
        matches!(self.stage.state.as_str(), "done" | "closed")
    }

    /// Whether the campaign is at its end, and nobody is in the middle of anything.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_over() && self.actors.iter().all(Actor::is_at_rest)
    }

    async fn end(mut self) -> SimResult<Outcome> {
        self.actors.clear();
        let host = self.host(0);
        let (server, site, store) = (&self.server, &mut self.site, &mut self.store);
        let is_restored = matches!(self.put_back, PutBack::Signed);
        if is_restored {
            // Whoever compared the table has left that behind.
            clock::step_database(COMPARING_MILLIS);
        }
        self.oracle.conclude(&host, server, site, store, is_restored).await;
        let log = instance::log_entries(&host.instance, 0).await?;
        let log = log.into_iter().map(|entry| entry.body).collect();
        drop(host);
        self.site.close().await?;
        if let Some(editor) = self.editor {
            editor.close().await?;
        }
        self.store.close().await?;
        for host in &self.hosts {
            host.instance.store().close().await;
        }
        let (trace, broken) = (self.trace.lines(), self.oracle.broken());
        Ok(Outcome { broken, steps: self.steps, trace, log })
    }

    /// Lets one strand of one task go on to its next named moment.
    pub(crate) async fn step(&mut self) -> SimResult {
        self.steps += 1;
        self.pass(STEP_MILLIS);
        if self.is_hostile {
            self.meddle().await?;
            self.follow().await?;
            if self.dice.happens(FAULT_PERMILLE) {
                self.strike(None).await?;
            }
            if self.dice.happens(STALL_PERMILLE) {
                let at = self.dice.below(self.actors.len() as u64);
                self.stall(usize::try_from(at)?);
            }
            if self.dice.happens(TIME_PASSES_PERMILLE) {
                let millis = self.dice.within(&(500..24_000));
                self.pass(i64::try_from(millis)?);
            }
        }
        let Some((at, ticket)) = self.choose() else {
            self.wait();
            return Ok(());
        };
        let fate = self.fate(ticket.name);
        let actor = &self.actors[at];
        self.last.clone_from(&actor.name);
        let lost = if fate == CommitFate::Answered { String::new() } else { format!(" {fate:?}") };
        self.trace.line(format!("{} {} {}{lost}", self.steps, actor.name, ticket.name));
        actor.desk.grant(ticket, fate);
        let lags = self.is_hostile && self.faults.has(Fault::Lag);
        if ticket.name == "site_read" && !lags {
            self.site.replicate().await?;
        }
        self.proceed(at, ticket.name).await?;
        let is_hot = self.is_hostile && self.actors.get(at).is_some_and(Actor::is_hot);
        if is_hot && self.dice.happens(HOT_FAULT_PERMILLE) {
            self.strike(Some(at)).await?;
        } else if is_hot && self.dice.happens(HOT_STALL_PERMILLE) {
            self.stall(at);
        }
        Ok(())
    }

    /// Whoever can go on: who went on last, more or less often, or anybody. Nobody begins on the site
    /// while somebody else is in it: they would wait in the database, and not here.
    fn choose(&mut self) -> Option<(usize, Ticket)> {
        let (now, is_site_held) = (self.now(), self.is_site_held());
        let is_able = |ticket: &Ticket| {
            ticket.due_millis <= now && !(is_site_held && ticket.name == "site_begin")
        };
        let mut able = Vec::new();
        for (at, actor) in self.actors.iter().enumerate() {
            if actor.held_until_millis <= now && actor.held_until_step <= self.steps {
                let tickets = actor.desk.tickets();
                able.extend(tickets.into_iter().filter(is_able).map(|ticket| (at, ticket)));
            }
        }
        if self.dice.happens(self.stays_permille) {
            let last = able.iter().filter(|(at, _)| self.actors[*at].name == self.last);
            let last: Vec<_> = last.copied().collect();
            if !last.is_empty() {
                able = last;
            }
        }
        (!able.is_empty()).then(|| *self.dice.pick(&able))
    }

    /// Time passes until somebody can go on.
    fn wait(&mut self) {
        let next = self.actors.iter().filter_map(|actor| {
            let due = actor.desk.tickets().into_iter().map(|ticket| ticket.due_millis).min()?;
            Some(due.max(actor.held_until_millis))
        });
        let wait = next
            .filter(|next| *next > self.now())
            .min()
            .map_or(STEP_MILLIS, |next| next - self.now());
        self.pass(wait.max(STEP_MILLIS));
    }

    fn fate(&mut self, name: &str) -> CommitFate {
        let permille = match name {
            "begin" if self.faults.has(Fault::LostStore) => LOST_STORE_PERMILLE,
            "site_begin" if self.faults.has(Fault::LostSite) => LOST_SITE_PERMILLE,
            _ => 0,
        };
        if !self.is_hostile || !self.dice.happens(permille) {
            return CommitFate::Answered;
        }
        *self.dice.pick(&[CommitFate::AnswerLost, CommitFate::NeverArrives])
    }

    /// Polls a task until everything of it waits, and looks at what it did.
    async fn proceed(&mut self, at: usize, from: &str) -> SimResult {
        let was_in_site = from == "site_begin" || self.actors[at].desk.holds_site();
        let actor = &mut self.actors[at];
        let (task, desk) = (&mut actor.task, &actor.desk);
        let polled = poll_fn(|context| match task.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if desk.is_quiet() => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        });
        let name = actor.name.clone();
        let ended = timeout(HANG, polled).await.map_err(|_| format!("{name} hangs"))?;
        if was_in_site {
            self.oracle.read(&name, &mut self.site, &mut self.store).await?;
        }
        if from == "begin" {
            self.stage = self.store.stage().await?;
        }
        if self.actors[at].has_intended() {
            self.oracle.intended(&name);
        }
        let passing = self.actors.iter().filter(|actor| actor.is_passing());
        let passing = passing.map(|actor| actor.name.clone()).collect();
        self.oracle.look(&name, self.server.begun(), self.stage.is_gate_open, passing);
        if from == "smtp_data" {
            self.oracle.judge_taken(&self.server);
        }
        if ended {
            self.actors.remove(at);
        }
        Ok(())
    }

    /// Something goes wrong, if possible for the task that has just come to a hot moment.
    async fn strike(&mut self, hot: Option<usize>) -> SimResult {
        let weights = WEIGHTS.iter().filter(|(fault, _)| self.faults.has(*fault));
        let faults = weights.flat_map(|(fault, weight)| repeat_n(*fault, *weight));
        let faults: Vec<_> = faults.collect();
        if faults.is_empty() {
            return Ok(());
        }
        let fault = *self.dice.pick(&faults);
        if matches!(fault, Fault::Person | Fault::Rehash) && self.is_site_held() {
            return Ok(());
        }
        self.inflict(fault, hot).await
    }

    async fn inflict(&mut self, fault: Fault, hot: Option<usize>) -> SimResult {
        match fault {
            Fault::Crash => self.kill(hot).await,
            Fault::Pause => {
                if let Some(at) = self.victim(hot) {
                    let half = clock::millis(LEASE) / 2;
                    let long = self.dice.within(&(1..7));
                    let until = self.now() + half * i64::try_from(long)?;
                    self.actors[at].held_until_millis = until;
                    self.trace.line(format!("  {} stands still", self.actors[at].name));
                }
                Ok(())
            }
            Fault::Lag => {
                self.trace.line("  the replica catches up".to_owned());
                self.site.replicate().await
            }
            Fault::Clock => {
                let step = i64::try_from(self.dice.below(90_000))? - 30_000;
                self.trace.line(format!("  the databases' clock moves by {step} ms"));
                if step < 0 {
                    self.oracle.clock_went_back();
                }
                clock::step_database(step);
                Ok(())
            }
            Fault::Person => {
                let person = self.dice.pick(&self.world.people);
                self.trace.line(format!("  {} chooses a password", person.id));
                self.site.choose(person, &mut self.dice).await
            }
            Fault::Rehash => {
                let person = self.dice.pick(&self.world.people);
                if self.site.rehash(person, &mut self.dice).await? {
                    self.trace.line(format!("  {} signs in and is rehashed", person.id));
                }
                Ok(())
            }
            Fault::Halt => {
                let orders = match self.stage.state.as_str() {
                    "halted" => &[Order::Resume, Order::Resume, Order::Finish][..],
                    _ => &[Order::Halt, Order::HaltAll],
                };
                let order = *self.dice.pick(orders);
                self.order(order).await
            }
            Fault::Restore => self.put_back().await,
            Fault::Close => match self.stage.state.as_str() {
                "halted" => self.order(Order::Close).await,
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The others go on, while hardly any time passes.
    fn stall(&mut self, at: usize) {
        self.actors[at].held_until_step = self.steps + self.dice.within(&STALL_STEPS);
    }

    fn is_site_held(&self) -> bool {
        self.actors.iter().any(|actor| actor.desk.holds_site())
    }

    fn victim(&mut self, hot: Option<usize>) -> Option<usize> {
        let workers = self.actors.iter().enumerate();
        let workers = workers.filter(|(_, actor)| actor.role == Role::Worker);
        let workers: Vec<_> = workers.map(|(at, _)| at).collect();
        hot.filter(|at| workers.contains(at))
            .or_else(|| (!workers.is_empty()).then(|| *self.dice.pick(&workers)))
    }

    /// A worker dies where it stands, and another one takes its place after a while.
    async fn kill(&mut self, hot: Option<usize>) -> SimResult {
        let Some(at) = self.victim(hot) else { return Ok(()) };
        let Actor { name, host, .. } = self.actors.remove(at);
        self.trace.line(format!("  {name} dies"));
        let until = self.now() + i64::try_from(self.dice.below(30_000))?;
        self.hire(host).await?;
        if let Some(actor) = self.actors.last_mut() {
            actor.held_until_millis = until;
        }
        Ok(())
    }

    async fn hire(&mut self, host: usize) -> SimResult {
        let name = format!("worker{}@{host}", self.born);
        let task = actors::worker(self.host(host), name.clone(), self.trace.clone());
        self.start(name, host, Role::Worker, task).await
    }

    async fn order(&mut self, order: Order) -> SimResult {
        let name = format!("operator{}", self.born);
        self.trace.line(format!("  {name} begins to {order:?}"));
        let task = actors::operator(self.host(0), order, name.clone(), self.trace.clone());
        self.start(name, 0, Role::Operator, task).await
    }

    async fn start(
        &mut self,
        name: String,
        host: usize,
        role: Role,
        task: LocalBoxFuture<'static, ()>,
    ) -> SimResult {
        self.born += 1;
        let (desk, hook) = Desk::open(&self.shared);
        let task = Box::pin(simulated(hook, task));
        self.oracle.born(&name);
        self.actors.push(Actor {
            name,
            host,
            role,
            desk,
            task,
            held_until_millis: 0,
            held_until_step: 0,
        });
        self.proceed(self.actors.len() - 1, "start").await
    }

    fn host(&self, number: usize) -> Arc<Host> {
        Arc::clone(&self.hosts[number])
    }

    fn now(&self) -> i64 {
        self.shared.now_millis.load(Ordering::SeqCst)
    }

    fn pass(&self, millis: i64) {
        self.shared.now_millis.fetch_add(millis, Ordering::SeqCst);
        clock::step_database(millis);
    }
}

impl Actor {
    fn is_hot(&self) -> bool {
        self.desk.tickets().iter().any(|ticket| HOT.contains(&ticket.name))
    }

    /// Whether it was let through while it held the site's row, and has only to commit there.
    fn is_passing(&self) -> bool {
        let is_through = |ticket: &Ticket| matches!(ticket.name, "committed" | "swap_passed");
        self.desk.holds_site() && self.desk.tickets().iter().any(is_through)
    }

    /// Whether it has just committed what it is about to seal.
    fn has_intended(&self) -> bool {
        self.desk.tickets().iter().any(|ticket| ticket.name == "sealing_intended")
    }

    fn is_at_rest(&self) -> bool {
        let tickets = self.desk.tickets();
        tickets.iter().all(|ticket| matches!(ticket.name, "idle" | "sleep"))
    }
}
