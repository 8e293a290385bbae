/// What a file is that is no export, by the name that its owner knows it by, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTable {
    /// Archives, and what office programs write.
    #[error("a zip archive, or a spreadsheet: unpack it, or save the sheet as CSV")]
    Zip,
    /// What is not unpacked here.
    #[error("packed in a way that is not read here: unpack it, or use gzip")]
    Packed,
    /// The oldest spreadsheets.
    #[error("a spreadsheet: save it as CSV")]
    Spreadsheet,
    /// A database.
    #[error("a SQLite database: give its address in `directory.url`, as `sqlite:FILE`")]
    Sqlite,
    /// What a database was saved into.
    #[error(
        "a dump of a database: load it into one and name that in `directory.url`, or export the \
         table as CSV"
    )]
    SqlDump,
    /// Drawn for people.
    #[error(
        "a table drawn for people, in which nobody can tell where a value ends: let psql write it by \
         `\\copy (SELECT ...) TO 'accounts.csv' CSV HEADER`, or mysql by `--batch`"
    )]
    Drawn,
    /// All objects in one.
    #[error("a JSON array: write one object on each line, as `jq -c '.[]'` does")]
    JsonArray,
    /// HTML and XML.
    #[error("HTML or XML: export the table as CSV")]
    Markup,
    /// UTF-16 that does not say so.
    #[error("UTF-16 without the mark that says so: save it as UTF-8")]
    Utf16WithoutMark,
    /// Something else.
    #[error("no text: export the accounts as CSV or as JSON lines")]
    Binary,
}
