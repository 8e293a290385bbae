use std::collections::HashSet;

use futures_util::TryStreamExt;
use model::AccountId;
use sql::{Db, QueryText, SqlError};

use super::{
    connection::TableDirectory,
    django::{self, SessionOwner},
    session_words::statements,
};
use crate::{
    contract::EndedSessions, failure::WriteError, limits::KEYS_PER_STATEMENT_MAX, mapping::Sessions,
};

impl TableDirectory {
    pub(super) async fn sign_out(&self, ids: &[AccountId]) -> Result<EndedSessions, WriteError> {
        let write = self.write.as_ref().ok_or(WriteError::NotConfigured)?;
        if ids.is_empty() {
            return Err(WriteError::Nobody);
        }
        self.check_kind().await.map_err(WriteError::Sessions)??;
        let engine = self.statements.engine;
        let ended = match &self.statements.mapping.sessions {
            Sessions::Untouched => Ok(EndedSessions::default()),
            Sessions::Statement(text) => self.run_for_each(write, text, ids).await,
            Sessions::Django { table } => end_django(write, &engine.quoted_path(table), ids).await,
        };
        ended.map_err(WriteError::Sessions)
    }

    async fn run_for_each(
        &self,
        write: &Db,
        text: &str,
        ids: &[AccountId],
    ) -> Result<EndedSessions, SqlError> {
        let mut tx = write.begin().await?;
        let mut ended = EndedSessions::default();
        for statement in statements(text) {
            let statement = QueryText::composed(self.statements.about_account(statement));
            for id in ids {
                let query = tx.run(&statement).bind(id.as_str().to_owned());
                ended.deleted += query.execute().await?;
            }
        }
        tx.commit().await?;
        Ok(ended)
    }
}

/// Reads the whole table once, and only then locks anything: on SQLite the site could not write
/// meanwhile.
///
/// Call it after sealing: a session that begins in between then belongs to the new hash. One that
/// was being opened with the old hash may slip through; Django itself refuses it while the hash is
/// another.
async fn end_django(write: &Db, table: &str, ids: &[AccountId]) -> Result<EndedSessions, SqlError> {
    let owners: HashSet<_> = ids.iter().map(|id| SessionOwner::new(id.as_str())).collect();
    let (keys, unreadable) = find_django(write, table, &owners).await?;
    let deleted = delete_django(write, table, &keys).await?;
    Ok(EndedSessions { deleted, unreadable })
}

/// The keys of these people's sessions, expired ones too, and how many rows cannot be decoded.
async fn find_django(
    write: &Db,
    table: &str,
    owners: &HashSet<SessionOwner>,
) -> Result<(Vec<String>, u64), SqlError> {
    let mut sessions = write.stream::<(String, String)>(&django_sessions(table));
    let (mut keys, mut unreadable) = (Vec::new(), 0);
    while let Some((key, data)) = sessions.try_next().await? {
        match django::session_owner(&data) {
            Ok(Some(owner)) if owners.contains(&owner) => keys.push(key),
            Ok(_) => {}
            Err(_) => unreadable += 1,
        }
    }
    Ok((keys, unreadable))
}

async fn delete_django(write: &Db, table: &str, keys: &[String]) -> Result<u64, SqlError> {
    let delete = django_deletion(table);
    let mut tx = write.begin().await?;
    let mut deleted = 0;
    for keys in keys.chunks(KEYS_PER_STATEMENT_MAX) {
        let text = delete.with_list(0, keys.len());
        let query = keys.iter().fold(tx.run(&text), |query, key| query.bind(key.clone()));
        deleted += query.execute().await?;
    }
    tx.commit().await?;
    Ok(deleted)
}

/// Every session with its primary key. The table's name is quoted.
pub(super) fn django_sessions(table: &str) -> QueryText {
    QueryText::composed(format!(
        "SELECT session.session_key, session.session_data FROM {table} AS session"
    ))
}

/// The sessions whose keys are in `{list}`. The table's name is quoted.
pub(super) fn django_deletion(table: &str) -> QueryText {
    QueryText::composed(format!("DELETE FROM {table} WHERE session_key IN {{list}}"))
}
