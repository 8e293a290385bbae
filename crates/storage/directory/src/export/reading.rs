use model::{Account, AccountId};

use super::fault::{ExportError, LineFault};
use crate::{limits::EXPORT_FAULTS_MAX, mapped_field::MappedField};

/// What an export says.
#[derive(Debug)]
pub(super) struct ExportedRows {
    pub(super) accounts: Vec<Account>,
    /// Where the accounts stand, in the order of their ids.
    pub(super) by_id: Vec<usize>,
    /// What is wrong with lines that could not be read whole.
    pub(super) faults: Vec<String>,
    /// Of these, by their places, those of lines that make no account.
    pub(super) nobodys: Vec<usize>,
}

/// What is kept of the rows of an export while they come.
#[derive(Default)]
pub(super) struct ExportReading {
    accounts: Vec<Account>,
    faults: Vec<String>,
    nobodys: Vec<usize>,
    /// The ids that a second line has, too.
    repeated: Vec<AccountId>,
    first: Option<ExportError>,
}

impl ExportReading {
    /// Takes a row. A fault that is in most of them is the file's.
    pub(super) fn take(
        &mut self,
        row: Result<(Account, Option<ExportError>), ExportError>,
    ) -> Result<(), ExportError> {
        match row {
            Ok((account, fault)) => {
                self.accounts.push(account);
                fault.map_or(Ok(()), |fault| self.add(fault))
            }
            Err(fault) if fault.is_of_row() => {
                self.nobodys.push(self.faults.len());
                if let ExportError::Line { fault: LineFault::Repeated { id, .. }, .. } = &fault {
                    self.repeated.push(id.clone());
                }
                self.add(fault)
            }
            Err(error) => Err(error),
        }
    }

    fn add(&mut self, fault: ExportError) -> Result<(), ExportError> {
        self.faults.push(fault.to_string());
        let first = self.first.get_or_insert(fault);
        if self.faults.len() <= EXPORT_FAULTS_MAX {
            return Ok(());
        }
        Err(ExportError::Faults { first: first.to_string() })
    }

    /// All of them, unless not one line of it could be read whole.
    pub(super) fn finish(self) -> Result<ExportedRows, ExportError> {
        let Self { mut accounts, faults, nobodys, repeated, first } = self;
        let unread = faults.len() - nobodys.len();
        if let Some(first) = first.filter(|_| accounts.len() == unread) {
            return Err(first);
        }
        let mut by_id: Vec<_> = (0..accounts.len()).collect();
        by_id.sort_unstable_by_key(|place| &accounts[*place].id);
        for id in repeated {
            let found = by_id.binary_search_by_key(&&id, |place| &accounts[*place].id);
            let account = found.ok().and_then(|found| accounts.get_mut(by_id[found]));
            // Which of the two is right, nobody can tell.
            if let Some(account) = account {
                account.unreadable.get_or_insert(MappedField::Id.name());
            }
        }
        Ok(ExportedRows { accounts, by_id, faults, nobodys })
    }
}
