use directory::{Directory, Export, ReadError};
use futures_util::TryStreamExt;
use leak::{AccountIndex, IndexBuilder};
use model::{Account, AccountId};

use instance::{Progress, Step};

/// Progress is told once for so many accounts.
const ACCOUNTS_PER_REPORT: u64 = 1000;

/// Where the site's accounts are read from.
#[derive(Debug, Clone, Copy)]
pub enum Accounts<'a> {
    /// The site's own table.
    Directory(&'a Directory),
    /// A file that somebody exported.
    Export(&'a Export),
}

/// What screening needs to know of all accounts.
pub(crate) struct Indexed {
    pub(crate) index: AccountIndex,
    pub(crate) accounts: u64,
    pub(crate) without_password: u64,
}

impl Accounts<'_> {
    /// Reads every account once, in bounded memory but for the index.
    pub(crate) async fn index(self, progress: &dyn Progress) -> Result<Indexed, ReadError> {
        let mut reading = Reading::default();
        progress.begin(Step::ReadAccounts, self.count().await?);
        match self {
            Self::Export(export) => {
                export.accounts().iter().for_each(|account| reading.take(account, progress));
            }
            Self::Directory(directory) => {
                let mut accounts = directory.scan();
                while let Some(account) = accounts.try_next().await? {
                    reading.take(&account, progress);
                }
            }
        }
        progress.end();
        Ok(reading.finish())
    }

    /// The accounts as they are now; those that are gone are absent.
    pub(crate) async fn by_ids(self, ids: &[AccountId]) -> Result<Vec<Account>, ReadError> {
        match self {
            Self::Directory(directory) => directory.by_ids(ids).await,
            Self::Export(export) => {
                Ok(ids.iter().filter_map(|id| export.by_id(id).cloned()).collect())
            }
        }
    }

    async fn count(self) -> Result<u64, ReadError> {
        match self {
            Self::Directory(directory) => directory.count().await,
            Self::Export(export) => Ok(export.accounts().len() as u64),
        }
    }
}

#[derive(Default)]
struct Reading {
    builder: IndexBuilder,
    accounts: u64,
    without_password: u64,
}

impl Reading {
    fn take(&mut self, account: &Account, progress: &dyn Progress) {
        self.builder.add(&account.id, account.email.as_deref(), account.username.as_deref());
        self.accounts += 1;
        self.without_password += u64::from(account.hash.is_none());
        if self.accounts.is_multiple_of(ACCOUNTS_PER_REPORT) {
            progress.advance(ACCOUNTS_PER_REPORT);
        }
    }

    fn finish(self) -> Indexed {
        Indexed {
            index: self.builder.build(),
            accounts: self.accounts,
            without_password: self.without_password,
        }
    }
}
