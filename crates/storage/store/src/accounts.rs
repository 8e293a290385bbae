use std::collections::BTreeMap;

use model::Account;

use crate::{
    StoreError, Tx,
    cell::{Cell, hash_column},
};

sql::queries! {
    PUT = ["INSERT INTO account (id, email, username, hash, hash_changed_at, email_verified, locale,
            last_login_at, second_factor)
        VALUES {rows} ON CONFLICT (id) DO UPDATE SET email = excluded.email,
            username = excluded.username, hash = excluded.hash,
            hash_changed_at = excluded.hash_changed_at, email_verified = excluded.email_verified,
            locale = excluded.locale, last_login_at = excluded.last_login_at,
            second_factor = excluded.second_factor"];
    COUNT = ["SELECT COUNT(*) FROM account"];
}

impl Tx {
    /// Writes accounts into the embedded directory; one with the same id is replaced. Returns how
    /// many were written: of two with one id, the last.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn import_accounts(&mut self, accounts: &[Account]) -> Result<u64, StoreError> {
        // PostgreSQL refuses to replace one row twice in a statement.
        let last: BTreeMap<_, _> = accounts.iter().map(|account| (&account.id, account)).collect();
        let written = self
            .0
            .insert_all(&PUT, last.into_values().cloned(), |query, account| {
                let query = query.bind(Cell(account.id)).bind(account.email).bind(account.username);
                let query = query.bind(hash_column(account.hash.as_ref()));
                let query = query.bind(account.hash_changed_at.map(Cell));
                let query = query.bind(account.email_verified).bind(account.locale);
                query.bind(account.last_login_at.map(Cell)).bind(account.second_factor)
            })
            .await?;
        Ok(written)
    }

    /// How many accounts the embedded directory holds.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn account_count(&mut self) -> Result<u64, StoreError> {
        Ok(Self::count(self.0.run(&COUNT)).await?)
    }
}
