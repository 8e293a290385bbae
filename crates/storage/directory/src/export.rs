//! A file of accounts, as a site's own tools write it.

mod connector;
mod content;
mod fault;
mod head;
mod json;
mod no_table;
mod reading;
mod table;
mod unsaid;

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    iter,
    path::Path,
};

use model::{Account, AccountId, Credential, Timestamp};

use self::{
    fault::ExportRow,
    reading::{ExportReading, ExportedRows},
};
pub use self::{
    fault::{ExportError, HeaderFault, LineFault},
    no_table::NoTable,
};
use crate::{
    hash_layout::HashLayout, limits::EXPORT_LINE_BYTES_MAX, mapped_field::MappedField, row::RawRow,
};

/// The accounts of an export, in memory, in the order of the file.
///
/// The file is UTF-8, or UTF-16 with a mark, and may be packed by gzip: either a table with a header,
/// whose delimiter `,`, `;`, tab or `|` is found out or named by `sep=`, or JSON lines, which begin with
/// `{` or stand in a `.jsonl` or `.ndjson`. Anything else is called by its name. A column is known by
/// its field's name ([`MappedField::name`](crate::MappedField::name)) or by one of these, in capitals or not:
///
/// | field | also |
/// |---|---|
/// | `id` | `account_id`, `user_id` |
/// | `email` | `e-mail`, `mail`, `email_address` |
/// | `username` | `user_name`, `login` |
/// | `hash` | `password`, `password_hash`, `encrypted_password`, `passwd` |
/// | `hash_changed_at` | `password_changed_at` |
/// | `last_login_at` | `last_login` |
/// | `active` | `is_active`, `enabled`, `is_enabled` |
/// | `inactive` | `is_inactive`, `disabled`, `is_disabled`, `disabled_at`, `deactivated_at`, `deleted_at`, `banned_at` |
///
/// A field's own name wins over the others; two of the others are an error, and what is not known
/// is passed over. `id`, `hash` and one of `email` and `username` are needed. An empty hash is an
/// account without a password; `NULL`, `\N`, `None` and `nil` without quotes are empty, and blanks at the
/// end are those of a column of fixed length.
///
/// A line at fault is one account's fault: it is told of by [`Export::faults`], and the others are read. If
/// only a part of it is at fault, its account is unreadable.
#[derive(Debug)]
pub struct Export(ExportedRows);

impl Export {
    /// Reads the whole file, at this moment.
    ///
    /// # Errors
    /// [`ExportError`] if the file cannot be read, or hardly any line of it.
    pub fn read(path: impl AsRef<Path>, now: Timestamp) -> Result<Self, ExportError> {
        let mut reading = ExportReading::default();
        Self::rows(path, now).try_for_each(|row| reading.take(row))?;
        reading.finish().map(Self)
    }

    /// Reads one account after the other, at this moment. Behind an error that is of one row
    /// ([`ExportError::is_of_row`]) it goes on.
    ///
    /// It keeps the ids that it has seen, and nothing else.
    pub fn stream(
        path: impl AsRef<Path>,
        now: Timestamp,
    ) -> impl Iterator<Item = Result<Account, ExportError>> + Send + 'static {
        Self::rows(path, now).map(|row| match row? {
            (_, Some(fault)) => Err(fault),
            (account, None) => Ok(account),
        })
    }

    /// The accounts, as far as they can be read, each with what is wrong with it; or what is wrong with a
    /// row that makes none, or with the file.
    fn rows(
        path: impl AsRef<Path>,
        now: Timestamp,
    ) -> impl Iterator<Item = Result<(Account, Option<ExportError>), ExportError>> + Send + 'static
    {
        let path = path.as_ref().to_owned();
        let (rows, failed) = match open(&path) {
            Ok(rows) => (Some(rows), None),
            Err(error) => (None, Some(Err(error))),
        };
        let mut seen = HashMap::new();
        let accounts = rows.into_iter().flatten().map(move |(line, row)| {
            let at = |fault| ExportError::at(&path, line, fault);
            let account = row.and_then(|row| account(row, now, line, &mut seen));
            account.map(|(account, fault)| (account, fault.map(at))).map_err(at)
        });
        until_first_fatal(accounts.chain(failed))
    }

    /// The same, where these texts stand for no password as well.
    #[must_use]
    pub fn with_no_password(mut self, texts: &[String]) -> Self {
        self.0.accounts.iter_mut().for_each(|account| take_no_password(account, texts));
        self
    }

    /// Every account.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.0.accounts
    }

    /// What is wrong with lines that could not be read whole, each with its number.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.0.faults
    }

    /// The account with this id.
    #[must_use]
    pub fn by_id(&self, id: &AccountId) -> Option<&Account> {
        let found = self.0.by_id.binary_search_by_key(&id, |place| &self.0.accounts[*place].id);
        self.0.accounts.get(self.0.by_id[found.ok()?])
    }
}

/// Takes the hash from an account if it is one of the texts that stand for no password.
pub fn take_no_password(account: &mut Account, texts: &[String]) {
    let is_none =
        |credential: &Credential| texts.iter().any(|text| text == credential.hash().text());
    account.credential.take_if(|credential| is_none(credential));
}

fn account(
    row: RawRow,
    now: Timestamp,
    line: u64,
    seen: &mut HashMap<AccountId, u64>,
) -> Result<(Account, Option<LineFault>), LineFault> {
    let (account, fault) = row.unpadded().read(&HashLayout::plain("hash"), now)?;
    // That no leak can name one account by its address is counted, and no reason to correct the file.
    let fault = fault.filter(|fault| fault.field() != MappedField::Email).map(LineFault::from);
    match seen.entry(account.id.clone()) {
        Entry::Occupied(first) => Err(LineFault::Repeated { id: account.id, first: *first.get() }),
        Entry::Vacant(entry) => {
            entry.insert(line);
            Ok((account, fault))
        }
    }
}

fn until_first_fatal<T>(
    items: impl Iterator<Item = Result<T, ExportError>>,
) -> impl Iterator<Item = Result<T, ExportError>> {
    let mut items = items.fuse();
    let mut failed = false;
    iter::from_fn(move || {
        let item = if failed { None } else { items.next() };
        failed = matches!(&item, Some(Err(error)) if !error.is_of_row());
        item
    })
    .fuse()
}

fn open(path: &Path) -> Result<Box<dyn Iterator<Item = ExportRow> + Send>, ExportError> {
    let unreadable = |source| ExportError::File { path: path.to_owned(), source };
    let no_table = |found| ExportError::NoTable { path: path.to_owned(), found };
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut file = content::text(file).map_err(unreadable)?.map_err(no_table)?;
    let first = line(&mut file).map_err(unreadable)?;
    if is_json(path, &first) {
        return Ok(Box::new(json::rows(Cursor::new(first).chain(file))));
    }
    let second = line(&mut file).map_err(unreadable)?;
    let lines = [&first, &second].map(|line| String::from_utf8_lossy(line).into_owned());
    if let Some(found) = content::no_table(&lines) {
        return Err(no_table(found));
    }
    let all = Cursor::new([first, second].concat()).chain(file);
    let rows = table::rows(&lines, all)
        .map_err(|fault| ExportError::Header { path: path.to_owned(), fault })?;
    Ok(Box::new(rows))
}

fn line(file: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    file.take(EXPORT_LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    Ok(line)
}

fn is_json(path: &Path, first: &[u8]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("jsonl" | "ndjson")) || first.trim_ascii_start().starts_with(b"{")
}
