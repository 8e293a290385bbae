//! A store that is put back as it was, or whose standby takes over, and what operators do about it.

use campaigns::{Reconciling, Thoroughness};
use model::Discrepancy;
use std::{collections::BTreeSet, path::Path};

use crate::{
    SimResult,
    dice::Dice,
    faults::Fault,
    run::Run,
    site::StoreView,
    world::{Host, Silent},
};

/// Named moments that a run goes on after its store was put back, and before anybody signs.
const PUT_BACK_STEPS: u64 = 250;

/// The host that may be away. Operators work on the other one.
const ABSENT: usize = 1;

/// How far the store of a run was put back.
#[derive(Debug, Default)]
pub(crate) enum PutBack {
    #[default]
    No,
    /// It was kept so.
    Kept(Vec<u8>),
    /// It is so again, or a standby has taken over: nobody must be told twice by it.
    Yes {
        /// How many mails were begun when a standby took over: by that nobody sends at all.
        sent: Option<usize>,
        /// Whether it has everything.
        is_complete: bool,
    },
    /// Operators have signed that steps are lost.
    Signed,
}

/// What follows the store and may take its place, once in a run.
#[derive(Debug)]
pub(crate) struct Standby {
    dice: Dice,
    /// Whether each commit waits for it: then nothing is lost.
    is_synchronous: bool,
    has: Vec<u8>,
}

impl Standby {
    pub(crate) async fn follow(store: &mut StoreView, to: &Path, seed: u64) -> SimResult<Self> {
        let mut dice = Dice::new(seed);
        let (is_synchronous, has) = (dice.happens(300), store.back_up(to).await?);
        Ok(Self { dice, is_synchronous, has })
    }
}

/// In thousandths of the steps: how often a standby catches up, and how often it takes over.
const CATCHES_UP_PERMILLE: u64 = 60;
const TAKES_OVER_PERMILLE: u64 = 8;

impl Run<'_> {
    /// A standby may catch up, or take over, if this run has one.
    pub(crate) async fn follow(&mut self) -> SimResult {
        let Some(standby) = &mut self.standby else { return Ok(()) };
        let takes_over = standby.dice.happens(TAKES_OVER_PERMILLE);
        if standby.dice.happens(CATCHES_UP_PERMILLE) || takes_over && standby.is_synchronous {
            standby.has = self.store.back_up(&self.world.path("backup.db")).await?;
        }
        if takes_over { self.take_over().await } else { Ok(()) }
    }

    async fn take_over(&mut self) -> SimResult {
        let Some(standby) = self.standby.take() else { return Ok(()) };
        let loses = if standby.is_synchronous { "nothing" } else { "what it has not got" };
        self.trace.line(format!("  a standby takes over, and loses {loses}"));
        self.send_home().await?;
        self.world.fail_over();
        self.world.put_back(&standby.has)?;
        let sent = Some(self.server.begun());
        self.put_back = PutBack::Yes { sent, is_complete: standby.is_synchronous };
        self.come_back().await
    }

    /// Keeps the store as it is, and the next time puts it back.
    pub(crate) async fn put_back(&mut self) -> SimResult {
        match std::mem::take(&mut self.put_back) {
            PutBack::No => {
                self.trace.line("  the store is backed up".to_owned());
                let bytes = self.store.back_up(&self.world.path("backup.db")).await?;
                self.put_back = PutBack::Kept(bytes);
                if self.faults.has(Fault::Absence) {
                    self.trace.line(format!("  host {ABSENT} goes away"));
                    self.actors.retain(|actor| actor.host != ABSENT);
                }
                Ok(())
            }
            PutBack::Kept(before) => {
                self.trace.line("  the store is put back".to_owned());
                self.send_home().await?;
                self.world.put_back(&before)?;
                self.put_back = PutBack::Yes { sent: None, is_complete: false };
                self.come_back().await
            }
            done => {
                self.put_back = done;
                Ok(())
            }
        }
    }

    /// Nothing goes wrong any more, and a store that was put back gives nobody away. Then operators
    /// sign that steps are lost.
    pub(crate) async fn look_on(&mut self) -> SimResult {
        self.trace.line("-- put back".to_owned());
        self.be_honest().await?;
        for _ in 0..PUT_BACK_STEPS {
            if self.oracle.is_broken() {
                return Ok(());
            }
            self.step().await?;
        }
        if let PutBack::Yes { sent: Some(sent), .. } = self.put_back
            && self.server.begun() > sent
        {
            self.oracle.break_by("a mail began by a standby for which nobody had signed".into());
        }
        self.send_home().await?;
        self.trace.line("-- armed again".to_owned());
        self.world.arm(&mut self.dice, &self.witness).await?;
        self.witness.forget();
        let is_complete = matches!(self.put_back, PutBack::Yes { is_complete: true, .. });
        self.put_back = if is_complete { PutBack::No } else { PutBack::Signed };
        self.come_back().await
    }

    /// Every process ends.
    async fn send_home(&mut self) -> SimResult {
        self.actors.clear();
        for host in &self.hosts {
            host.instance.store().close().await;
        }
        self.store.leave(&self.world.path("backup.db")).await
    }

    async fn come_back(&mut self) -> SimResult {
        let (world, faults) = (self.world, &self.faults);
        self.hosts = world.open(&mut self.dice, faults, &self.server, &self.witness).await?;
        self.store = StoreView::open(&world.store_file(), world.subjects()).await?;
        self.staff().await
    }
}

/// Accounts that hold a value of ours of which the store knows nothing.
pub(crate) async fn unrecorded(host: &Host) -> SimResult<BTreeSet<i64>> {
    let means = Reconciling {
        instance: &host.instance,
        directory: &*host.means.directory,
        verifier: &host.means.verifier,
        progress: &Silent,
    };
    let found = campaigns::reconcile(&means, Thoroughness::default()).await?;
    let unrecorded = found.list.iter().filter(|line| line.kind == Discrepancy::Unrecorded);
    unrecorded.map(|line| Ok(line.account.parse()?)).collect()
}
