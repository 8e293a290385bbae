//! What must hold, judged by the site's own history and by the mails that the relay took.
//!
//! None of it asks the program's code, but for what it reports.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use campaigns::report_campaign;
use instance::Instance;
use serde_json::Value;

use crate::{
    SimResult,
    relay::Server,
    restore::unrecorded,
    site::{Kept, Person, Site, StoreView, Written},
    world::{CAMPAIGN, Host},
};

pub(crate) struct Oracle {
    people: Vec<Person>,
    broken: Option<String>,
    /// Every write to the site, with how often the gate had closed before.
    written: Vec<(Written, u32)>,
    mails_begun: usize,
    /// How often the gate has closed.
    closings: u32,
    /// Who was alive when the gate closed, with the mails begun since; `None` while it is open.
    since_closed: Option<BTreeMap<String, u32>>,
    /// Who may still commit a swap although the gate has closed, once.
    passing: BTreeSet<String>,
    /// How often the gate had closed when somebody last committed what they are about to seal.
    intended: BTreeMap<String, u32>,
    alive: BTreeSet<String>,
    /// Then times do not tell what was first.
    went_back: bool,
    /// Then rows do not tell who waits.
    is_edited: bool,
}

impl Oracle {
    pub(crate) const fn new(people: Vec<Person>) -> Self {
        Self {
            people,
            broken: None,
            written: Vec::new(),
            mails_begun: 0,
            closings: 0,
            since_closed: None,
            passing: BTreeSet::new(),
            intended: BTreeMap::new(),
            alive: BTreeSet::new(),
            went_back: false,
            is_edited: false,
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

    pub(crate) fn intended(&mut self, actor: &str) {
        self.intended.insert(actor.to_owned(), self.closings);
    }

    pub(crate) const fn clock_went_back(&mut self) {
        self.went_back = true;
    }

    pub(crate) const fn edited(&mut self) {
        self.is_edited = true;
    }

    /// Reads what a task may have written to the site.
    pub(crate) async fn read(
        &mut self,
        actor: &str,
        site: &mut Site,
        store: &mut StoreView,
    ) -> SimResult {
        for written in site.history(self.written.len()).await? {
            if self.is_ours(&written) {
                self.judge_write(actor, &written);
                if self.intended.get(actor) == Some(&self.closings) {
                    let kept = store.kept().await?;
                    self.judge_order(actor, written.account, &kept);
                }
            }
            self.written.push((written, self.closings));
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
                self.closings += 1;
                self.passing = passing;
                self.since_closed =
                    Some(self.alive.iter().map(|actor| (actor.clone(), 0)).collect());
                return;
            }
            (false, Some(_)) => {}
        }
        self.passing.retain(|actor| passing.contains(actor));
    }

    fn judge_write(&mut self, actor: &str, written: &Written) {
        let id = written.account;
        if self.person(id).is_some_and(|person| !person.is_leaked(&written.old)) {
            self.break_by(format!("{actor} replaced a password of {id} that nobody has stolen"));
        }
        if self.passing.remove(actor) {
            return;
        }
        if self.since_closed.is_some() {
            self.break_by(format!("{actor} sealed {id} after the gate had closed"));
        }
        if self.intended.get(actor) != Some(&self.closings) {
            self.break_by(format!("{actor} sealed {id} by an intent from before a halt"));
        }
    }

    /// Nobody new is sealed while somebody who was sealed before a halt waits for their first mail.
    fn judge_order(&mut self, actor: &str, account: i64, kept: &[Kept]) {
        let Some(address) = self.email(account).cloned() else { return };
        let of_address = |kept: &&Kept| self.email(kept.account) == Some(&address);
        let is_begun = |kept: &Kept| !matches!(kept.state.as_str(), "pending" | "sealing");
        if self.went_back || self.is_edited || kept.iter().filter(of_address).any(is_begun) {
            return;
        }
        let waits = |kept: &&Kept| {
            let is_sealed = matches!(kept.state.as_str(), "sealed" | "sealing");
            let is_untried = match kept.notice.as_deref() {
                None => true,
                Some(state) => state == "pending" && kept.attempts == 0,
            };
            is_sealed && is_untried && self.was_ours_before(kept.account) && !of_address(kept)
        };
        if let Some(kept) = kept.iter().find(waits) {
            let waiting = kept.account;
            self.break_by(format!("{actor} sealed {account} while {waiting} waited for a mail"));
        }
    }

    fn was_ours_before(&self, account: i64) -> bool {
        let mut earlier = self.written.iter().filter(|(_, closings)| *closings < self.closings);
        earlier.any(|(written, _)| written.account == account && self.is_ours(written))
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

    fn email(&self, id: i64) -> Option<&String> {
        self.person(id).map(|person| &person.email)
    }

    fn is_ours(&self, written: &Written) -> bool {
        self.person(written.account).is_some_and(|person| person.is_ours(&written.new))
    }

    /// Nobody is told twice.
    pub(crate) fn judge_taken(&mut self, server: &Server) {
        if let Some(address) = server.told_twice() {
            self.break_by(format!("{address} was told twice"));
        }
    }

    /// Once nothing goes wrong any more, and everybody had their time. A store that was put back, of which
    /// operators have signed so, does not know everything any more, and says of whom not.
    pub(crate) async fn conclude(
        &mut self,
        host: &Host,
        server: &Server,
        site: &mut Site,
        store: &mut StoreView,
        is_restored: bool,
    ) {
        if let Err(error) = self.try_conclude(host, server, site, store, is_restored).await {
            self.break_by(error.to_string());
        }
    }

    async fn try_conclude(
        &mut self,
        host: &Host,
        server: &Server,
        site: &mut Site,
        store: &mut StoreView,
        is_restored: bool,
    ) -> SimResult {
        let (rest, closings) = (site.history(self.written.len()).await?, self.closings);
        self.written.extend(rest.into_iter().map(|written| (written, closings)));
        self.judge_taken(server);
        if self.is_broken() {
            return Ok(());
        }
        let kept = store.kept().await?;
        let verified = instance::verify_log(&host.instance, None).await?;
        if let Some(fault) = verified.history.faults.first() {
            self.break_by(fault.to_string());
        }
        if is_restored {
            self.judge_told_of(&kept, &unrecorded(host).await?);
        } else {
            self.judge_all(&kept, host, server).await?;
        }
        let open = store.in_between().await?;
        if open > 0 {
            self.break_by(format!("{open} accounts and notices are still in between"));
        }
        Ok(())
    }

    /// What was kept is all that happened.
    async fn judge_all(&mut self, kept: &[Kept], host: &Host, server: &Server) -> SimResult {
        for account in kept {
            self.judge_account(account, server);
        }
        self.judge_untouched(server);
        self.judge_comparisons(&host.instance).await?;
        let report = report_campaign(&host.instance, CAMPAIGN).await?;
        self.judge_report(&Counted(serde_json::to_value(report)?), server);
        Ok(())
    }

    /// Whoever holds a value of ours is listed, or found by a comparison of the site's table.
    fn judge_told_of(&mut self, kept: &[Kept], unrecorded: &BTreeSet<i64>) {
        for Kept { account: id, state, .. } in kept {
            let last = self.written.iter().rfind(|(written, _)| written.account == *id);
            let is_ours = last.is_some_and(|(written, _)| self.is_ours(written));
            let is_listed = matches!(state.as_str(), "sealed" | "reset" | "overtaken");
            if is_ours && !is_listed && !unrecorded.contains(id) {
                self.break_by(format!("{id} holds a value of ours, and nothing tells of it"));
            }
        }
    }

    /// Accounts whose row ever held a value of ours.
    fn ever_ours(&self) -> BTreeSet<i64> {
        let ours = self.written.iter().filter(|(written, _)| self.is_ours(written));
        ours.map(|(written, _)| written.account).collect()
    }

    /// Whoever held a value of ours is listed so, and was told, unless it is on record why not.
    fn judge_account(&mut self, kept: &Kept, server: &Server) {
        let (id, state) = (kept.account, kept.state.as_str());
        let was_ours = self.ever_ours().contains(&id);
        let is_listed = matches!(state, "sealed" | "reset");
        if was_ours && !is_listed && state != "overtaken" {
            self.break_by(format!("{id} held a value of ours, and is listed as {state}"));
        }
        if !was_ours && is_listed {
            self.break_by(format!("{id} is listed as {state}, and never held a value of ours"));
        }
        let mut writes = self.written.iter().map(|(written, _)| written);
        if state == "skipped" && !writes.any(|written| written.account == id) {
            self.break_by(format!("{id} was left alone, and nobody has changed it"));
        }
        let last = self.written.iter().rfind(|(written, _)| written.account == id);
        let is_leaked = |hash: &str| self.person(id).is_some_and(|person| person.is_leaked(hash));
        if state == "skipped" && last.is_some_and(|(written, _)| is_leaked(&written.new)) {
            self.break_by(format!("{id} was left alone, and the leaked password opens it still"));
        }
        let last = self.written.iter().rfind(|(written, _)| written.account == id);
        if state == "overtaken" && last.is_none_or(|(written, _)| self.is_ours(written)) {
            self.break_by(format!("{id} is listed as overtaken, and nobody else wrote there"));
        }
        let Some(address) = self.email(id).cloned() else { return };
        let notice = kept.notice.as_deref();
        let is_told = server.taken().contains(&address);
        if is_listed && !is_told && !matches!(notice, Some("refused" | "uncertain")) {
            self.break_by(format!("{id} was sealed, nobody told {address}, and nothing says why"));
        }
        if notice == Some("sent") && !is_told {
            self.break_by(format!("the mail to {address} is listed as sent, and was not taken"));
        }
        if notice == Some("refused") && !server.refused().contains(&address) {
            self.break_by(format!("{address} is listed as refused, and the relay did not refuse"));
        }
    }

    fn judge_untouched(&mut self, server: &Server) {
        let ever = self.ever_ours();
        let ours = self.people.iter().filter(|person| ever.contains(&person.id));
        let ours: BTreeSet<_> = ours.map(|person| person.email.clone()).collect();
        if let Some(address) = server.taken().iter().find(|address| !ours.contains(*address)) {
            self.break_by(format!("{address} was told, and nothing of theirs was touched"));
        }
    }

    /// Nobody has restored the site, or our store: whoever compares the two finds at most that people
    /// wait to be told.
    async fn judge_comparisons(&mut self, instance: &Instance) -> SimResult {
        for entry in instance::log_entries(instance, 0).await? {
            let entry: Value = serde_json::from_slice(&entry.body)?;
            let found = entry["found"].as_object().filter(|_| entry["event"] == "table_reconciled");
            let odd = found.into_iter().flatten().find(|(kind, _)| *kind != "untold");
            if let Some((kind, accounts)) = odd {
                self.break_by(format!("{accounts} accounts were found {kind}"));
            }
        }
        Ok(())
    }

    /// What somebody is told who asks in between, if they are told anything.
    pub(crate) async fn judge_asked(&mut self, host: &Host, server: &Server) -> SimResult {
        let Ok(report) = report_campaign(&host.instance, CAMPAIGN).await else { return Ok(()) };
        self.judge_counts(&Counted(serde_json::to_value(report)?), server);
        Ok(())
    }

    /// What is published in the end agrees with what happened.
    fn judge_report(&mut self, report: &Counted, server: &Server) {
        self.judge_counts(report, server);
        if report.count("untold") > 0 {
            self.break_by(format!("the report counts {} untold", report.count("untold")));
        }
    }

    /// What is published at any time does.
    fn judge_counts(&mut self, report: &Counted, server: &Server) {
        let ever = self.ever_ours().len() as u64;
        let sealed = report.count("sealed");
        let most = sealed + report.count("sealing") + report.count("perhaps_sealed");
        if ever < sealed || ever > most {
            self.break_by(format!(
                "{ever} accounts held a value of ours, the report counts {sealed} to {most}"
            ));
        }
        let (told, sent) = (server.taken().len() as u64, report.notices("sent"));
        let most = sent + report.notices("uncertain") + report.notices("inflight");
        if told < sent || told > most {
            self.break_by(format!("{told} mails were taken, {sent} are listed as sent"));
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
