//! Connectors to the site's accounts, which Countersign does not own.
//!
//! [`Directory`] is what the rest of the program knows of them; [`open`] connects to the site's own
//! table or query, told apart by a [`Mapping`]. Reading it is one grant and writing to it another:
//! everything up to a plan works without the second. An [`Export`] is a file of accounts, for those
//! who want to try before they connect.
//!
//! Each kind of directory is one implementation of the trait. Another kind takes a file of its own
//! and a line in `opener.rs`; nothing else asks which kind it is.
//!
//! No hash ever stands in an error or in `Debug` here.

mod contract;
mod document;
mod engine;
mod export;
mod failure;
mod flag;
mod hash_form;
mod hash_layout;
pub mod limits;
mod location;
mod locked;
mod mapped_field;
mod mapping;
mod opener;
mod preset;
mod quoting;
mod report;
mod row;
mod site_tables;
mod table;
mod value;

pub use contract::{
    Ability, AccountStream, Capabilities, ChangeMark, Changes, Directory, EndedSessions,
};
pub use export::{Export, ExportError, HeaderFault, LineFault, NoTable, take_no_password};
pub use failure::{OpenError, ReadError, Reading, WriteError, Writing};
pub use locked::{LockedRow, RowNow, TransactionFate};
pub use mapped_field::MappedField;
pub use mapping::{Columns, Mapping, Sessions, Source, WriteTable};
pub use opener::{Opened, check_address, open, open_for};
pub use preset::{PRESETS, SitePreset};
pub use report::{AccountCounts, DirectoryReport, Kinship, WriteGrant};
pub use row::{RowFault, doubt_address};
pub use site_tables::{FoundPreset, SiteTables, TablesError};
pub use value::Expected;
