//! Operations on campaigns, with stores and sites in SQLite and in PostgreSQL.

#[cfg(test)]
mod counted;
#[cfg(test)]
mod meddled;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod table;
#[cfg(test)]
mod unsettled;
#[cfg(test)]
mod watch;
