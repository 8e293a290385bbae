//! Whether the database that is written to is the one that is read.

use sql::{Db, QueryText, SqlError};

use super::connection::TableDirectory;
use crate::{
    engine::{mysql, postgres, sqlite},
    report::Kinship,
};

/// What a connection leads to.
const PLACE: QueryText = QueryText::of_each(sqlite::PLACE, postgres::PLACE, mysql::PLACE);

/// A mark to leave with a server that has no name of its own; empty where the place tells servers apart.
const NEW_MARK: QueryText = QueryText::of_each("SELECT ''", "SELECT ''", mysql::NEW_MARK);

/// Leaves mark `$1`.
const LEAVE_MARK: QueryText = QueryText::of_each("", "", mysql::LEAVE_MARK);

/// Whether mark `$1` is seen.
const SEES_MARK: QueryText = QueryText::of_each("", "", mysql::SEES_MARK);

/// Takes mark `$1` back.
const TAKE_MARK: QueryText = QueryText::of_each("", "", mysql::TAKE_MARK);

struct SeenDatabase {
    /// Told from other databases; a copy of a whole cluster has its name.
    database: String,
    is_standby: bool,
    /// When its server started, or what else no other one has.
    started: String,
    /// How much the server has written, or replayed.
    position: i64,
}

impl TableDirectory {
    pub(super) async fn compare_databases(&self) -> Kinship {
        let Some(write) = &self.write else { return Kinship::One };
        match places(&self.read, write).await {
            Ok((read, write)) => judge(&read, &write),
            Err(error) => Kinship::Untold(format!(
                "whether `directory.write_url` leads to the database of `directory.url` cannot be \
                 told: {error}"
            )),
        }
    }
}

/// In this order: what a standby has replayed, its own primary wrote before.
async fn places(read: &Db, write: &Db) -> Result<(SeenDatabase, SeenDatabase), SqlError> {
    let is_one_server = shows_mark(read, write).await?;
    let (mut read, write) = (place(read).await?, place(write).await?);
    if is_one_server {
        read.started.clone_from(&write.started);
    }
    Ok((read, write))
}

/// Whether a mark that is left with one server is seen at the other one, so that it is no other.
async fn shows_mark(read: &Db, write: &Db) -> Result<bool, SqlError> {
    let mut leaving = write.read().await?;
    let (mark,) = leaving.run(&NEW_MARK).one::<(String,)>().await?;
    if mark.is_empty() {
        return Ok(false);
    }
    leaving.run(&LEAVE_MARK).bind(mark.clone()).one::<(i64,)>().await?;
    let mut looking = read.read().await?;
    let (is_seen,) = looking.run(&SEES_MARK).bind(mark.clone()).one::<(bool,)>().await?;
    leaving.run(&TAKE_MARK).bind(mark).one::<(i64,)>().await?;
    Ok(is_seen)
}

async fn place(db: &Db) -> Result<SeenDatabase, SqlError> {
    let mut tx = db.read().await?;
    let (database, is_standby, started, position) = tx.run(&PLACE).one::<SeenColumns>().await?;
    Ok(SeenDatabase { database: tx.identity(&database)?, is_standby, started, position })
}

type SeenColumns = (String, bool, String, i64);

fn judge(read: &SeenDatabase, write: &SeenDatabase) -> Kinship {
    if read.database != write.database {
        return two("they are two databases");
    }
    match (read.is_standby, write.is_standby) {
        _ if read.started == write.started => Kinship::One,
        (false, false) => two("they are two servers, neither of which follows the other"),
        (true, false) if read.position > write.position => {
            two("what `directory.url` shows was never written there, so it follows another server")
        }
        _ => Kinship::Untold(
            "`directory.url` leads to a standby: that it follows the server of \
             `directory.write_url`, and not one that this is a copy of, cannot be told from here"
                .to_owned(),
        ),
    }
}

fn two(why: &str) -> Kinship {
    Kinship::Two(format!(
        "`directory.write_url` does not lead to the database of `directory.url`: {why}. Who is \
         sealed in a copy still gets in: let both lead to the site's own database, or \
         `directory.url` to a standby of it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(database: &str, is_standby: bool, started: &str, position: i64) -> SeenDatabase {
        let (database, started) = (database.to_owned(), started.to_owned());
        SeenDatabase { database, is_standby, started, position }
    }

    #[test]
    fn a_standby_that_is_ahead_follows_somebody_else() {
        let standby = at("a", true, "noon", 7);
        let judged = |write: SeenDatabase| judge(&standby, &write);
        for position in [7, 8] {
            let judged = judged(at("a", false, "one", position));
            assert!(matches!(judged, Kinship::Untold(_)), "{judged:?}");
        }
        assert!(matches!(judged(at("a", false, "one", 6)), Kinship::Two(_)));
        assert!(matches!(judged(at("b", false, "one", 8)), Kinship::Two(_)));
    }
}
