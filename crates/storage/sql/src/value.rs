//! Values on their way into a statement. Nothing here knows which database will take them.

use crate::{Misfit, SqlError};

/// What a placeholder stands for. `None` is NULL, of the type that the variant names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Integer(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// Whether something is so.
    Boolean(Option<bool>),
}

/// What can be bound to a placeholder.
pub trait Bind {
    /// The value, or NULL of its type for `None`.
    ///
    /// # Errors
    /// Why no column can hold it.
    fn bind(this: Option<Self>) -> Result<Value, Misfit>
    where
        Self: Sized;
}

macro_rules! bound {
    ($($type:ty: $variant:ident,)+) => {$(
        impl Bind for $type {
            fn bind(this: Option<Self>) -> Result<Value, Misfit> {
                Ok(Value::$variant(this))
            }
        }
    )+};
}

bound! {
    i64: Integer,
    String: Text,
    Vec<u8>: Bytes,
    bool: Boolean,
}

impl<T: Bind> Bind for Option<T> {
    fn bind(this: Option<Self>) -> Result<Value, Misfit> {
        T::bind(this.flatten())
    }
}

/// The values of a statement, in the order of their numbers.
#[derive(Debug, Default)]
#[must_use = "values are for a statement"]
pub struct Values {
    values: Vec<Value>,
    misfit: Option<Misfit>,
}

impl Values {
    /// Gives the next placeholder its value. One that no column can hold fails the statement
    /// before the database sees it.
    pub fn bind(mut self, value: impl Bind) -> Self {
        match Bind::bind(Some(value)) {
            Ok(value) => self.values.push(value),
            Err(misfit) => self.misfit = self.misfit.or(Some(misfit)),
        }
        self
    }

    pub(crate) fn checked(self) -> Result<Vec<Value>, SqlError> {
        match self.misfit {
            None => Ok(self.values),
            Some(reason) => Err(SqlError::Value { reason }),
        }
    }
}
