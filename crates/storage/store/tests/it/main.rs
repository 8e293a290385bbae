//! The conformance suite: every rule of the store, on SQLite and on PostgreSQL alike.

#[cfg(test)]
#[macro_use]
mod support;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod addresses;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod campaigns;
#[cfg(test)]
mod copying;
#[cfg(test)]
mod findings;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod log;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reconciliation;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod screening;
#[cfg(test)]
mod sending_pause;
#[cfg(test)]
mod subjects;
#[cfg(test)]
mod swaps;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod upgrade;
