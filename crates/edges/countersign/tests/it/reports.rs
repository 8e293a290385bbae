//! Reports of a process that has read the log before say the same as those that read it all.

use std::{fs, sync::Arc};

use campaigns::{CampaignReport, report_campaign};
use futures_util::future::join_all;
use instance::{Instance, InstanceKey, InstanceOptions};
use model::{Clock, Timestamp};
use store::{Store, StoreOptions};
use tokio::runtime::Runtime;

use crate::{
    harness::Backend,
    office::{CAMPAIGN, Named, Office, ids},
};

/// Pages that are asked for at once.
const AT_ONCE: usize = 6;

/// A process that shows reports while others work.
struct Reporter {
    runtime: Runtime,
    instance: Instance,
}

impl Reporter {
    fn of(office: &Office) -> Self {
        let runtime = Runtime::new().unwrap();
        let file = office.path("countersign.sqlite3");
        let url = office.instance.store();
        let url = url.map_or_else(|| format!("sqlite:{file}"), |database| database.url.clone());
        let key = fs::read_to_string(office.path("instance.key")).unwrap();
        let options = InstanceOptions {
            lease: instance::limits::LEASE,
            piece_bytes: exposure::limits::PIECE_BYTES,
            spool_folder: office.path("spool").into(),
        };
        let instance = runtime.block_on(async {
            let store = Store::open(&url, StoreOptions { connections_max: 4 }).await.unwrap();
            let (key, random) = (InstanceKey::parse(&key).unwrap(), Named("ana".to_owned()));
            let opened = Instance::open(store, key, Arc::new(NoClock), Arc::new(random), options);
            opened.await.unwrap()
        });
        Self { runtime, instance }
    }

    /// Asks as many people do, all at once; none of them may be told that it does not add up.
    #[track_caller]
    fn reports(&self) -> Vec<CampaignReport> {
        let asked = (0..AT_ONCE).map(|_| report_campaign(&self.instance, CAMPAIGN));
        let answered = self.runtime.block_on(join_all(asked));
        answered.into_iter().map(|report| report.unwrap()).collect()
    }

    /// While nothing happens, everybody reads what a process does that has just been started.
    #[track_caller]
    fn assert_as_if_fresh(&self, office: &Office, state: &str) {
        let fresh = Self::of(office).reports().remove(0);
        assert_eq!(fresh.state, state);
        assert!(self.reports().iter().all(|report| *report == fresh), "{fresh:#?}");
    }
}

/// No report asks what time it is.
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

#[test]
fn every_step_of_a_campaign_is_reported_as_if_read_afresh() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.freeze("ramp = [{ reach = { permille = 1000 }, reapproval = true }]");
        let reporter = Reporter::of(&office);
        reporter.assert_as_if_fresh(&office, "frozen");
        office.steer("thaw").json();
        reporter.assert_as_if_fresh(&office, "draft");
        office.freeze_again();
        reporter.assert_as_if_fresh(&office, "frozen");
        office.sign_and_start();
        reporter.assert_as_if_fresh(&office, "canary");
        work(&office, &reporter);
        reporter.assert_as_if_fresh(&office, "halted");
        office.freeze_again();
        office.approve(&["bob", "cleo"]).json();
        office.steer("resume").json();
        reporter.assert_as_if_fresh(&office, "ramp");
        work(&office, &reporter);
        reporter.assert_as_if_fresh(&office, "done");
        office.assert_settled(&ids(&office.exposed()));
    }
}

/// Works, and is asked for reports all the while.
fn work(office: &Office, reporter: &Reporter) {
    let mut worker = office.start_work();
    let mut told = 0;
    while !worker.has_ended() {
        let entries: Vec<_> = reporter.reports().iter().map(|told| told.log_entries).collect();
        assert!(entries.iter().all(|entries| *entries >= told), "{entries:?} after {told}");
        told = entries.into_iter().max().unwrap();
    }
    let run = worker.wait();
    assert_eq!(run.code, 0, "{}", run.stderr);
}
