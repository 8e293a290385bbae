//! Operations on campaigns, with stores and sites in SQLite and in PostgreSQL.

#[cfg(test)]
mod counted;
#[cfg(test)]
mod races;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod watch;
