//! What a site on PostgreSQL itself has on record of its people's passwords: a trigger writes down
//! every change, and by whom. It shares nothing with the program.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::json;
use testkit::site::DjangoSite;

use crate::{
    harness::Run,
    office::{Office, ids, leaked},
};

/// Whatever the program writes, it writes as a role of its own.
const KEPT: &str = "
CREATE TABLE history (id BIGSERIAL PRIMARY KEY, account TEXT, old TEXT, new TEXT, writer TEXT,
    at BIGINT);
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO history (account, old, new, writer, at) VALUES (NEW.id, OLD.password,
        NEW.password, session_user, extract(epoch FROM clock_timestamp()) * 1000000);
    RETURN NEW;
END $$;
CREATE TRIGGER keep_history AFTER UPDATE ON auth_user FOR EACH ROW
    WHEN (OLD.password IS DISTINCT FROM NEW.password) EXECUTE FUNCTION keep_history();
CREATE ROLE {role} LOGIN;
GRANT SELECT, UPDATE (password) ON auth_user TO {role};
GRANT SELECT, DELETE ON django_session TO {role};
";

/// Django's hashers judge whether a hash is of a password.
const FITS: &str = "
import json
from django.contrib.auth.hashers import identify_hasher, is_password_usable
def fits(password, hash):
    return is_password_usable(hash) and identify_hasher(hash).verify(password, hash)
answer = [fits(*pair) for pair in json.loads(arguments[0])]
";

/// A change of one account's stored password, as the site saw it.
#[derive(Debug, Clone)]
pub(crate) struct PasswordChange {
    pub(crate) account: String,
    old: String,
    new: String,
    is_ours: bool,
    /// When it was written, by the site's clock. It may have been committed later.
    pub(crate) at_micros: i64,
}

/// The record of one site.
pub(crate) struct SiteHistory {
    pub(crate) url: String,
    /// As whom the program writes.
    pub(crate) role: String,
}

impl SiteHistory {
    /// Has the site keep a record from now on.
    pub(crate) fn kept_by(site: &DjangoSite) -> Self {
        let url = site.database_url.clone();
        let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
        let history = Self { role: format!("countersign_{name}"), url };
        history.ask(&KEPT.replace("{role}", &history.role));
        history
    }

    /// As the program is to reach this database for writing, by whatever way.
    pub(crate) fn as_program(&self, url: &str) -> String {
        url.replace("postgres@", &format!("{}@", self.role))
    }

    /// Asks the site's own server.
    pub(crate) fn ask(&self, text: &str) -> String {
        psql(&self.url, text)
    }

    /// Now, by the site's clock.
    pub(crate) fn now_micros(&self) -> i64 {
        let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        self.ask(now).parse().unwrap()
    }

    /// All changes that were committed, in order.
    pub(crate) fn changes(&self) -> Vec<PasswordChange> {
        let text = "SELECT account, old, new, writer, at FROM history ORDER BY at, id";
        self.ask(text).lines().map(|line| self.change(line)).collect()
    }

    fn change(&self, line: &str) -> PasswordChange {
        let [account, old, new, writer, at] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        PasswordChange {
            account: account.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
            is_ours: writer == self.role,
            at_micros: at.parse().unwrap(),
        }
    }

    /// What the program has written.
    pub(crate) fn ours(&self) -> Vec<PasswordChange> {
        self.changes().into_iter().filter(|change| change.is_ours).collect()
    }

    /// The accounts that ever held a value of the program's.
    pub(crate) fn ever_ours(&self) -> BTreeSet<String> {
        self.ours().into_iter().map(|change| change.account).collect()
    }

    /// Lets each password be replaced only after so many seconds.
    pub(crate) fn slow_down(&self, seconds: f64) {
        self.ask(&format!(
            "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
            CREATE TRIGGER linger BEFORE UPDATE ON auth_user FOR EACH ROW
                WHEN (OLD.password IS DISTINCT FROM NEW.password) EXECUTE FUNCTION linger()"
        ));
    }
}

/// What PostgreSQL answers, in columns between bars.
pub(crate) fn psql(url: &str, text: &str) -> String {
    let mut psql = Command::new("psql");
    let run: Run = psql.args(["-XAtqc", text, url]).output().unwrap().into();
    assert_eq!(run.code, 0, "{text}: {}", run.stderr);
    run.stdout.trim_end().to_owned()
}

/// The campaign's own word of everybody, held against the site's.
pub(crate) struct Accounted {
    pub(crate) sealed: BTreeSet<String>,
    pub(crate) perhaps: BTreeSet<String>,
}

impl Accounted {
    /// By the audit log.
    pub(crate) fn logged(office: &Office) -> Self {
        let accounts = |event: &str| {
            let logged = office.logged(event);
            let accounts: Vec<_> =
                logged.iter().map(|entry| entry["account"].as_str().unwrap().to_owned()).collect();
            let distinct: BTreeSet<_> = accounts.iter().cloned().collect();
            assert_eq!(distinct.len(), accounts.len(), "{event} twice");
            distinct
        };
        Self { sealed: accounts("account_sealed"), perhaps: accounts("account_overtaken") }
    }
}

/// Asserts that whoever ever held a value of the program's is sealed, or perhaps sealed, by log and
/// report, and nobody else; and that nothing is in between.
#[track_caller]
pub(crate) fn assert_agrees(office: &Office, history: &SiteHistory) -> Accounted {
    let (logged, ever) = (Accounted::logged(office), history.ever_ours());
    assert!(logged.sealed.is_subset(&ever), "called sealed and never were");
    let known = &logged.sealed | &logged.perhaps;
    let silent: Vec<_> = ever.difference(&known).collect();
    assert!(silent.is_empty(), "{silent:?} were sealed, and nobody knows");
    assert_only_what_leaked_was_replaced(office, history);
    let report = office.report();
    assert_eq!(report["sealed"], logged.sealed.len(), "{report:#}");
    assert_eq!(report["perhaps_sealed"], logged.perhaps.len(), "{report:#}");
    assert_eq!((&report["sealing"], &report["untold"]), (&json!(0), &json!(0)), "{report:#}");
    let intended = "SELECT COUNT(*) FROM swap WHERE state = 'intended'";
    assert_eq!(office.instance.ask(intended).trim_matches(['[', '(', ',', ')', ']']), "0");
    office.run(&["log", "verify"]).json();
    logged
}

/// Asserts that whoever was sealed was told, once, but for so many mails of which nobody knows.
#[track_caller]
pub(crate) fn assert_told(office: &Office, logged: &Accounted, uncertain_max: usize) {
    let (told, due) = (office.told_once(), office.addresses_of(&logged.sealed));
    let strangers: Vec<_> = told.difference(&due).collect();
    assert!(strangers.is_empty(), "{strangers:?} were told of nothing");
    let uncertain = office.report()["notices"]["uncertain"].as_u64().unwrap_or_default();
    let uncertain = usize::try_from(uncertain).unwrap();
    assert!(uncertain <= uncertain_max, "{uncertain} mails are uncertain");
    let untold: Vec<_> = due.difference(&told).collect();
    assert!(untold.len() <= uncertain, "{untold:?} were not told");
}

/// Nobody's own choice was ever written over, and nobody who is not exposed was touched.
#[track_caller]
fn assert_only_what_leaked_was_replaced(office: &Office, history: &SiteHistory) {
    let exposed = office.exposed();
    let passwords: BTreeMap<_, _> =
        exposed.iter().map(|person| (person.id.as_str(), leaked(person))).collect();
    let ours = history.ours();
    let accounts: BTreeSet<_> = ours.iter().map(|change| change.account.clone()).collect();
    assert!(accounts.is_subset(&ids(&exposed)));
    let pairs = |hash: fn(&PasswordChange) -> &String| {
        let pairs = ours.iter().map(|change| (passwords[change.account.as_str()], hash(change)));
        let pairs = json!(pairs.collect::<Vec<_>>()).to_string();
        serde_json::from_value::<Vec<bool>>(office.site.django(FITS, &[&pairs])).unwrap()
    };
    let (before, after) = (pairs(|change| &change.old), pairs(|change| &change.new));
    assert!(before.into_iter().all(|fits| fits), "a password was replaced that did not leak");
    assert!(!after.into_iter().any(|fits| fits), "the leaked password still works");
}
