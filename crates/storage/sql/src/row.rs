use sqlx::{
    Column as _, Database, Decode as SqlxDecode, MySql, Postgres, Row as _, Sqlite, Type,
    TypeInfo as _, ValueRef, mysql::MySqlRow, postgres::PgRow, sqlite::SqliteRow,
};

use crate::{Datum, Decode, Misfit, SqlError};

/// A row of an answer, to be decoded.
pub enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
    /// Of MySQL or MariaDB.
    MySql(MySqlRow),
}

impl Row {
    /// What the column of that name holds.
    ///
    /// # Errors
    /// [`SqlError::Column`] if it holds anything else, NULL included, or does not exist.
    pub fn get<T: Decode>(&self, name: &'static str) -> Result<T, SqlError> {
        T::decode(self.named(name)?).map_err(|reason| misfit(name, reason))
    }

    /// What a column holds, by its place from 0.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn at<T: Decode>(&self, place: usize) -> Result<T, SqlError> {
        T::decode(self.placed(place)?).map_err(|reason| misfit(self.name(place), reason))
    }

    /// How many columns it has.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Sqlite(row) => row.len(),
            Self::Postgres(row) => row.len(),
            Self::MySql(row) => row.len(),
        }
    }

    fn named(&self, name: &'static str) -> Result<Datum<'_>, SqlError> {
        match self {
            Self::Sqlite(row) => sqlite_datum(row.try_get_raw(name)?),
            Self::Postgres(row) => postgres_datum(row.try_get_raw(name)?),
            Self::MySql(row) => mysql_datum(row.try_get_raw(name)?),
        }
        .map_err(|reason| misfit(name, reason))
    }

    fn placed(&self, place: usize) -> Result<Datum<'_>, SqlError> {
        match self {
            Self::Sqlite(row) => sqlite_datum(row.try_get_raw(place)?),
            Self::Postgres(row) => postgres_datum(row.try_get_raw(place)?),
            Self::MySql(row) => mysql_datum(row.try_get_raw(place)?),
        }
        .map_err(|reason| misfit(self.name(place), reason))
    }

    fn name(&self, place: usize) -> &str {
        match self {
            Self::Sqlite(row) => row.column(place).name(),
            Self::Postgres(row) => row.column(place).name(),
            Self::MySql(row) => row.column(place).name(),
        }
    }
}

fn misfit(column: &str, reason: Misfit) -> SqlError {
    SqlError::Column { column: column.to_owned(), reason }
}

type SqliteValue<'r> = <Sqlite as Database>::ValueRef<'r>;
type PgValue<'r> = <Postgres as Database>::ValueRef<'r>;
type MySqlValue<'r> = <MySql as Database>::ValueRef<'r>;

/// The value's own type decides, which may be another than its column's.
fn sqlite_datum(value: SqliteValue<'_>) -> Result<Datum<'_>, Misfit> {
    if value.is_null() {
        return Ok(Datum::Null);
    }
    let type_name = value.type_info().name().to_owned();
    Ok(match type_name.as_str() {
        "INTEGER" => Datum::Integer(SqlxDecode::<Sqlite>::decode(value)?),
        "TEXT" => Datum::Text(SqlxDecode::<Sqlite>::decode(value)?),
        "BLOB" => Datum::Bytes(SqlxDecode::<Sqlite>::decode(value)?),
        other => return Err(unread(other)),
    })
}

fn postgres_datum(value: PgValue<'_>) -> Result<Datum<'_>, Misfit> {
    if value.is_null() {
        return Ok(Datum::Null);
    }
    let found = value.type_info().into_owned();
    Ok(if <i64 as Type<Postgres>>::compatible(&found) {
        Datum::Integer(SqlxDecode::<Postgres>::decode(value)?)
    } else if <i32 as Type<Postgres>>::compatible(&found) {
        Datum::Integer(<i32 as SqlxDecode<Postgres>>::decode(value)?.into())
    } else if <i16 as Type<Postgres>>::compatible(&found) {
        Datum::Integer(<i16 as SqlxDecode<Postgres>>::decode(value)?.into())
    } else if <bool as Type<Postgres>>::compatible(&found) {
        Datum::Boolean(SqlxDecode::<Postgres>::decode(value)?)
    } else if <str as Type<Postgres>>::compatible(&found) {
        Datum::Text(SqlxDecode::<Postgres>::decode(value)?)
    } else if <Vec<u8> as Type<Postgres>>::compatible(&found) {
        Datum::Bytes(SqlxDecode::<Postgres>::decode(value)?)
    } else {
        return Err(unread(found.name()));
    })
}

/// Truth values are numbers there.
fn mysql_datum(value: MySqlValue<'_>) -> Result<Datum<'_>, Misfit> {
    if value.is_null() {
        return Ok(Datum::Null);
    }
    let found = value.type_info().into_owned();
    Ok(if <i64 as Type<MySql>>::compatible(&found) {
        Datum::Integer(SqlxDecode::<MySql>::decode(value)?)
    } else if <u64 as Type<MySql>>::compatible(&found) {
        Datum::Integer(<u64 as SqlxDecode<MySql>>::decode(value)?.try_into()?)
    } else if <str as Type<MySql>>::compatible(&found) {
        Datum::Text(SqlxDecode::<MySql>::decode(value)?)
    } else if <Vec<u8> as Type<MySql>>::compatible(&found) {
        Datum::Bytes(SqlxDecode::<MySql>::decode(value)?)
    } else {
        return Err(unread(found.name()));
    })
}

fn unread(type_name: &str) -> Misfit {
    format!("no value of type {type_name} is read").into()
}
