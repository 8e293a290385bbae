//! Decoding: what a row holds becomes what the program means, or an error that names the column.

use crate::{Decode, Row, SqlError};

/// A type that a row can become.
pub trait Record: Sized + Send {
    /// Reads it out of a row.
    ///
    /// # Errors
    /// [`SqlError::Column`], which names the column and says what does not fit.
    fn decode(row: &Row) -> Result<Self, SqlError>;
}

/// A tuple reads the first columns, in their order.
macro_rules! tuple {
    ($($type:ident $index:literal),+) => {
        impl<$($type: Decode + Send),+> Record for ($($type,)+) {
            fn decode(row: &Row) -> Result<Self, SqlError> {
                Ok(($(row.at::<$type>($index)?,)+))
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
