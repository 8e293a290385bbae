//! A site that is read over a copy which lags behind, while whatever can go wrong with its writes
//! does: nobody is sealed, untold and uncounted.

use std::sync::OnceLock;

use testkit::{
    CommitProxy,
    LostCommit::{Answered, Done, Undone},
    PostgresServer, TestDatabase,
    site::{DjangoSite, SiteKind, SiteOptions},
};

use crate::{
    campaign_kill::{has_died, start},
    harness::Backend,
    history::{SiteHistory, assert_agrees, assert_told, psql},
    office::{Office, wait_until},
    way_back::{CHOSEN, ResetScene, choose},
};

/// Everybody at once, and those sealed last are told at last.
const EVERYBODY: &str = "canary_addresses = 500";

/// A site of its own server, with a standby that shows for ever what was there at the beginning.
struct Lagging {
    office: Office,
    history: SiteHistory,
    database: TestDatabase,
    _standby: PostgresServer,
}

/// The server of these sites, and the site that each is a copy of.
fn primary() -> &'static (PostgresServer, DjangoSite) {
    static PRIMARY: OnceLock<(PostgresServer, DjangoSite)> = OnceLock::new();
    PRIMARY.get_or_init(|| {
        let server = PostgresServer::start(false);
        let database = server.database();
        let site = DjangoSite::make(SiteKind::Postgres(&database), SiteOptions::default());
        (server, site)
    })
}

impl Lagging {
    fn open() -> Self {
        let (server, site) = primary();
        let site = site.copy();
        let history = SiteHistory::kept_by(&site);
        let database = site.database().unwrap().clone();
        let mut office = Office::at(Backend::Postgres, site, &["forum.txt"]);
        let standby = server.standby();
        let seen = standby.view_of(&database).url;
        psql(&seen, "SELECT pg_wal_replay_pause()");
        wait_until(|| psql(&seen, "SELECT pg_get_wal_replay_pause_state()") == "paused");
        office.instance.set("COUNTERSIGN_DIRECTORY_URL", &seen);
        let write_url = history.as_program(&history.url);
        office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &write_url);
        office.instance.set("COUNTERSIGN_WORKER_LEASE", "1s");
        office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", "1");
        Self { office, history, database, _standby: standby }
    }

    /// Someone whose password was replaced chooses another one, before anybody can see to it.
    fn one_resets(&self) {
        let ours = self.history.ours();
        let last = &ours.last().unwrap().account;
        let text = format!("UPDATE auth_user SET password = 'md5$x$theirs' WHERE id = {last}");
        self.history.ask(&text);
    }

    /// Works to the end, and asserts that everybody exposed was sealed and told, once.
    fn assert_accounted(&self) {
        assert!(!has_died(&start(&self.office, None).wait()));
        let logged = assert_agrees(&self.office, &self.history);
        assert_told(&self.office, &logged, 0);
        let exposed = self.office.exposed().len();
        assert_eq!((logged.sealed.len(), logged.perhaps.len()), (exposed, 0));
    }
}

#[test]
fn a_worker_that_dies_after_the_swap_leaves_nobody_uncounted() {
    let site = Lagging::open();
    site.office.start(EVERYBODY);
    for moment in ["hashes_swapped:1", "sessions_ended:1", "swap_passed:2"] {
        assert!(has_died(&start(&site.office, Some(moment)).wait()), "{moment} never came");
        site.one_resets();
    }
    site.assert_accounted();
    assert!(!site.office.logged("sealing_taken").is_empty());
}

/// Neither what they were sealed with nor what they choose is ever shown by the copy.
#[test]
fn whoever_was_sealed_comes_back_while_the_copy_lags() {
    let Lagging { office, history: _history, database: _, _standby } = Lagging::open();
    let scene = ResetScene::of(office);
    let person = scene.office.plain()[0];
    let served = scene.serve();
    let link = scene.ask(&served, person, 1);
    let chosen = choose(&served, &link, CHOSEN);
    assert!(chosen.starts_with("HTTP/1.1 200") && !chosen.contains("aria-invalid"), "{chosen}");
    assert!(scene.lets_in(person, CHOSEN));
}

#[test]
fn sessions_that_cannot_be_ended_leave_nobody_uncounted() {
    let site = Lagging::open();
    site.office.start(EVERYBODY);
    let role = &site.history.role;
    site.history.ask(&format!("REVOKE SELECT ON django_session FROM {role}"));
    let worker = start(&site.office, None);
    wait_until(|| !site.office.logged("sealing_taken").is_empty());
    drop(worker);
    site.one_resets();
    assert_eq!(site.office.logged("account_sealed").len(), 0);
    let refused = site.office.steer("report");
    assert_eq!(refused.code, 4, "somebody is in between: {}", refused.stderr);
    site.history.ask(&format!("GRANT SELECT ON django_session TO {role}"));
    site.assert_accounted();
}

#[test]
fn a_commit_whose_answer_is_lost_leaves_nobody_uncounted() {
    let mut site = Lagging::open();
    let proxy = CommitProxy::before(&site.database);
    let through = site.history.as_program(&proxy.url);
    site.office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &through);
    site.office.start(EVERYBODY);
    let losses = [Answered, Done, Undone, Answered, Answered, Done, Answered, Done, Undone, Done];
    proxy.lose(&losses);
    let worker = start(&site.office, None);
    wait_until(|| site.history.ours().len() > 1);
    site.one_resets();
    let ended = worker.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(proxy.left(), 0);
    site.assert_accounted();
    let taken = site.office.logged("sealing_taken").len();
    let lost = losses.iter().filter(|loss| **loss != Answered).count();
    assert!(taken >= lost - 2, "of {lost} lost answers, {taken} were looked into");
}

#[test]
fn a_connection_that_the_server_cuts_leaves_nobody_uncounted() {
    let site = Lagging::open();
    site.history.slow_down(0.1);
    site.office.start(EVERYBODY);
    let mut worker = start(&site.office, None);
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}' AND xact_start \
         IS NOT NULL",
        site.history.role
    );
    for _ in 0..8 {
        let sealed = site.history.ours().len();
        wait_until(|| site.history.ours().len() > sealed || worker.has_ended());
        site.history.ask(&cut);
    }
    let ended = worker.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    site.assert_accounted();
}

#[test]
fn a_copy_that_is_read_only_is_not_taken_for_the_site() {
    let mut site = Lagging::open();
    let seen = site.office.instance.get("COUNTERSIGN_DIRECTORY_URL");
    site.office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &site.history.as_program(&seen));
    let doctor = site.office.run(&["doctor"]);
    assert_eq!(doctor.code, 1, "{}", doctor.stdout);
    assert!(doctor.stdout.contains("standby"), "{}", doctor.stdout);
}
