use directory::{Directory, ReadError};
use futures_util::StreamExt;
use leak::{AccountIndex, IndexBuilder};
use model::Account;

use instance::{Progress, Step};

use crate::AccountsRead;

/// Progress is told once for so many accounts.
const ACCOUNTS_PER_REPORT: u64 = 1000;

/// What screening needs to know of all accounts.
pub(crate) struct Indexed {
    pub(crate) index: AccountIndex,
    pub(crate) read: AccountsRead,
}

/// Reads every account once, in bounded memory but for the index.
pub(crate) async fn index_accounts(
    directory: &dyn Directory,
    progress: &dyn Progress,
) -> Result<Indexed, ReadError> {
    let mut indexing = Indexing::default();
    progress.begin(Step::ReadAccounts, directory.count().await?);
    let mut accounts = directory.scan();
    while let Some(account) = accounts.next().await {
        indexing.take(account, progress)?;
    }
    progress.end();
    Ok(indexing.finish())
}

#[derive(Default)]
struct Indexing {
    builder: IndexBuilder,
    read: AccountsRead,
}

impl Indexing {
    /// A row that is no account, for want of an id, is counted as one that cannot be read.
    fn take(
        &mut self,
        account: Result<Account, ReadError>,
        progress: &dyn Progress,
    ) -> Result<(), ReadError> {
        self.read.accounts += 1;
        match account {
            Ok(account) => self.add(&account),
            Err(error) if error.is_of_row() => self.read.unreadable += 1,
            Err(error) => return Err(error),
        }
        if self.read.accounts.is_multiple_of(ACCOUNTS_PER_REPORT) {
            progress.advance(ACCOUNTS_PER_REPORT);
        }
        Ok(())
    }

    fn add(&mut self, account: &Account) {
        let emails = account.email.iter().chain(&account.other_emails).map(String::as_str);
        self.builder.add(&account.id, emails, account.username.as_deref());
        self.read.without_password += u64::from(account.credential.is_none());
        self.read.unreadable += u64::from(account.unreadable.is_some());
    }

    fn finish(self) -> Indexed {
        Indexed { index: self.builder.build(), read: self.read }
    }
}
