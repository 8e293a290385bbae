//! What a column holds is read as what it is, on both databases, or refused.

#[cfg(test)]
mod decoding;
