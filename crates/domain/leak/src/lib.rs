//! Reads leaked files and screens them against an index of the site's own accounts.
//!
//! What goes in: files or a stream, plain, gzip or zstd, in UTF-8, UTF-16 or no encoding at all,
//! one record a line: `identifier<delimiter>secret`. What comes out: a [`Hit`] for every line and
//! account that belong together, in batches, and a tally in which every line read is accounted for.
//!
//! A leak is hostile input. Nothing here grows with the length of a line or of a file, no content
//! of a leak reaches an error or a log, and the buffer that lines are read into is wiped. (The
//! working memory of the gzip and zstd decoders is theirs, and is not wiped.)
//!
//! Whether a secret is the account's password is for verification to say. So wherever a line can
//! be read in several ways, all of them are passed on, the likeliest first.

mod accounts;
mod ahead;
mod collect;
mod delimiters;
mod exchange;
mod forms;
mod hex;
mod hit;
mod index;
mod inspect;
pub mod limits;
mod line_form;
mod lines;
mod other_readings;
mod probe;
mod reading;
mod reject;
mod roles;
mod screen;
mod sieve;
mod source;
mod words;

pub use accounts::{AccountIndex, IndexBuilder};
pub use collect::{CollectError, collect};
pub use exchange::{ExchangeError, PieceList, ScreenedPiece};
pub use hit::Hit;
pub use index::{FoundAccount, IdentifierIndex};
pub use inspect::{FormCount, Inspection, LayoutCount, inspect};
pub use line_form::LineForm;
pub use other_readings::other_readings;
pub use roles::Roles;
pub use screen::{
    HitBatch, PieceScreening, ScreenError, Screened, screen_file, screen_piece, screen_reader,
};
pub use source::{Compression, FilePiece, LeakSource, SourceError, open_standard_input, pieces};
