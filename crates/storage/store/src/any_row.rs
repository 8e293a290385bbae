//! Rows of any columns.

use serde::{Deserialize, Serialize};
use sql::{Bind, ColumnKind, Datum, Decode, Misfit, Record, Row, SqlError, Value};

/// A row, whatever its columns are: their values, in the order of the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyRow(pub Vec<AnyValue>);

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnyValue {
    /// NULL.
    Null,
    /// A number, or a truth value of SQLite.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A truth value of PostgreSQL.
    Boolean(bool),
}

impl Record for AnyRow {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        (0..row.width()).map(|place| row.at(place)).collect::<Result<_, _>>().map(Self)
    }
}

impl Decode for AnyValue {
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit> {
        Ok(match datum {
            Datum::Null => Self::Null,
            Datum::Integer(number) => Self::Integer(number),
            Datum::Text(text) => Self::Text(text.to_owned()),
            Datum::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
            Datum::Boolean(is_so) => Self::Boolean(is_so),
        })
    }
}

/// A value on its way into a column. Each database takes it, whichever one it came from.
#[derive(Debug)]
pub(crate) struct TypedValue {
    pub(crate) value: AnyValue,
    pub(crate) kind: ColumnKind,
}

impl Bind for TypedValue {
    fn bind(this: Option<Self>) -> Result<Value, Misfit> {
        let Some(Self { value, kind }) = this else { return Err("a column has a type".into()) };
        Ok(match (kind, value) {
            (ColumnKind::Integer, AnyValue::Null) => Value::Integer(None),
            (ColumnKind::Integer, AnyValue::Integer(number)) => Value::Integer(Some(number)),
            (ColumnKind::Text, AnyValue::Null) => Value::Text(None),
            (ColumnKind::Text, AnyValue::Text(text)) => Value::Text(Some(text)),
            (ColumnKind::Bytes, AnyValue::Null) => Value::Bytes(None),
            (ColumnKind::Bytes, AnyValue::Bytes(bytes)) => Value::Bytes(Some(bytes)),
            (ColumnKind::Boolean, AnyValue::Null) => Value::Boolean(None),
            (ColumnKind::Boolean, AnyValue::Boolean(is_so)) => Value::Boolean(Some(is_so)),
            (ColumnKind::Boolean, AnyValue::Integer(number @ (0 | 1))) => {
                Value::Boolean(Some(number == 1))
            }
            _ => return Err(format!("a column of the kind {kind:?} holds another one").into()),
        })
    }
}
