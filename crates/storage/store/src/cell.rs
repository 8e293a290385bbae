use std::{str::FromStr, time::Duration};

use model::{
    AccountId, CampaignId, CampaignState, CredentialVersion, FileId, FindingId, FindingState,
    HashFormat, InstanceKind, KeyId, KillSwitch, LeakDate, LeakId, LeakName, LeakState, NoticeId,
    NoticeKind, NoticeState, Outcome, Provenance, RejectReason, SkipReason, StoredHash, SubjectId,
    SwapId, SwapPurpose, SwapState, TargetState, Tier, Timestamp, Unverified,
};
use sql::{Bind, Datum, Decode, Misfit, Row, SqlError, Value};

use crate::{JobId, JobKind, LinkId, RequestId};

/// A value of the model as a column holds it: `bind(Cell(account))` writes it, a row reads it.
///
/// A number too large for a column, and a column that no value of the model equals, are errors of
/// the query, so that nothing is ever stored or read as something else.
#[derive(Debug, Clone)]
pub(crate) struct Cell<T>(pub(crate) T);

/// How one type of the model stands in a column.
pub(crate) trait Stored: Sized {
    /// What both databases understand.
    type Column: Bind + Decode;

    fn to_column(&self) -> Result<Self::Column, Misfit>;
    fn from_column(column: Self::Column) -> Result<Self, Misfit>;
}

impl<T: Stored> Bind for Cell<T> {
    fn bind(this: Option<Self>) -> Result<Value, Misfit> {
        T::Column::bind(this.map(|Self(value)| value.to_column()).transpose()?)
    }
}

impl<T: Stored> Decode for Cell<T> {
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit> {
        T::from_column(T::Column::decode(datum)?).map(Self)
    }
}

/// What a field of a record can be: a stored value, or none where the column holds NULL.
pub(crate) trait Field: Sized {
    fn read(row: &Row, column: &'static str) -> Result<Self, SqlError>;
}

impl<T: Stored> Field for T {
    fn read(row: &Row, column: &'static str) -> Result<Self, SqlError> {
        row.get::<Cell<T>>(column).map(|Cell(value)| value)
    }
}

impl<T: Stored> Field for Option<T> {
    fn read(row: &Row, column: &'static str) -> Result<Self, SqlError> {
        row.get::<Option<Cell<T>>>(column).map(|found| found.map(|Cell(value)| value))
    }
}

/// Reads a struct out of the columns that its fields are named after, or that `=` names. A field
/// behind `;` is a record of the same row.
macro_rules! record {
    ($type:ident { $($field:ident $(= $column:literal)?),+ $(; $part:ident)? }) => {
        impl sql::Record for $type {
            fn decode(row: &sql::Row) -> Result<Self, sql::SqlError> {
                Ok(Self {
                    $($field: $crate::cell::Field::read(row, column!($field $($column)?))?,)+
                    $($part: sql::Record::decode(row)?,)?
                })
            }
        }
    };
}

macro_rules! column {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $column:literal) => {
        $column
    };
}

macro_rules! stored {
    ($($type:ty: $column:ty, $write:expr, $read:expr;)+) => {$(
        impl Stored for $type {
            type Column = $column;

            fn to_column(&self) -> Result<$column, Misfit> {
                let write: fn(&Self) -> Result<$column, Misfit> = $write;
                write(self)
            }

            fn from_column(column: $column) -> Result<Self, Misfit> {
                let read: fn($column) -> Result<Self, Misfit> = $read;
                read(column)
            }
        }
    )+};
}

macro_rules! stored_words {
    ($($type:ty),+) => {
        stored! {
            $($type: String, |value| Ok(value.as_str().to_owned()), |word| Ok(Self::from_str(&word)?);)+
        }
    };
}

stored! {
    i64: i64, |value| Ok(*value), Ok;
    bool: bool, |value| Ok(*value), Ok;
    String: String, |value| Ok(value.clone()), Ok;
    Vec<u8>: Vec<u8>, |value| Ok(value.clone()), Ok;
    u32: i64, |value| Ok(i64::from(*value)), |column| Ok(Self::try_from(column)?);
    u64: i64, |value| Ok(i64::try_from(*value)?), |column| Ok(Self::try_from(column)?);
    Timestamp: i64, |value| Ok(value.as_micros()), |column| Ok(Self::from_micros(column));
    Duration: i64,
        |value| Ok(i64::try_from(value.as_micros())?),
        |column| Ok(Self::from_micros(column.try_into()?));
    [u8; 32]: Vec<u8>, |value| Ok(value.to_vec()), |column| exactly_32(&column);
    CredentialVersion: Vec<u8>,
        |value| Ok(value.as_bytes().to_vec()),
        |column| exactly_32(&column).map(Self::from_bytes);
    KeyId: Vec<u8>,
        |value| Ok(value.as_bytes().to_vec()),
        |column| Ok(Self::from_bytes(column.as_slice().try_into()?));
    AccountId: String, |value| Ok(value.as_str().to_owned()), |column| Ok(Self::new(column)?);
    LeakName: String, |value| Ok(value.as_str().to_owned()), |column| Ok(column.parse()?);
    LeakDate: String, |value| Ok(value.as_str().to_owned()), |column| Ok(column.parse()?);
}

macro_rules! stored_ids {
    ($($type:ty),+) => {
        stored! { $($type: i64, |value| Ok(value.0), |column| Ok(Self(column));)+ }
    };
}

stored_ids!(
    CampaignId, FileId, FindingId, JobId, LeakId, LinkId, NoticeId, RequestId, SubjectId, SwapId
);

stored_words!(
    CampaignState,
    FindingState,
    HashFormat,
    InstanceKind,
    JobKind,
    KillSwitch,
    LeakState,
    NoticeKind,
    NoticeState,
    Outcome,
    Provenance,
    RejectReason,
    SkipReason,
    SwapPurpose,
    SwapState,
    TargetState,
    Tier,
    Unverified
);

/// Written, never read: the embedded directory is read through the `directory` crate.
pub(crate) fn hash_column(hash: Option<&StoredHash>) -> Option<String> {
    hash.map(|hash| hash.expose().to_owned())
}

fn exactly_32(column: &[u8]) -> Result<[u8; 32], Misfit> {
    Ok(<[u8; 32]>::try_from(column)?)
}
