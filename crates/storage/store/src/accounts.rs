use std::collections::BTreeMap;

use futures_util::{StreamExt, stream::BoxStream};
use model::{Account, AccountId, Credential, StoredHash, Timestamp};

use crate::{
    Store, StoreError, StoreFuture, Tx,
    cell::{Cell, hash_column},
    limits::ACCOUNTS_PER_NAME_MAX,
};

sql::queries! {
    PUT = ["INSERT INTO account (id, email, username, hash, hash_changed_at, email_verified, locale,
            last_login_at, second_factor, active, other_emails)
        VALUES {rows} ON CONFLICT (id) DO UPDATE SET email = excluded.email,
            username = excluded.username, hash = excluded.hash,
            hash_changed_at = excluded.hash_changed_at, email_verified = excluded.email_verified,
            locale = excluded.locale, last_login_at = excluded.last_login_at,
            second_factor = excluded.second_factor, active = excluded.active,
            other_emails = excluded.other_emails"];
    COUNT = ["SELECT COUNT(*) FROM account"];
    ALL_ACCOUNTS = ["SELECT id, email, username, hash, hash_changed_at, email_verified, locale,
            last_login_at, second_factor, active, other_emails
        FROM account"];
    BY_IDS = ["SELECT id, email, username, hash, hash_changed_at, email_verified, locale,
            last_login_at, second_factor, active, other_emails
        FROM account WHERE id IN {list}"];
    BY_NAMES = ["SELECT id, email, username, hash, hash_changed_at, email_verified, locale,
            last_login_at, second_factor, active, other_emails
        FROM account WHERE lower(email) IN {list} OR username IN {list}"];
    LOCK_HASH = ["SELECT hash, active FROM account WHERE id = $1" FOR_UPDATE];
    REPLACE_HASH = ["UPDATE account SET hash = $1 WHERE id = $2 AND hash = $3"];
}

impl Tx {
    /// Writes accounts into the embedded directory; one with the same id is replaced. Returns how
    /// many were written: of two with one id, the last.
    pub fn import_accounts<'c>(&'c mut self, accounts: &'c [Account]) -> StoreFuture<'c, u64> {
        Box::pin(async move {
            // PostgreSQL refuses to replace one row twice in a statement.
            let last: BTreeMap<_, _> =
                accounts.iter().map(|account| (&account.id, account)).collect();
            let written = self
                .0
                .insert_all(&PUT, last.into_values().cloned(), |query, account| {
                    let query =
                        query.bind(Cell(account.id)).bind(account.email).bind(account.username);
                    let query =
                        query.bind(hash_column(account.credential.as_ref().map(Credential::hash)));
                    let query = query.bind(account.hash_changed_at.map(Cell));
                    let query = query.bind(account.email_verified).bind(account.locale);
                    let query = query.bind(account.last_login_at.map(Cell));
                    let query = query.bind(account.second_factor).bind(account.active);
                    query.bind(some_lines(&account.other_emails))
                })
                .await?;
            Ok(written)
        })
    }

    /// How many accounts the embedded directory holds.
    pub fn account_count(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&COUNT)).await?) })
    }

    /// These accounts of the embedded directory. An id that nobody has is passed over.
    ///
    /// # Errors
    /// [`StoreError::Sql`] also for a row that is no account.
    pub fn embedded_accounts<'c>(
        &'c mut self,
        ids: &'c [AccountId],
    ) -> StoreFuture<'c, Vec<Account>> {
        Box::pin(async move {
            let rows = self.all_among::<_, AccountRow>(&BY_IDS, ids).await?;
            Ok(rows.into_iter().map(account).collect())
        })
    }

    /// The accounts of the embedded directory that have one of these addresses, in lower case, or
    /// usernames.
    ///
    /// # Errors
    /// [`StoreError::Sql`] also for a row that is no account.
    pub fn embedded_accounts_by_name<'c>(
        &'c mut self,
        names: &'c [String],
    ) -> StoreFuture<'c, Vec<Account>> {
        Box::pin(async move {
            if names.is_empty() {
                return Ok(Vec::new());
            }
            let text = BY_NAMES.with_list(0, names.len());
            let query =
                names.iter().fold(self.0.run(&text), |query, name| query.bind(name.clone()));
            let found = query.all::<AccountRow>().await?.into_iter();
            Ok(found.take(ACCOUNTS_PER_NAME_MAX).map(account).collect())
        })
    }

    /// Holds an account of the embedded directory until the transaction ends; `None` if there is no
    /// such account.
    pub fn lock_embedded_hash<'c>(
        &'c mut self,
        id: &'c AccountId,
    ) -> StoreFuture<'c, Option<HeldAccount>> {
        Box::pin(async move {
            let row = self.0.run(&LOCK_HASH).bind(Cell(id.clone()));
            let row = row.optional::<(Option<String>, Option<bool>)>().await?;
            Ok(row
                .map(|(hash, active)| HeldAccount { hash: StoredHash::from_column(hash), active }))
        })
    }

    /// Puts one hash in the place of another, if that is what the account of the embedded directory
    /// holds; whether it did.
    ///
    /// # Errors
    /// [`StoreError::Sql`] if the database refuses or fails: nothing is replaced then.
    pub fn replace_embedded_hash<'c>(
        &'c mut self,
        id: &'c AccountId,
        expected: &'c StoredHash,
        new: &'c StoredHash,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&REPLACE_HASH).bind(hash_column(Some(new)));
            let query = query.bind(Cell(id.clone())).bind(hash_column(Some(expected)));
            Ok(query.execute().await? == 1)
        })
    }
}

/// What an account of the embedded directory holds while nobody else can change it.
#[derive(Debug)]
pub struct HeldAccount {
    /// Its hash; `None` without a password.
    pub hash: Option<StoredHash>,
    /// Whether the site still lets the person in, where it was told.
    pub active: Option<bool>,
}

impl Store {
    /// Every account of the embedded directory, as the database hands it out.
    #[must_use]
    pub fn stream_accounts(&self) -> BoxStream<'_, Result<Account, StoreError>> {
        let rows = self.db.stream::<AccountRow>(&ALL_ACCOUNTS);
        rows.map(|row| Ok(account(row?))).boxed()
    }
}

/// In the order of the columns.
type AccountRow = (
    Cell<AccountId>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Cell<Timestamp>>,
    Option<bool>,
    Option<String>,
    Option<Cell<Timestamp>>,
    Option<bool>,
    Option<bool>,
    Option<String>,
);

/// Addresses, one a line; `None` without any.
fn some_lines(addresses: &[String]) -> Option<String> {
    Some(addresses.join("\n")).filter(|text| !text.is_empty())
}

fn account(row: AccountRow) -> Account {
    let (
        id,
        email,
        username,
        hash,
        hash_changed_at,
        verified,
        locale,
        last_login,
        second,
        active,
        others,
    ) = row;
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    Account {
        id: id.0,
        email: text(email),
        other_emails: others.iter().flat_map(|text| text.lines()).map(str::to_owned).collect(),
        username: text(username),
        credential: StoredHash::from_column(hash).map(Credential::from),
        hash_changed_at: hash_changed_at.map(|at| at.0),
        email_verified: verified,
        locale: text(locale),
        last_login_at: last_login.map(|at| at.0),
        second_factor: second,
        active,
        unreadable: None,
    }
}
