use futures_util::StreamExt;
use sql::{Db, QueryText, SqlError};

use super::{
    connection::TableDirectory,
    session_words::statements,
    sessions::{django_deletion, django_sessions},
    text::Statements,
};
use crate::{
    failure::ReadError,
    mapped_field::MappedField,
    mapping::Sessions,
    report::{AccountCounts, DirectoryReport, WriteGrant},
};

impl TableDirectory {
    pub(super) async fn examine(&self) -> Result<DirectoryReport, ReadError> {
        let counted = self.count_accounts().await?;
        let mapped = self.statements.mapping.columns.mapped();
        Ok(DirectoryReport {
            database: self.read.version().await?,
            accounts: counted,
            repeated_ids: self.number(&self.statements.count_repeated()).await?,
            columns: mapped.map(|(field, column)| (field.name(), column.to_owned())).collect(),
            id_type: self.statements.types.of(MappedField::Id).to_lowercase(),
            write: self.try_grants().await,
        })
    }

    /// Every account, by the rules that all else goes by.
    async fn count_accounts(&self) -> Result<AccountCounts, ReadError> {
        let mut counts = AccountCounts::default();
        let mut accounts = self.scan_all();
        while let Some(account) = accounts.next().await {
            match account {
                Ok(account) => counts.add(&account),
                Err(ReadError::Row(fault)) => counts.add_no_account(fault.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(counts)
    }

    /// Hashes, and sessions after them.
    pub(super) async fn try_grants(&self) -> WriteGrant {
        let hashes = self.try_write().await;
        let (WriteGrant::Granted, Some(write)) = (&hashes, &self.write) else { return hashes };
        let sessions = try_sessions(write, &self.statements).await;
        sessions.map_or_else(|error| WriteGrant::Refused(error.to_string()), |()| hashes)
    }
}

async fn try_sessions(write: &Db, texts: &Statements) -> Result<(), SqlError> {
    let mut tx = write.begin().await?;
    match &texts.mapping.sessions {
        Sessions::Untouched => Ok(()),
        // Running it could do anything, so only its words are checked.
        Sessions::Statement(text) => {
            for statement in statements(text) {
                let statement = QueryText::composed(texts.about_account(statement));
                tx.describe(&statement).await?;
            }
            Ok(())
        }
        Sessions::Django { table } => {
            let table = &texts.engine.quoted_path(table);
            let first = tx.run(&django_sessions(table));
            first.optional::<(String, String)>().await?;
            let nobody = django_deletion(table).with_list(0, 1);
            // No session has an empty key.
            tx.run(&nobody).bind(String::new()).execute().await.map(drop)
        }
    }
}
