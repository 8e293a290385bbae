//! Connectors to the site's accounts, which Countersign does not own.
//!
//! A [`Directory`] is a table or a query in the site's own database, told apart by a [`Mapping`].
//! Reading it is one grant and writing to it another: everything up to a plan works without the
//! second. An [`Export`] is a file of accounts, for those who want to try before they connect.
//!
//! No hash ever stands in an error or in `Debug` here.

mod connection;
mod django;
mod export;
mod id_type;
pub mod limits;
mod mapping;
mod report;
mod row;
mod sessions;
mod text;
mod value;
mod write;

pub use connection::{Directory, OpenError, ReadError};
pub use export::{Export, ExportError, HeaderFault, LineFault};
pub use mapping::{Columns, Mapping, Sessions, Source};
pub use report::{DirectoryReport, WriteGrant};
pub use row::{Field, RowFault};
pub use sessions::EndedSessions;
pub use value::Expected;
pub use write::WriteError;
