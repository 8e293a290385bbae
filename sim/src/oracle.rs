//! What must hold, judged by the site's own history and by the mails that the relay took.
//!
//! None of it asks the program's code, but for what it reports.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use campaigns::{ReportFolds, report_campaign};
use serde_json::Value;

use crate::{
    SimResult,
    faults::{Fault, Faults},
    relay::Server,
    site::{Person, Site, StoreView, Written},
    world::{CAMPAIGN, Host},
};

pub(crate) struct Oracle {
    people: Vec<Person>,
    faults: Faults,
    broken: Option<String>,
    written: Vec<Written>,
    mails_begun: usize,
    /// Who was alive when the gate closed, with the mails begun since; `None` while it is open.
    since_closed: Option<BTreeMap<String, u32>>,
    /// Who may still commit a swap although the gate has closed, once.
    passing: BTreeSet<String>,
    alive: BTreeSet<String>,
}

impl Oracle {
    pub(crate) fn new(people: Vec<Person>, faults: Faults) -> Self {
        Self {
            people,
            faults,
            broken: None,
            written: Vec::new(),
            mails_begun: 0,
            since_closed: None,
            passing: BTreeSet::new(),
            alive: BTreeSet::new(),
        }
    }

    pub(crate) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    pub(crate) fn broken(&self) -> Option<String> {
        self.broken.clone()
    }

    /// The first thing that is broken is what a run is remembered for.
    pub(crate) fn break_by(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    pub(crate) fn born(&mut self, actor: &str) {
        self.alive.insert(actor.to_owned());
    }

    /// Reads what a task may have written to the site.
    pub(crate) async fn read(&mut self, actor: &str, site: &mut Site) -> SimResult {
        for written in site.history(self.written.len()).await? {
            self.judge_write(actor, &written);
            self.written.push(written);
        }
        Ok(())
    }

    /// Looks at what else it has done, and at the gate.
    ///
    /// `passing` may still commit on the site what they were let through for before.
    pub(crate) fn look(
        &mut self,
        actor: &str,
        mails_begun: usize,
        is_gate_open: bool,
        passing: BTreeSet<String>,
    ) {
        let more = mails_begun - mem::replace(&mut self.mails_begun, mails_begun);
        self.judge_mails(actor, more);
        match (is_gate_open, &self.since_closed) {
            (true, _) => self.since_closed = None,
            (false, None) => {
                self.passing = passing;
                self.since_closed =
                    Some(self.alive.iter().map(|actor| (actor.clone(), 0)).collect());
            }
            (false, Some(_)) => {}
        }
    }

    fn judge_write(&mut self, actor: &str, written: &Written) {
        let Some(person) = self.person(written.account).filter(|p| p.is_ours(&written.new)) else {
            return;
        };
        if !person.is_leaked(&written.old) {
            let id = person.id;
            self.break_by(format!("{actor} replaced a password of {id} that nobody has stolen"));
        }
        if self.since_closed.is_some() && !self.passing.remove(actor) {
            let id = written.account;
            self.break_by(format!("{actor} sealed {id} after the gate had closed"));
        }
    }

    /// What a worker had in hand when the gate closed, it may end.
    fn judge_mails(&mut self, actor: &str, more: usize) {
        let Some(since) = self.since_closed.as_mut().filter(|_| more > 0) else { return };
        match since.get_mut(actor) {
            Some(begun) if *begun == 0 => *begun = 1,
            _ => self.break_by(format!("{actor} began a mail after the gate had closed")),
        }
    }

    fn person(&self, id: i64) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Once nothing goes wrong any more, and everybody had their time.
    pub(crate) async fn conclude(
        &mut self,
        host: &Host,
        server: &Server,
        site: &mut Site,
        store: &mut StoreView,
    ) {
        if let Err(error) = self.try_conclude(host, server, site, store).await {
            self.break_by(error.to_string());
        }
    }

    async fn try_conclude(
        &mut self,
        host: &Host,
        server: &Server,
        site: &mut Site,
        store: &mut StoreView,
    ) -> SimResult {
        let rest = site.history(self.written.len()).await?;
        self.written.extend(rest);
        for (address, mails) in server.taken() {
            if mails.len() > 1 {
                self.break_by(format!("{address} was told {} times", mails.len()));
            }
        }
        if self.is_broken() {
            return Ok(());
        }
        instance::verify_log(&host.instance, None).await?;
        let report = report_campaign(&host.instance, &ReportFolds::default(), CAMPAIGN).await?;
        let report = Counted(serde_json::to_value(report)?);
        self.judge_counts(&report);
        self.judge_told(&report, server);
        let open = store.in_between().await?;
        if open > 0 {
            self.break_by(format!("{open} accounts and notices are still in between"));
        }
        Ok(())
    }

    /// Accounts whose row ever held a value of ours.
    fn ever_ours(&self) -> BTreeSet<i64> {
        let ours = self.written.iter().filter(|written| {
            self.person(written.account).is_some_and(|person| person.is_ours(&written.new))
        });
        ours.map(|written| written.account).collect()
    }

    fn judge_counts(&mut self, report: &Counted) {
        let ever = self.ever_ours().len() as u64;
        let sealed = report.count("sealed");
        let most = sealed + report.count("sealing") + report.count("perhaps_sealed");
        if ever < sealed || ever > most {
            self.break_by(format!(
                "{ever} accounts held a value of ours, the report counts {sealed} to {most}"
            ));
        }
    }

    fn judge_told(&mut self, report: &Counted, server: &Server) {
        let (taken, refused) = (server.taken(), server.refused());
        let ever = self.ever_ours();
        let ours = self.people.iter().filter(|person| ever.contains(&person.id));
        let ours: BTreeSet<_> = ours.map(|person| person.email.clone()).collect();
        let untold = ours.iter().filter(|address| !taken.contains_key(*address)).count() as u64;
        let [sent, not_taken, unclear] =
            ["sent", "refused", "uncertain"].map(|state| report.notices(state));
        let explained = not_taken + unclear + report.count("perhaps_sealed");
        if untold > explained {
            self.break_by(format!("{untold} addresses were not told, {explained} are listed"));
        }
        let told = taken.len() as u64;
        if told < sent || told > sent + unclear {
            self.break_by(format!("{told} mails were taken, {sent} are listed as sent"));
        }
        let dead = refused.len() as u64;
        if not_taken > dead && self.faults.has(Fault::RelayRefusesUs) {
            self.break_by(format!("{not_taken} listed as refused, the relay refused {dead}"));
        }
        if let Some(address) = taken.keys().find(|address| !ours.contains(*address)) {
            self.break_by(format!("{address} was told, and nothing of theirs was touched"));
        }
    }
}

/// A report as it is published.
struct Counted(Value);

impl Counted {
    fn count(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_default()
    }

    fn notices(&self, state: &str) -> u64 {
        self.0["notices"][state].as_u64().unwrap_or_default()
    }
}
