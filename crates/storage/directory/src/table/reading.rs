use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::StreamExt;
use model::{Account, AccountId};
use sql::{QueryText, SqlTx};

use super::connection::TableDirectory;
use crate::{
    contract::AccountStream,
    failure::ReadError,
    limits::KEYS_PER_STATEMENT_MAX,
    row::{MappedField, RawRow},
};

impl TableDirectory {
    pub(super) fn scan_all(&self) -> AccountStream<'_> {
        self.stream(&self.statements.accounts())
    }

    pub(super) fn stream(&self, statement: &QueryText) -> AccountStream<'_> {
        let rows = self.scans.stream::<RawRow>(statement);
        Box::pin(rows.map(|row| Ok(row?.account()?)))
    }

    pub(super) async fn find_by_ids(&self, ids: &[AccountId]) -> Result<Vec<Account>, ReadError> {
        let mut tx = self.read.read().await?;
        self.look_up(&mut tx, ids).await
    }

    pub(super) async fn find_by_names(&self, names: &[String]) -> Result<Vec<Account>, ReadError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let text = self.statements.accounts_by_name().with_list(0, names.len());
        let mut tx = self.read.read().await?;
        let query = names.iter().fold(tx.run(&text), |query, name| query.bind(name.clone()));
        let mut found = BTreeMap::new();
        for row in query.all::<RawRow>().await? {
            insert(&mut found, row.account()?)?;
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
        for row in query.all::<RawRow>().await? {
            let account = row.account()?;
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
