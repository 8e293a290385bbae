//! What is printed: results on standard output, everything else on standard error.

use std::{
    error::Error,
    fmt::{self, Display},
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use exposure::ListedAccount;
use serde::Serialize;

use crate::files::{self, FileError};

/// Something failed.
pub(crate) const EXIT_ERROR: u8 = 1;

/// A guard said no.
pub(crate) const EXIT_REFUSED: u8 = 3;

/// Done, but not everything could be read or told.
const EXIT_PARTIAL: u8 = 4;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// As it was meant to.
    Whole,
    /// Some of it could not be done, and has been reported.
    Partial,
    /// What was checked is not as it must be, and has been reported.
    Unsound,
    /// What was asked for is not permitted, or what is kept is not what was signed; why has been reported.
    Refused,
}

impl Done {
    /// Whole or partial.
    pub(crate) const fn whole_if(complete: bool) -> Self {
        if complete { Self::Whole } else { Self::Partial }
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Whole => ExitCode::SUCCESS,
            Self::Partial => ExitCode::from(EXIT_PARTIAL),
            Self::Unsound => ExitCode::from(EXIT_ERROR),
            Self::Refused => ExitCode::from(EXIT_REFUSED),
        }
    }
}

/// Where results go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result: for people, or as one JSON object with its schema's name.
    pub(crate) fn result<T: Serialize>(
        self,
        schema: &'static str,
        result: &T,
        for_people: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        if self.json {
            let text = serde_json::to_string_pretty(&WithSchema { schema, result })?;
            return print(&(text + "\n"));
        }
        print(&for_people(result))
    }

    /// Tells somebody who waits how far things are.
    #[expect(clippy::print_stderr, reason = "this is the one place that speaks on standard error")]
    pub(crate) fn tell(text: impl Display) {
        eprintln!("{}", visible(text));
    }

    /// Says why the command failed, with everything that led to it.
    #[expect(clippy::print_stderr, reason = "this is the one place that speaks on standard error")]
    pub(crate) fn error(error: &dyn Error) {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // Errors that quote their cause need not be quoted twice.
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        eprintln!("countersign: {}", visible(text));
    }
}

/// A result under the name of its schema.
#[derive(Serialize)]
struct WithSchema<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    result: &'a T,
}

/// Prints to standard output. A reader that has gone away is no error of ours.
pub(crate) fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Foreign text as it may stand on a terminal: control characters are escaped, so that no name of
/// a file or an account can repaint the screen.
pub(crate) fn visible(text: impl Display) -> String {
    let text = text.to_string();
    let escape = |c: char| match c {
        '\n' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Writes the accounts that somebody has to look after: JSON lines if the name ends in `.jsonl`,
/// else CSV. It holds no secret.
pub(crate) fn write_list(path: &Path, list: &[ListedAccount]) -> Result<(), FileError> {
    let json = path.extension().is_some_and(|extension| extension == "jsonl");
    let write = if json { write_json_lines } else { write_csv };
    files::create_with(path, |file| write(file, list))
}

fn write_json_lines(file: &mut dyn Write, list: &[ListedAccount]) -> io::Result<()> {
    for listed in list {
        serde_json::to_writer(&mut *file, listed)?;
        file.write_all(b"\n")?;
    }
    Ok(())
}

fn write_csv(file: &mut dyn Write, list: &[ListedAccount]) -> io::Result<()> {
    // A spreadsheet may take a semicolon for the end of a field that is not quoted.
    let mut csv = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(file);
    let columns =
        ["account", "status", "hash_format", "tier", "records", "first_record", "hash_head"];
    csv.write_record(columns)?;
    for listed in list {
        let optional = |text: Option<String>| text.unwrap_or_default();
        csv.write_record([
            harmless(listed.account.to_string()),
            listed.status.to_owned(),
            optional(listed.hash_format.map(|format| format.to_string())),
            optional(listed.tier.map(|tier| tier.to_string())),
            listed.records.len().to_string(),
            harmless(optional(listed.records.first().map(ToString::to_string))),
            harmless(optional(listed.hash_head.clone())),
        ])?;
    }
    csv.flush()
}

/// What a spreadsheet would take for a formula is text with a quotation mark before it: accounts and
/// files are called as strangers like. A number is none, whatever its sign.
fn harmless(text: String) -> String {
    // Some programs skip blanks and marks that nobody sees, and some take other forms of `=` and `@`.
    let is_plain = |first: char| {
        first.is_alphanumeric() || (first.is_ascii_punctuation() && !"=+-@".contains(first))
    };
    let is_formula = text.chars().next().is_some_and(|first| !is_plain(first));
    if is_formula && text.parse::<f64>().is_err() { format!("'{text}") } else { text }
}

/// Rows of a name and a value, the values under each other.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    rows: Vec<(String, String)>,
}

impl Sheet {
    pub(crate) fn row(&mut self, name: impl Display, value: impl Display) -> &mut Self {
        self.rows.push((visible(name), visible(value)));
        self
    }

    /// A row that is part of the one before, unless it counts nothing.
    pub(crate) fn part(&mut self, name: impl Display, count: u64) -> &mut Self {
        if count > 0 {
            self.row(format!("  {name}"), grouped(count));
        }
        self
    }
}

impl Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        self.rows.iter().try_for_each(|(name, value)| writeln!(f, "{name:<width$}  {value}"))
    }
}

/// Rows of as many values as there are names, each under its name.
#[derive(Debug)]
pub(crate) struct Grid<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Grid<N> {
    pub(crate) fn new(names: [&str; N]) -> Self {
        Self { rows: vec![names.map(str::to_owned)] }
    }

    pub(crate) fn row(&mut self, values: [String; N]) {
        // A line break in a value would look like another row.
        self.rows.push(values.map(|value| visible(value).replace('\n', "\\n")));
    }
}

impl<const N: usize> Display for Grid<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, value) in widths.iter_mut().zip(row) {
                *width = (*width).max(value.chars().count());
            }
        }
        for row in &self.rows {
            let values = row.iter().zip(widths).map(|(value, width)| format!("{value:<width$}"));
            writeln!(f, "{}", values.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// 1234567 as `1,234,567`.
pub(crate) fn grouped(count: u64) -> String {
    notice::Language::English.number(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1234), "1,234");
        assert_eq!(grouped(32_888_300), "32,888,300");
    }

    #[test]
    fn no_value_of_a_table_can_pass_for_a_row() {
        let mut table = Grid::new(["account", "state"]);
        table.row(["a\nb".to_owned(), "open".to_owned()]);
        assert_eq!(table.to_string(), "account  state\na\\nb     open\n");
    }

    #[test]
    fn a_file_name_cannot_repaint_the_screen() {
        assert_eq!(visible("a\u{1b}[2J\u{9b}b\r"), "a\\u{1b}[2J\\u{9b}b\\r");
        assert_eq!(visible("Zoë\nline"), "Zoë\nline");
    }
}
