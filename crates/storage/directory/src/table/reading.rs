use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    slice,
};

use futures_util::{
    StreamExt, TryFutureExt, TryStreamExt,
    stream::{self, BoxStream, TryChunksError},
};
use model::{Account, AccountId};
use sql::{Query, QueryText, SqlError, SqlTx};

use super::{characters::RowOfBytes, connection::TableDirectory};
use crate::{
    contract::AccountStream,
    failure::ReadError,
    limits::{KEYS_PER_STATEMENT_MAX, ROWS_TOLD_AT_ONCE},
    mapped_field::MappedField,
    row::RawRow,
};

impl TableDirectory {
    pub(super) fn scan_all(&self) -> AccountStream<'_> {
        self.stream(&self.statements.accounts())
    }

    pub(super) fn stream(&self, statement: &QueryText) -> AccountStream<'_> {
        let now = async {
            let mut tx = self.scans.read().await?;
            Ok(self.now(&mut tx).await?)
        };
        let rows = self.row_stream(statement);
        let accounts =
            move |now| rows.map(move |row| Ok(row?.read(&self.statements.shape, now)?.0));
        Box::pin(now.map_ok(accounts).try_flatten_stream())
    }

    fn row_stream(&self, statement: &QueryText) -> BoxStream<'_, Result<RawRow, SqlError>> {
        let Some(teller) = &self.teller else { return self.scans.stream(statement) };
        let rows = self.scans.stream::<RowOfBytes>(statement).try_chunks(ROWS_TOLD_AT_ONCE);
        let told = rows
            .map_err(|TryChunksError(_, error)| error)
            .and_then(|rows| teller.tell_all(rows))
            .map_ok(|rows| stream::iter(rows.into_iter().map(Ok)));
        told.try_flatten().boxed()
    }

    /// The rows of a look-up.
    pub(super) async fn rows(&self, query: Query<'_>) -> Result<Vec<RawRow>, SqlError> {
        match &self.teller {
            None => query.all().await,
            Some(teller) => teller.tell_all(query.all().await?).await,
        }
    }

    pub(super) async fn find_by_ids(&self, ids: &[AccountId]) -> Result<Vec<Account>, ReadError> {
        let mut tx = self.read.read().await?;
        self.look_up(&mut tx, ids).await
    }

    /// A name that the database has no characters for is nobody's, and keeps no other from being found.
    pub(super) async fn find_by_names(&self, names: &[String]) -> Result<Vec<Account>, ReadError> {
        match self.find_together(names).await {
            Err(ReadError::Database(error))
                if error.is_beyond_characters() && !names.iter().all(|name| name.is_ascii()) => {}
            found => return found,
        }
        let mut all = BTreeMap::new();
        for name in names.iter().filter(|_| names.len() > 1) {
            for account in Box::pin(self.find_by_names(slice::from_ref(name))).await? {
                all.insert(account.id.clone(), account);
            }
        }
        Ok(all.into_values().collect())
    }

    async fn find_together(&self, names: &[String]) -> Result<Vec<Account>, ReadError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let text = self.statements.accounts_by_name().with_list(0, names.len());
        let mut tx = self.read.read().await?;
        let query = names.iter().fold(tx.run(&text), |query, name| query.bind(name.clone()));
        let rows = self.rows(query).await?;
        let now = self.now(&mut tx).await?;
        let mut found = BTreeMap::new();
        for row in rows {
            insert(&mut found, row.read(&self.statements.shape, now)?.0)?;
        }
        Ok(found.into_values().collect())
    }

    pub(super) async fn number(&self, count: &QueryText) -> Result<u64, ReadError> {
        let mut tx = self.scans.read().await?;
        let (number,) = tx.run(count).one::<(i64,)>().await?;
        Ok(number.unsigned_abs())
    }

    pub(super) async fn look_up(
        &self,
        tx: &mut SqlTx,
        ids: &[AccountId],
    ) -> Result<Vec<Account>, ReadError> {
        let ids: BTreeSet<_> = ids.iter().filter(|id| self.may_hold(id)).collect();
        let ids = Vec::from_iter(ids);
        let mut found = BTreeMap::new();
        for ids in ids.chunks(KEYS_PER_STATEMENT_MAX) {
            self.look_up_some(tx, ids, &mut found).await?;
        }
        Ok(found.into_values().collect())
    }

    async fn look_up_some(
        &self,
        tx: &mut SqlTx,
        ids: &[&AccountId],
        found: &mut BTreeMap<AccountId, Account>,
    ) -> Result<(), ReadError> {
        let text = self.statements.accounts_by_id();
        let text = text.with_list_as(&self.key(), 0, ids.len());
        let query = ids.iter().fold(tx.run(&text), |query, id| query.bind(id.as_str().to_owned()));
        // The database may think two ids equal that are two texts: by a collation, or 7 and 07.
        let wanted: HashSet<_> = ids.iter().copied().collect();
        let rows = self.rows(query).await?;
        let now = self.now(tx).await?;
        for row in rows {
            let (account, _) = row.read(&self.statements.shape, now)?;
            if wanted.contains(&account.id) {
                insert(found, account)?;
            }
        }
        Ok(())
    }

    pub(super) fn may_hold(&self, id: &AccountId) -> bool {
        self.statements.engine.may_hold(self.statements.types.of(MappedField::Id), id)
    }
}

fn insert(found: &mut BTreeMap<AccountId, Account>, account: Account) -> Result<(), ReadError> {
    match found.insert(account.id.clone(), account) {
        Some(earlier) => Err(ReadError::Repeated { id: earlier.id }),
        None => Ok(()),
    }
}
