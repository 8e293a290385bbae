use futures_util::TryStreamExt;
use sql::{Db, QueryText, SqlError};

use super::{
    connection::TableDirectory,
    sessions::{django_deletion, django_sessions},
    text::{Statements, bare},
};
use crate::{
    engine::Engine,
    failure::ReadError,
    mapping::Sessions,
    report::{DirectoryReport, WriteGrant},
    row::MappedField,
};

impl TableDirectory {
    pub(super) async fn examine(&self) -> Result<DirectoryReport, ReadError> {
        let (accounts, without_password) = self.count_passwords().await?;
        let mapped = self.statements.mapping.columns.mapped();
        Ok(DirectoryReport {
            database: self.read.version().await?,
            accounts,
            without_password,
            repeated_ids: self.number(&self.statements.count_repeated()).await?,
            columns: mapped.map(|(field, column)| (field.name(), column.to_owned())).collect(),
            id_type: self.statements.types.of(MappedField::Id).to_lowercase(),
            write: self.try_grants().await,
        })
    }

    /// All accounts, and those without a password, by the rule that all else goes by.
    async fn count_passwords(&self) -> Result<(u64, u64), ReadError> {
        let counts = self.scan_all().try_fold((0, 0), async |(all, without), account| {
            Ok((all + 1, without + u64::from(account.credential.is_none())))
        });
        counts.await
    }

    /// Hashes, and sessions after them.
    pub(super) async fn try_grants(&self) -> WriteGrant {
        let hashes = self.try_write().await;
        let (WriteGrant::Granted, Some(write)) = (&hashes, &self.write) else { return hashes };
        let Statements { mapping, engine, .. } = &self.statements;
        let sessions = try_sessions(write, *engine, &mapping.sessions).await;
        sessions.map_or_else(|error| WriteGrant::Refused(error.to_string()), |()| hashes)
    }
}

async fn try_sessions(
    write: &Db,
    engine: &dyn Engine,
    sessions: &Sessions,
) -> Result<(), SqlError> {
    let mut tx = write.begin().await?;
    match sessions {
        Sessions::Untouched => Ok(()),
        // Running it could do anything, so only its words are checked.
        Sessions::Statement(text) => {
            let statement = QueryText::composed(bare(text).to_owned());
            tx.describe(&statement).await.map(drop)
        }
        Sessions::Django { table } => {
            let table = &engine.quoted_path(table);
            let first = tx.run(&django_sessions(table));
            first.optional::<(String, String)>().await?;
            let nobody = django_deletion(table).with_list(0, 1);
            // No session has an empty key.
            tx.run(&nobody).bind(String::new()).execute().await.map(drop)
        }
    }
}
