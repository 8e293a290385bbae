use crate::Misfit;

/// A type that one column of a row can become.
pub trait Decode: Sized {
    /// Reads it out of what the column holds.
    ///
    /// # Errors
    /// Why it cannot be that. A type that is no `Option` refuses NULL.
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit>;
}

/// What a column holds, as the database itself types it.
///
/// SQLite types every value, not the column: text in a column of numbers is text here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Datum<'r> {
    /// NULL.
    Null,
    /// A number of any width.
    Integer(i64),
    /// A text.
    Text(&'r str),
    /// Bytes.
    Bytes(&'r [u8]),
    /// Whether something is so. SQLite has the numbers 0 and 1 instead.
    Boolean(bool),
}

impl Datum<'_> {
    /// The error of a column that should hold something else. It does not show what it holds,
    /// which may be a hash.
    fn is_not(self, expected: &'static str) -> Misfit {
        let found = match self {
            Self::Null => "NULL",
            Self::Integer(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Boolean(_) => "a truth value",
        };
        format!("it holds {found} instead of {expected}").into()
    }
}

impl Decode for i64 {
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit> {
        match datum {
            Datum::Integer(number) => Ok(number),
            other => Err(other.is_not("a number")),
        }
    }
}

impl Decode for bool {
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit> {
        match datum {
            Datum::Boolean(is_so) => Ok(is_so),
            Datum::Integer(number @ (0 | 1)) => Ok(number == 1),
            other => Err(other.is_not("a truth value")),
        }
    }
}

impl Decode for String {
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit> {
        match datum {
            Datum::Text(text) => Ok(text.to_owned()),
            other => Err(other.is_not("text")),
        }
    }
}

impl Decode for Vec<u8> {
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit> {
        match datum {
            Datum::Bytes(bytes) => Ok(bytes.to_owned()),
            other => Err(other.is_not("bytes")),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(datum: Datum<'_>) -> Result<Self, Misfit> {
        match datum {
            Datum::Null => Ok(None),
            datum => T::decode(datum).map(Some),
        }
    }
}
