//! A store that is put back as it was, and what operators do about it.

use campaigns::{Reconciling, Thoroughness};
use model::Discrepancy;
use std::collections::BTreeSet;

use crate::{
    SimResult,
    run::Run,
    site::StoreView,
    world::{Host, Silent},
};

/// Named moments that a run goes on after its store was put back, and before anybody signs.
const PUT_BACK_STEPS: u64 = 250;

/// How far the store of a run was put back.
#[derive(Debug, Default)]
pub(crate) enum PutBack {
    #[default]
    No,
    /// It was kept so.
    Kept(Vec<u8>),
    /// It is so again: nobody must send by it any more.
    Yes,
    /// Operators have signed that steps are lost.
    Signed,
}

impl Run<'_> {
    /// Keeps the store as it is, and the next time puts it back.
    pub(crate) async fn put_back(&mut self) -> SimResult {
        match std::mem::take(&mut self.put_back) {
            PutBack::No => {
                self.trace.line("  the store is backed up".to_owned());
                let bytes = self.store.back_up(&self.world.path("backup.db")).await?;
                self.put_back = PutBack::Kept(bytes);
                Ok(())
            }
            PutBack::Kept(before) => {
                self.trace.line("  the store is put back".to_owned());
                self.send_home().await?;
                self.world.put_back(&before)?;
                self.put_back = PutBack::Yes;
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
        self.send_home().await?;
        self.trace.line("-- armed again".to_owned());
        self.world.arm(&mut self.dice, &self.witness).await?;
        self.witness.forget();
        self.put_back = PutBack::Signed;
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
