use std::{
    io,
    path::{Path, PathBuf},
};

use model::AccountId;

use super::no_table::NoTable;
use crate::{
    limits::{EXPORT_FAULTS_MAX, EXPORT_LINE_BYTES_MAX},
    mapped_field::MappedField,
    row::{RawRow, RowFault},
};

/// A line and what stands there.
pub(super) type ExportRow = (u64, Result<RawRow, LineFault>);

/// Why an export could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file cannot be opened or read.
    #[error("{path} could not be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{path} is {found}")]
    NoTable {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: NoTable,
    },
    /// The columns do not make accounts.
    #[error("{path}, line 1: {fault}")]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: HeaderFault,
    },
    /// A line is no account.
    #[error("{path}, line {line}: {fault}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line where the account begins, counted from 1.
        line: u64,
        /// What is wrong.
        fault: LineFault,
    },
    /// So many lines are at fault that it is the file's.
    #[error(
        "{first}. More than {EXPORT_FAULTS_MAX} lines are at fault, of which this is the first"
    )]
    Faults {
        /// What is wrong with the first of them, and where it is.
        first: String,
    },
}

impl ExportError {
    /// Whether only one row is at fault: the others can be read.
    #[must_use]
    pub const fn is_of_row(&self) -> bool {
        matches!(self, Self::Line { fault, .. }
            if !matches!(fault, LineFault::Unclosed { .. } | LineFault::Io(_)))
    }

    pub(super) fn at(path: &Path, line: u64, fault: LineFault) -> Self {
        Self::Line { path: path.to_owned(), line, fault }
    }
}

/// What can be wrong with the columns of an export.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The file is empty.
    #[error("the file is empty: write a header and one line for each account")]
    Empty,
    /// A needed column is not there.
    #[error("no column is called {known}; the columns are {existing}: rename one")]
    Missing {
        /// The names that it may have.
        known: String,
        /// The names that there are.
        existing: String,
    },
    /// A needed column is not there, and the first line is perhaps an account. It is not shown.
    #[error(
        "no column is called {known}, and this line does not look like names of columns: write a \
         header, such as `id,email,hash`, before the first account"
    )]
    NoHeader {
        /// The names that it may have.
        known: String,
    },
    /// Two columns could be meant.
    #[error(
        "`{first}` and `{second}` could both be the {field}: let the right one alone be called {field}"
    )]
    Ambiguous {
        /// What they could be.
        field: MappedField,
        /// One of them.
        first: String,
        /// The other one.
        second: String,
    },
}

/// What can be wrong with one line of an export. It never shows a hash.
#[derive(Debug, thiserror::Error)]
pub enum LineFault {
    /// A value cannot be read.
    #[error("{0}: correct it")]
    Row(#[from] RowFault),
    /// Two lines for one account.
    #[error("account {id} stands in line {first} already: remove one of the two")]
    Repeated {
        /// The account.
        id: AccountId,
        /// The line that had it first.
        first: u64,
    },
    /// A row of a table has more or fewer fields than the header.
    #[error("{found} fields, but the header has {expected}: quote a value that holds a delimiter")]
    Fields {
        /// Fields in this line.
        found: u64,
        /// Fields in the header.
        expected: u64,
    },
    /// A row that goes on over several lines, and perhaps over other accounts.
    #[error(
        "this row goes on over {lines} lines, and is none ({fault}): a quotation mark is perhaps not closed"
    )]
    Unclosed {
        /// How many lines.
        lines: u64,
        /// What is wrong with it.
        fault: Box<Self>,
    },
    /// What a quotation mark that is not closed makes of the last column.
    #[error("its hash holds line breaks and other fields")]
    OtherRows,
    /// What psql writes below a table.
    #[error("this is psql's count of rows: leave it out, with `\\pset footer off`")]
    Footer,
    /// The keys of a JSON object do not make an account.
    #[error("{0}")]
    Keys(HeaderFault),
    /// A line is not a JSON object.
    #[error("column {column} is where this stops being a JSON object: write one for each line")]
    Json {
        /// The byte, counted from 1.
        column: usize,
    },
    /// A value of a JSON object has no meaning as text.
    #[error("the {field} is neither text nor a whole number nor null: write it in quotes")]
    Kind {
        /// Which one.
        field: MappedField,
    },
    /// The text is not UTF-8.
    #[error("this is not UTF-8: save the file as UTF-8")]
    NotUtf8,
    /// A line of JSON without end.
    #[error("the line has more than {EXPORT_LINE_BYTES_MAX} bytes: write one object for each line")]
    TooLong,
    /// The file could not be read on.
    #[error("the file could not be read on: {0}")]
    Io(#[from] io::Error),
}
