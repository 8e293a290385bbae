//! Bytes that are cut into fields: `hash:20,salt`, `0x01,n:u32,l:u32,salt:l,hash`.

use super::fields::{Fields, HashField};

/// Pieces of bytes, one after the other. At most one of them takes what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob(pub(super) Vec<BlobPiece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BlobPiece {
    Literal(Vec<u8>),
    /// Four bytes, the highest first.
    Number(String),
    Field(String, PieceLen),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PieceLen {
    Bytes(usize),
    /// As a number of this name says.
    Counted(String),
    Rest,
}

impl Blob {
    /// Whether one of the pieces takes as many bytes as there are.
    pub(super) fn is_open(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, BlobPiece::Field(_, PieceLen::Rest)))
    }

    /// Cuts bytes into fields; `None` if they are too few, too many or others.
    pub(super) fn cut(&self, mut bytes: &[u8], fields: &mut Fields) -> Option<()> {
        for (place, piece) in self.0.iter().enumerate() {
            let len = match piece {
                BlobPiece::Field(_, PieceLen::Rest) => {
                    bytes.len().checked_sub(fixed(&self.0[place + 1..])?)?
                }
                piece => piece.len(fields)?,
            };
            let (taken, rest) = bytes.split_at_checked(len)?;
            piece.read(taken, fields)?;
            bytes = rest;
        }
        bytes.is_empty().then_some(())
    }

    /// The reverse of [`Blob::cut`].
    pub(super) fn joined(&self, fields: &Fields) -> Option<Vec<u8>> {
        let pieces = self.0.iter().map(|piece| piece.written(fields));
        Some(pieces.collect::<Option<Vec<_>>>()?.concat())
    }
}

fn fixed(pieces: &[BlobPiece]) -> Option<usize> {
    pieces.iter().map(|piece| piece.len(&Fields::default())).sum()
}

impl BlobPiece {
    fn len(&self, fields: &Fields) -> Option<usize> {
        match self {
            Self::Literal(bytes) => Some(bytes.len()),
            Self::Number(_) => Some(size_of::<u32>()),
            Self::Field(_, PieceLen::Bytes(len)) => Some(*len),
            Self::Field(_, PieceLen::Counted(name)) => {
                usize::try_from(fields.get(name)?.number?).ok()
            }
            Self::Field(_, PieceLen::Rest) => None,
        }
    }

    fn read(&self, bytes: &[u8], fields: &mut Fields) -> Option<()> {
        match self {
            Self::Literal(literal) => return (literal == bytes).then_some(()),
            Self::Number(name) => {
                let number = u32::from_be_bytes(bytes.try_into().ok()?);
                fields.set(HashField::number(name, &number.to_string(), number.into()));
            }
            Self::Field(name, _) => fields.set(HashField::coded(name, "", bytes.to_owned())),
        }
        Some(())
    }

    fn written(&self, fields: &Fields) -> Option<Vec<u8>> {
        match self {
            Self::Literal(bytes) => Some(bytes.clone()),
            Self::Number(name) => {
                let number = u32::try_from(fields.get(name)?.number?).ok()?;
                Some(number.to_be_bytes().to_vec())
            }
            Self::Field(name, _) => Some(fields.get(name)?.bytes.to_vec()),
        }
    }
}
