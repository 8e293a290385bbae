//! What a column holds is read as what it is, on every database, or refused.

#[cfg(test)]
mod decoding;
#[cfg(test)]
mod mysql;
