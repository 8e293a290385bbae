use futures_util::TryStreamExt;
use sql::{Db, QueryText, SqlError};

use super::{
    connection::TableDirectory,
    sessions::{django_deletion, django_sessions},
    text::bare,
    write::BEFORE_LOCK,
};
use crate::{
    failure::{ReadError, WriteError},
    mapping::Sessions,
    report::{DirectoryReport, WriteGrant},
};

impl TableDirectory {
    pub(super) async fn examine(&self) -> Result<DirectoryReport, ReadError> {
        let (accounts, without_password) = self.count_passwords().await?;
        let mapped = self.mapping.columns.mapped();
        Ok(DirectoryReport {
            database: self.read.version().await?,
            accounts,
            without_password,
            repeated_ids: self.number(&self.mapping.count_repeated()).await?,
            columns: mapped.map(|(field, column)| (field.name(), column.to_owned())).collect(),
            id_type: self.id_type_name.to_lowercase(),
            write: self.write_grant().await,
        })
    }

    /// All accounts, and those without a password, by the rule that all else goes by.
    async fn count_passwords(&self) -> Result<(u64, u64), ReadError> {
        let counts = self.scan_all().try_fold((0, 0), async |(all, without), account| {
            Ok((all + 1, without + u64::from(account.credential.is_none())))
        });
        counts.await
    }

    async fn write_grant(&self) -> WriteGrant {
        let Some(write) = &self.write else {
            return WriteGrant::NotConfigured;
        };
        let Some(probe) = self.mapping.write_probe() else {
            return WriteGrant::Refused(
                "`directory.query` cannot be written to: set `directory.table`".to_owned(),
            );
        };
        let tried = try_both(write, &probe, &self.mapping.sessions).await;
        tried.map_or_else(WriteGrant::Refused, |()| WriteGrant::Granted)
    }
}

/// Tries what sealing and ending sessions need, without changing anything; why not.
async fn try_both(write: &Db, probe: &QueryText, sessions: &Sessions) -> Result<(), String> {
    let failed = |error: SqlError| error.to_string();
    if is_standby(write).await.map_err(failed)? {
        return Err(WriteError::Standby.to_string());
    }
    try_hashes(write, probe).await.map_err(failed)?;
    try_sessions(write, sessions).await.map_err(failed)
}

async fn is_standby(write: &Db) -> Result<bool, SqlError> {
    let mut tx = write.begin().await?;
    let (is_standby,) = tx.run(&BEFORE_LOCK).one::<(bool,)>().await?;
    Ok(is_standby)
}

async fn try_hashes(write: &Db, probe: &QueryText) -> Result<(), SqlError> {
    let mut tx = write.begin().await?;
    // Dropping the transaction takes back what was nothing to begin with.
    tx.run(probe).execute().await.map(drop)
}

async fn try_sessions(write: &Db, sessions: &Sessions) -> Result<(), SqlError> {
    let mut tx = write.begin().await?;
    match sessions {
        Sessions::Untouched => Ok(()),
        // Running it could do anything, so only its words are checked.
        Sessions::Statement(text) => {
            let statement = QueryText::composed(bare(text).to_owned());
            tx.describe(&statement).await.map(drop)
        }
        Sessions::Django { table } => {
            let first = tx.run(&django_sessions(table));
            first.optional::<(String, String)>().await?;
            let nobody = django_deletion(table).with_list(0, 1);
            // No session has an empty key.
            tx.run(&nobody).bind(String::new()).execute().await.map(drop)
        }
    }
}
