use std::{collections::BTreeSet, sync::Arc};

use directory::{Columns, Directory, EndedSessions, Export, Mapping, Source, WriteGrant};
use model::{Account, StoredHash, Timestamp};
use serde_json::{Value, json};
use testkit::site::{DjangoSite, SiteKind, SiteOptions};

use crate::site::{id, ids, replace_if, scan};

const OPTIONS: SiteOptions = SiteOptions { accounts: 60, seed: 7 };

/// A site for each database.
fn sites() -> [DjangoSite; 3] {
    let (postgres, mariadb) = (testkit::postgres().database(), testkit::mariadb().database());
    let kinds = [SiteKind::Sqlite, SiteKind::Postgres(&postgres), SiteKind::Mariadb(&mariadb)];
    kinds.map(|kind| DjangoSite::make(kind, OPTIONS))
}

async fn open(site: &DjangoSite, mapping: Mapping) -> Arc<dyn Directory> {
    let url = &site.database_url;
    directory::open(url, Some(url), mapping).await.unwrap()
}

/// All that is known of an account, to be compared.
fn told(account: &Account) -> impl Eq + std::fmt::Debug {
    (
        account.id.clone(),
        account.email.clone(),
        account.username.clone(),
        account.credential.as_ref().map(|now| now.hash().expose().to_owned()),
        account.last_login_at,
    )
}

#[tokio::test]
async fn djangos_table_and_its_exports_are_the_same_accounts() {
    for site in sites() {
        let directory = open(&site, Mapping::django()).await;
        let accounts = scan(&directory).await;
        assert_eq!(accounts.len() as u64, site.truth.accounts);
        assert!(accounts.iter().any(|account| account.last_login_at.is_some()));
        for file in [&site.users_csv, &site.users_jsonl] {
            let export = Export::read(file, Timestamp::from_micros(0)).unwrap();
            assert_eq!(export.accounts().len(), accounts.len());
            for account in &accounts {
                let exported = export.by_id(&account.id).unwrap();
                assert_eq!(told(exported), told(account));
            }
        }
        let silent = accounts.iter().filter(|account| account.credential.is_none());
        let silent: BTreeSet<_> = silent.map(|account| account.id.as_str()).collect();
        assert!(silent.iter().copied().eq(&site.truth.no_password));

        let wanted: Vec<_> = accounts.iter().map(|account| account.id.clone()).collect();
        let found = directory.by_ids(&wanted).await.unwrap();
        assert!(found.iter().map(told).eq(accounts.iter().map(told)));
        let report = directory.check().await.unwrap();
        assert_eq!(report.accounts.without_password, silent.len() as u64);
        assert_eq!(report.write, WriteGrant::Granted);
    }
}

#[tokio::test]
async fn whom_django_does_not_let_in_is_out() {
    let deactivate = "from django.contrib.auth.models import User\n\
        User.objects.filter(pk=arguments[0]).update(is_active=False)\n\
        answer = list(User.objects.filter(is_active=False).values_list('pk', flat=True))";
    for site in sites() {
        let person = site.truth.person(site.truth.exposed.first().unwrap());
        let out = site.django(deactivate, &[&person.id]);
        assert_eq!(out, json!([person.id.parse::<i64>().unwrap()]));
        assert!(!site.authenticate(&person.username, person.password.as_deref().unwrap()));
        let directory = open(&site, Mapping::django()).await;
        let accounts = scan(&directory).await;
        let out = accounts.iter().filter(|account| account.is_deactivated());
        let out: Vec<_> = out.map(|account| account.id.as_str()).collect();
        assert_eq!(out, [person.id.as_str()]);
        assert!(accounts.iter().all(|account| account.active.is_some()));
        let row = directory.lock(&id(&person.id)).await.unwrap();
        assert!(!row.is_active());
    }
}

/// Sessions as Django's own code leaves them, of every form that it writes.
const MAKE_SESSIONS: &str = "
import secrets
from datetime import timedelta
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

def make(account, **more):
    session = SessionStore()
    if account:
        session['_auth_user_id'] = account
    session.update(more)
    session.create()
    return session.session_key

chosen, other = arguments
small, large = make(chosen), make(chosen, cart=[secrets.token_hex(100) for _ in range(500)])
expired = make(chosen)
yesterday = timezone.now() - timedelta(days=1)
Session.objects.filter(pk=expired).update(expire_date=yesterday)
rows = [Session.objects.get(pk=key).session_data for key in (small, large)]
assert not rows[0].startswith('.') and rows[1].startswith('.') and len(rows[1]) > 50_000
pickled = Session(session_key='pickled', session_data='gASVEAAAAH0=:1tAbCd:c2ln', expire_date=yesterday)
pickled.save()
answer = {
    'ended': [small, large, expired],
    'kept': [make(other), make(other, _auth_user_hash=chosen), make(None, _auth_user=chosen), 'pickled'],
}
";

const SESSION_KEYS: &str = "
from django.contrib.sessions.models import Session
answer = sorted(Session.objects.values_list('pk', flat=True))
";

#[tokio::test]
async fn sessions_that_django_made_end_for_the_chosen_account_alone() {
    for site in sites() {
        let [chosen, other] = [&site.truth.people[1].id, &site.truth.people[2].id];
        let made = site.django(MAKE_SESSIONS, &[chosen, other]);
        let signed_in = [site.sign_in(chosen), site.sign_in(other)];
        assert_eq!(site.signed_in(&signed_in[0]).as_ref(), Some(chosen));

        let directory = open(&site, Mapping::django()).await;
        let ended = directory.end_sessions(&[id(chosen)]).await.unwrap();
        assert_eq!(ended, EndedSessions { deleted: 4, unreadable: 1 });
        let mut kept = strings(&made["kept"]);
        kept.push(signed_in[1].clone());
        kept.sort();
        assert_eq!(site.django(SESSION_KEYS, &[]), json!(kept));
        assert_eq!(site.signed_in(&signed_in[0]), None);
        assert_eq!(site.signed_in(&signed_in[1]).as_ref(), Some(other));
        let small = &strings(&made["ended"])[0];
        assert!(!site.has_session(small));
    }
}

#[tokio::test]
async fn one_pass_ends_the_sessions_of_many() {
    let site = DjangoSite::make(SiteKind::Sqlite, OPTIONS);
    let code = "
from django.contrib.sessions.backends.db import SessionStore
for number in range(1200):
    session = SessionStore()
    session['_auth_user_id'] = str(number % 12)
    session.create()
";
    let _ = site.django(code, &[]);
    let directory = open(&site, Mapping::django()).await;
    let chosen = ids(&["1", "2", "3", "4", "5", "6"]);
    let ended = directory.end_sessions(&chosen).await.unwrap();
    assert_eq!(ended.deleted, 600);
    let left = strings(&site.django(SESSION_KEYS, &[]));
    assert_eq!(left.len(), 600);
}

#[tokio::test]
async fn django_lets_people_in_by_the_hash_that_stands_there_now() {
    let make = "from django.contrib.auth.hashers import make_password\n\
        answer = make_password(arguments[0])";
    for site in sites() {
        let person = site.truth.person(site.truth.exposed.first().unwrap());
        let password = person.password.as_deref().unwrap();
        let directory = open(&site, Mapping::django()).await;
        let account = directory.by_ids(&[id(&person.id)]).await.unwrap().remove(0);
        let old = account.credential.unwrap().into_hash();
        let new = site.django(make, &["a secret of nobody"]);
        let new = StoredHash::from_column(new.as_str().map(str::to_owned)).unwrap();

        assert!(replace_if(&directory, &account.id, &old, &new).await.unwrap());
        assert!(!site.authenticate(&person.username, password));
        assert!(site.authenticate(&person.username, "a secret of nobody"));
        assert!(replace_if(&directory, &account.id, &new, &old).await.unwrap());
        assert!(site.authenticate(&person.username, password));
    }
}

/// A user model of the site's own, with UUIDs: SQLite holds them without hyphens, sessions with.
const MAKE_UUID_USERS: &str = "
import uuid
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, models

class Person(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField()
    password = models.CharField(max_length=128)

    class Meta:
        app_label = 'site'
        db_table = 'person'

with connection.schema_editor() as editor:
    editor.create_model(Person)

def sign_in(person):
    session = SessionStore()
    session['_auth_user_id'] = Person._meta.pk.value_to_string(person)
    session.create()
    return session.session_key

people = [Person.objects.create(email=f'{name}@b.example') for name in ('ana', 'bo')]
answer = [sign_in(person) for person in people]
";

#[tokio::test]
async fn djangos_uuids_are_the_same_in_sessions_and_in_the_table() {
    for site in sites() {
        let keys = strings(&site.django(MAKE_UUID_USERS, &[]));
        let mapping = Mapping {
            source: Source::Table("person".into()),
            columns: Columns {
                username: None,
                last_login_at: None,
                active: None,
                ..Mapping::django().columns
            },
            ..Mapping::django()
        };
        let directory = open(&site, mapping).await;
        let people = scan(&directory).await;
        let ana = people.iter().find(|one| one.email.as_deref() == Some("ana@b.example"));
        let ana = [ana.unwrap().id.clone()];
        assert_eq!(directory.by_ids(&ana).await.unwrap().len(), 1);
        let ended = directory.end_sessions(&ana).await.unwrap();
        assert_eq!(ended.deleted, 1);
        assert_eq!(site.django(SESSION_KEYS, &[]), json!([keys[1]]));
    }
}

fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}
