//! The site: its table, the people in it, and a history that triggers write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, mem,
    path::Path,
};

use password::{CostLimits, HashForms, Verifier};
use serde_json::Value;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, Row, SqliteConnection,
    sqlite::SqliteConnectOptions,
};

use model::{Randomness, Secret, StoredHash};

use crate::{SimResult, dice::Dice};

/// A cheap hash, as the site makes them.
const LIKE: &str =
    "$pbkdf2-sha256$i=10$c2FsdHNhbHRzYWx0$T5ntHrMeTVVhQwCgYSRARwbo5kY5rWvmc9vYRay6Xa8";

/// Accounts of the site, of which all but the last few stand in the leak.
const ACCOUNTS: usize = 11;
const EXPOSED: usize = 9;

/// Two accounts have the address of another one.
const ADDRESSES: usize = 7;

/// Hashes of the leaked password, and of passwords of their own, that an account may come to hold.
const REHASHES: usize = 2;
const OWN: usize = 3;

/// Whoever writes to the table is in the history, with what was there before.
const TABLES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, username TEXT, password_hash TEXT);
    CREATE TABLE history (at INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER, old TEXT, new TEXT);
    CREATE TRIGGER remembers AFTER UPDATE OF password_hash ON users BEGIN
        INSERT INTO history (id, old, new) VALUES (new.id, old.password_hash, new.password_hash);
    END;";

/// One account, with all that its owner and the site may ever put into its row.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) email: String,
    leaked_password: String,
    leaked: Vec<String>,
    own: Vec<String>,
}

/// A write to a row of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) account: i64,
    pub(crate) old: String,
    pub(crate) new: String,
}

impl Person {
    /// Whether somebody with the leaked password could sign in.
    pub(crate) fn is_leaked(&self, hash: &str) -> bool {
        self.leaked.iter().any(|leaked| leaked == hash)
    }

    /// Whether neither the owner nor the site ever writes this.
    pub(crate) fn is_ours(&self, hash: &str) -> bool {
        !self.is_leaked(hash) && self.own.iter().all(|own| own != hash)
    }
}

/// Everybody.
pub(crate) fn people(randomness: &dyn Randomness) -> SimResult<Vec<Person>> {
    (0..ACCOUNTS).map(|number| person(number, randomness)).collect()
}

fn person(number: usize, randomness: &dyn Randomness) -> SimResult<Person> {
    let verifier = Verifier::new(CostLimits::default(), HashForms::known());
    let like = StoredHash::from_column(Some(LIKE.to_owned())).ok_or("the sample is no hash")?;
    let hash = |password: &str| -> SimResult<String> {
        let secret = Secret::new(password.as_bytes().to_vec());
        Ok(verifier.imitate(&like, None, &secret, randomness)?.expose().to_owned())
    };
    let leaked_password = format!("leaked secret {number}");
    let leaked = (0..=REHASHES).map(|_| hash(&leaked_password)).collect::<SimResult<_>>()?;
    let own = (0..OWN).map(|turn| hash(&format!("own secret {number} {turn}")));
    Ok(Person {
        id: i64::try_from(number)? + 1,
        email: format!("p{}@example.net", number % ADDRESSES),
        leaked_password,
        leaked,
        own: own.collect::<SimResult<_>>()?,
    })
}

/// The addresses of everybody who stands in the leak.
pub(crate) fn exposed_addresses(people: &[Person]) -> BTreeSet<String> {
    people.iter().take(EXPOSED).map(|person| person.email.clone()).collect()
}

/// What somebody has stolen elsewhere.
pub(crate) fn leak(people: &[Person]) -> String {
    let line = |person: &Person| format!("{}:{}\n", person.email, person.leaked_password);
    people.iter().take(EXPOSED).map(line).collect()
}

/// Connections of the simulation's own.
#[derive(Debug)]
pub(crate) struct Site {
    primary: SqliteConnection,
    replica: SqliteConnection,
    /// What the replica has of the history.
    replicated: i64,
}

impl Site {
    pub(crate) async fn open(primary: &Path, replica: &Path) -> SimResult<Self> {
        let (primary, replica) = (connect(primary).await?, connect(replica).await?);
        Ok(Self { primary, replica, replicated: 0 })
    }

    /// Fills both databases.
    pub(crate) async fn fill(&mut self, people: &[Person]) -> SimResult {
        self.primary.execute("PRAGMA journal_mode = WAL").await?;
        self.replica.execute("PRAGMA journal_mode = WAL").await?;
        self.primary.execute(TABLES).await?;
        let users = TABLES.split_inclusive(';').next().unwrap_or_default();
        self.replica.execute(users).await?;
        for person in people {
            sqlx::query("INSERT INTO users VALUES (?, ?, ?, ?)")
                .bind(person.id)
                .bind(&person.email)
                .bind(format!("user{}", person.id))
                .bind(&person.leaked[0])
                .execute(&mut self.primary)
                .await?;
        }
        self.copy().await
    }

    /// Brings the replica up to date.
    pub(crate) async fn replicate(&mut self) -> SimResult {
        let query = sqlx::query("SELECT COUNT(*) FROM history");
        let written: i64 = query.fetch_one(&mut self.primary).await?.try_get(0)?;
        if written > self.replicated {
            self.copy().await?;
            self.replicated = written;
        }
        Ok(())
    }

    async fn copy(&mut self) -> SimResult {
        let rows = sqlx::query("SELECT id, email, username, password_hash FROM users")
            .fetch_all(&mut self.primary)
            .await?;
        let mut tx = self.replica.begin().await?;
        for row in rows {
            let (id, email, name, hash): (i64, String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            let text = "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)";
            sqlx::query(text).bind(id).bind(email).bind(name).bind(hash).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Somebody chooses a password of their own.
    pub(crate) async fn choose(&mut self, person: &Person, dice: &mut Dice) -> SimResult {
        let own: &String = dice.pick(&person.own);
        self.put(person.id, own).await
    }

    /// Somebody signs in with the leaked password, if they still can, and the site hashes it anew.
    pub(crate) async fn rehash(&mut self, person: &Person, dice: &mut Dice) -> SimResult<bool> {
        let now = self.hash(person.id).await?;
        let new = dice.pick(&person.leaked);
        if !person.is_leaked(&now) || *new == now {
            return Ok(false);
        }
        self.put(person.id, new).await?;
        Ok(true)
    }

    /// Everything that was written after the first `seen` writes.
    pub(crate) async fn history(&mut self, seen: usize) -> SimResult<Vec<Written>> {
        let text = "SELECT id, old, new FROM history WHERE at > ? ORDER BY at";
        let rows =
            sqlx::query(text).bind(i64::try_from(seen)?).fetch_all(&mut self.primary).await?;
        let written = rows.iter().map(|row| {
            Ok(Written { account: row.try_get(0)?, old: row.try_get(1)?, new: row.try_get(2)? })
        });
        written.collect()
    }

    pub(crate) async fn close(self) -> SimResult {
        self.primary.close().await?;
        Ok(self.replica.close().await?)
    }

    async fn hash(&mut self, id: i64) -> SimResult<String> {
        let query = sqlx::query("SELECT password_hash FROM users WHERE id = ?").bind(id);
        Ok(query.fetch_one(&mut self.primary).await?.try_get(0)?)
    }

    async fn put(&mut self, id: i64, hash: &str) -> SimResult {
        let query = sqlx::query("UPDATE users SET password_hash = ? WHERE id = ?");
        query.bind(hash).bind(id).execute(&mut self.primary).await?;
        Ok(())
    }
}

/// Where a campaign stands, by the audit log.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) state: String,
    pub(crate) is_gate_open: bool,
}

/// How the program leaves one account.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) account: i64,
    pub(crate) state: String,
    /// How far the notice to its address is, and how often it was tried; none if there is none.
    pub(crate) notice: Option<String>,
    pub(crate) attempts: i64,
}

/// What the simulation reads in the store, without any of the program's own code.
#[derive(Debug)]
pub(crate) struct StoreView {
    store: SqliteConnection,
    /// The accounts by the numbers that stand for them there.
    subjects: BTreeMap<i64, i64>,
    /// What the log says of the gate, as far as it was read.
    read: i64,
    state: String,
    is_stopped: bool,
}

impl StoreView {
    pub(crate) async fn open(path: &Path, subjects: BTreeMap<i64, i64>) -> SimResult<Self> {
        let (state, is_stopped) = (String::new(), false);
        Ok(Self { store: connect(path).await?, subjects, read: 0, state, is_stopped })
    }

    /// How far the campaign is, and whether anybody may be sealed or told: by what was committed to
    /// the log, since anybody may have edited the rows.
    pub(crate) async fn stage(&mut self) -> SimResult<Stage> {
        let text = "SELECT body FROM log_entry WHERE position >= ? ORDER BY position";
        for row in sqlx::query(text).bind(self.read).fetch_all(&mut self.store).await? {
            let entry: Value = serde_json::from_slice(row.try_get(0)?)?;
            self.read += 1;
            match entry["event"].as_str() {
                Some("campaign_moved") => {
                    self.state = entry["to"].as_str().unwrap_or_default().to_owned();
                }
                Some("kill_switch_moved") => self.is_stopped = entry["position"] == "pulled",
                _ => {}
            }
        }
        let runs = matches!(self.state.as_str(), "canary" | "soak" | "ramp");
        Ok(Stage { is_gate_open: runs && !self.is_stopped, state: self.state.clone() })
    }

    /// Everything that the store holds.
    pub(crate) async fn back_up(&mut self, to: &Path) -> SimResult<Vec<u8>> {
        let _ = fs::remove_file(to);
        let text = format!("VACUUM INTO '{}'", to.display());
        sqlx::query(AssertSqlSafe(text)).execute(&mut self.store).await?;
        Ok(fs::read(to)?)
    }

    /// Looks at another database from now on, so that the store can be put back: whoever is the last to
    /// leave a database still writes there.
    pub(crate) async fn leave(&mut self, to: &Path) -> SimResult {
        let left = mem::replace(&mut self.store, connect(to).await?);
        Ok(left.close().await?)
    }

    /// How every account of the campaign is left.
    pub(crate) async fn kept(&mut self) -> SimResult<Vec<Kept>> {
        let text = "SELECT target.subject, target.state, notice.state, notice.attempts FROM target \
                    LEFT JOIN notice ON notice.campaign = target.campaign \
                        AND notice.address = target.address ORDER BY target.place";
        let rows = sqlx::query(text).fetch_all(&mut self.store).await?;
        let kept = rows.iter().map(|row| {
            let subject: i64 = row.try_get(0)?;
            let attempts: Option<i64> = row.try_get(3)?;
            Ok(Kept {
                account: *self.subjects.get(&subject).ok_or("a subject that nobody is")?,
                state: row.try_get(1)?,
                notice: row.try_get(2)?,
                attempts: attempts.unwrap_or_default(),
            })
        });
        kept.collect()
    }

    /// What is neither begun nor ended: notices on their way, addresses not settled.
    pub(crate) async fn in_between(&mut self) -> SimResult<i64> {
        let open = "SELECT (SELECT COUNT(*) FROM notice WHERE state IN ('pending', 'inflight')) + \
                    (SELECT COUNT(*) FROM target WHERE state = 'sealing') + \
                    (SELECT COUNT(*) FROM swap WHERE state = 'intended')";
        self.number(open).await
    }

    pub(crate) async fn close(self) -> SimResult {
        Ok(self.store.close().await?)
    }

    async fn number(&mut self, text: &str) -> SimResult<i64> {
        let query = sqlx::query(AssertSqlSafe(text.to_owned()));
        Ok(query.fetch_one(&mut self.store).await?.try_get(0)?)
    }
}

pub(crate) async fn connect(path: &Path) -> SimResult<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    Ok(options.connect().await?)
}
