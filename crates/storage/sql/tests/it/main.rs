//! What a column holds is read as what it is, on every database, or refused; and a transaction ends with
//! whoever began it.

#[cfg(test)]
mod broken_off;
#[cfg(test)]
mod decoding;
#[cfg(test)]
mod mysql;
#[cfg(test)]
mod pooler;
