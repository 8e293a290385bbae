use std::ops::Deref;

use sql::Misfit;

use crate::cell::Stored;

/// The format in which this version of Countersign writes structured values. Raise it whenever an
/// older version would misunderstand what the newer one writes.
const FORMAT: u8 = 1;

/// A structured value as a column keeps it: JSON behind the number of its format. What is
/// encrypted has a number of its own, inside.
///
/// Two versions of the program may work on one store while it is being updated. The older one is
/// told so, instead of reading what it does not know as something else.
#[derive(Clone, PartialEq, Eq)]
pub struct Versioned(Vec<u8>);

impl Versioned {
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The value without the number.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Versioned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Versioned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Versioned({} bytes)", self.0.len())
    }
}

impl Stored for Versioned {
    type Column = Vec<u8>;

    fn to_column(&self) -> Result<Vec<u8>, Misfit> {
        Ok([&[FORMAT], self.0.as_slice()].concat())
    }

    fn from_column(mut column: Vec<u8>) -> Result<Self, Misfit> {
        match column.first() {
            Some(&FORMAT) => Ok(Self(column.split_off(1))),
            Some(&newer) if newer > FORMAT => Err(WrongFormat::Newer { found: newer }.into()),
            _ => Err(WrongFormat::Unknown.into()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum WrongFormat {
    #[error(
        "a newer version of Countersign wrote it, in format {found}, and this one knows format \
         {FORMAT}: run the newer version on every host"
    )]
    Newer { found: u8 },
    #[error("it does not begin with the number of its format")]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_wrote_is_refused() {
        let written = Versioned::new(b"{}".to_vec()).to_column().unwrap();
        assert_eq!(&*Versioned::from_column(written).unwrap(), b"{}");
        let refusal = |column: &[u8]| Versioned::from_column(column.to_vec()).unwrap_err();
        assert_eq!(
            refusal(&[2, b'{', b'}']).to_string(),
            "a newer version of Countersign wrote it, in format 2, and this one knows format 1: \
             run the newer version on every host"
        );
        for column in [&b""[..], &[0]] {
            assert_eq!(
                refusal(column).to_string(),
                "it does not begin with the number of its format"
            );
        }
    }
}
