use std::collections::HashSet;

use futures_util::{
    future,
    stream::{self, StreamExt},
};
use model::{Account, AccountId, SiteTransaction};

use super::Export;
use crate::{
    contract::{
        Ability, AccountStream, Capabilities, ChangeMark, Changes, Directory, EndedSessions,
    },
    failure::{ReadError, Reading, WriteError, Writing},
    limits::ACCOUNTS_PER_NAME_MAX,
    locked::{LockedRow, RowNow, TransactionFate},
    report::{AccountCounts, DirectoryReport, WriteGrant},
};

/// A copy: it can be looked at, and nothing that happens to it would mean anything.
impl Directory for Export {
    fn capabilities(&self) -> Capabilities {
        let any = |has: fn(&Account) -> bool| self.accounts().iter().any(has);
        Capabilities::READ
            .with_if(any(|account| account.email.is_some()), Ability::Tell)
            .with_if(any(|account| account.email_verified.is_some()), Ability::RecordVerified)
    }

    fn count(&self) -> Reading<'_, u64> {
        Box::pin(future::ready(Ok((self.accounts().len() + self.0.nobodys.len()) as u64)))
    }

    fn scan(&self) -> AccountStream<'_> {
        let nobodys =
            self.0.nobodys.iter().map(|place| Err(ReadError::Line(self.0.faults[*place].clone())));
        let accounts = self.accounts().iter().map(|account| Ok(account.clone()));
        stream::iter(accounts.chain(nobodys)).boxed()
    }

    fn changed_since<'a>(&'a self, _mark: Option<&'a ChangeMark>) -> Reading<'a, Changes<'a>> {
        Box::pin(future::ready(Err(ReadError::NoChanges)))
    }

    fn by_ids<'a>(&'a self, ids: &'a [AccountId]) -> Reading<'a, Vec<Account>> {
        let ids: HashSet<_> = ids.iter().collect();
        let found = ids.into_iter().filter_map(|id| self.by_id(id).cloned()).collect();
        Box::pin(future::ready(Ok(found)))
    }

    fn by_names<'a>(&'a self, names: &'a [String]) -> Reading<'a, Vec<Account>> {
        let is_one = |name: &str| names.iter().any(|one| one == name);
        let is_meant = |account: &&Account| {
            let email = account.email.as_ref().map(|email| email.to_lowercase());
            email.is_some_and(|email| is_one(&email))
                || account.username.as_deref().is_some_and(is_one)
        };
        let meant = self.accounts().iter().filter(is_meant).take(ACCOUNTS_PER_NAME_MAX);
        Box::pin(future::ready(Ok(meant.cloned().collect())))
    }

    fn lock<'a>(&'a self, _account: &'a AccountId) -> Writing<'a, Box<dyn LockedRow>> {
        Box::pin(future::ready(Err(WriteError::Copy)))
    }

    fn look<'a>(&'a self, account: &'a AccountId) -> Reading<'a, RowNow> {
        let row = |account: &Account| RowNow::of_credential(account.credential.clone());
        Box::pin(future::ready(Ok(self.by_id(account).map_or(RowNow::Gone, row))))
    }

    fn fate<'a>(&'a self, _of: &'a SiteTransaction) -> Reading<'a, TransactionFate> {
        Box::pin(future::ready(Ok(TransactionFate::Unknown)))
    }

    fn end_sessions<'a>(&'a self, _ids: &'a [AccountId]) -> Writing<'a, EndedSessions> {
        Box::pin(future::ready(Err(WriteError::Copy)))
    }

    fn try_write(&self) -> Reading<'_, WriteGrant> {
        Box::pin(future::ready(Ok(WriteGrant::Copy)))
    }

    fn check(&self) -> Reading<'_, DirectoryReport> {
        let mut accounts = AccountCounts::default();
        self.accounts().iter().for_each(|account| accounts.add(account));
        for place in &self.0.nobodys {
            accounts.add_no_account(self.0.faults[*place].clone());
        }
        let report = DirectoryReport {
            database: "an export".to_owned(),
            accounts,
            repeated_ids: 0,
            columns: Vec::new(),
            id_type: "text".to_owned(),
            write: WriteGrant::Copy,
        };
        Box::pin(future::ready(Ok(report)))
    }
}
