use std::{str::FromStr, time::Duration};

use model::{
    AccountId, CampaignId, CredentialVersion, FileId, HashFormat, KillSwitch, LeakDate, LeakId,
    LeakName, NoticeId, NoticeKind, NoticeState, Provenance, RejectReason, SkipReason, StoredHash,
    TargetState, Tier, Timestamp, Unverified,
};
use sqlx::{
    Database, Decode, Encode, Type, ValueRef as _,
    encode::IsNull,
    error::{BoxDynError, UnexpectedNullError},
};

use crate::{
    FindingId, FindingState, InstanceKind, JobId, JobKind, LeakState, LinkId, Outcome, RequestId,
};

/// A value of the model as a column holds it: `bind(Cell(account))` writes it, a row reads it.
///
/// A number too large for a column, and a column that no value of the model equals, are errors of
/// the query, so that nothing is ever stored or read as something else.
#[derive(Debug, Clone)]
pub(crate) struct Cell<T>(pub(crate) T);

/// How one type of the model stands in a column.
pub(crate) trait Stored: Sized {
    /// What both databases understand.
    type Column;

    fn to_column(&self) -> Result<Self::Column, BoxDynError>;
    fn from_column(column: Self::Column) -> Result<Self, BoxDynError>;
}

impl<T: Stored, DB: Database> Type<DB> for Cell<T>
where
    T::Column: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        T::Column::type_info()
    }

    fn compatible(found: &DB::TypeInfo) -> bool {
        T::Column::compatible(found)
    }
}

impl<'q, T: Stored, DB: Database> Encode<'q, DB> for Cell<T>
where
    T::Column: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.0.to_column()?.encode(buffer)
    }
}

impl<'r, T: Stored, DB: Database> Decode<'r, DB> for Cell<T>
where
    T::Column: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        // sqlx reads a NULL of SQLite as 0 or as nothing, where PostgreSQL's is an error.
        if value.is_null() {
            return Err(UnexpectedNullError.into());
        }
        T::from_column(T::Column::decode(value)?).map(Self)
    }
}

macro_rules! stored {
    ($($type:ty: $column:ty, $write:expr, $read:expr;)+) => {$(
        impl Stored for $type {
            type Column = $column;

            fn to_column(&self) -> Result<$column, BoxDynError> {
                let write: fn(&Self) -> Result<$column, BoxDynError> = $write;
                write(self)
            }

            fn from_column(column: $column) -> Result<Self, BoxDynError> {
                let read: fn($column) -> Result<Self, BoxDynError> = $read;
                read(column)
            }
        }

        impl From<Cell<Self>> for $type {
            fn from(cell: Cell<Self>) -> Self {
                cell.0
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
    u32: i64, |value| Ok(i64::from(*value)), |column| Ok(Self::try_from(column)?);
    u64: i64, |value| Ok(i64::try_from(*value)?), |column| Ok(Self::try_from(column)?);
    Timestamp: i64, |value| Ok(value.as_micros()), |column| Ok(Self::from_micros(column));
    Duration: i64,
        |value| Ok(i64::try_from(value.as_micros())?),
        |column| Ok(Self::from_micros(column.try_into()?));
    LeakId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    FileId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    CampaignId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    NoticeId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    JobId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    FindingId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    LinkId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    RequestId: i64, |value| Ok(value.0), |column| Ok(Self(column));
    [u8; 32]: Vec<u8>, |value| Ok(value.to_vec()), |column| exactly_32(&column);
    CredentialVersion: Vec<u8>,
        |value| Ok(value.as_bytes().to_vec()),
        |column| exactly_32(&column).map(Self::from_bytes);
    AccountId: String, |value| Ok(value.as_str().to_owned()), |column| Ok(Self::new(column)?);
    LeakName: String, |value| Ok(value.as_str().to_owned()), |column| Ok(column.parse()?);
    LeakDate: String, |value| Ok(value.as_str().to_owned()), |column| Ok(column.parse()?);
}

stored_words!(
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
    TargetState,
    Tier,
    Unverified
);

/// Written, never read: the embedded directory is read through the `directory` crate.
pub(crate) fn hash_column(hash: Option<&StoredHash>) -> Option<String> {
    hash.map(|hash| hash.expose().to_owned())
}

fn exactly_32(column: &[u8]) -> Result<[u8; 32], BoxDynError> {
    Ok(<[u8; 32]>::try_from(column)?)
}
