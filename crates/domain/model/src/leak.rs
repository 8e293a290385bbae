use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{row_id::row_id, text_enum::text_enum};

row_id! {
    /// The store's key of a leak.
    LeakId
}
row_id! {
    /// The store's key of one file of a leak.
    FileId
}

text_enum! {
    /// How sure the site is that the files are what they claim. It chooses the notice's words.
    pub enum Provenance {
        /// The company it was stolen from has said so, or the site has proved it.
        Confirmed = "confirmed",
        /// Passed around under that name; nobody has confirmed it.
        Circulating = "circulating",
        /// Nobody knows where it comes from.
        Unknown = "unknown",
    }
}

text_enum! {
    /// By which of an account's identifiers a record led to it.
    pub enum Tier {
        /// The e-mail addresses are equal in their exact form (K1).
        Exact = "exact",
        /// The usernames are equal.
        Username = "username",
        /// The addresses are equal only after folding (K2): counts once the secret verifies.
        Lead = "lead",
    }
}

text_enum! {
    /// Why a line of a leak could not be read as a record. Every rejected line has exactly one.
    pub enum RejectReason {
        /// Nothing stands before the first delimiter.
        NoIdentifier = "no_identifier",
        /// None of `:` `;` `,` `|` and tab stands in the line.
        NoDelimiter = "no_delimiter",
        /// An identifier, but nothing behind it that could be a password.
        NoSecret = "no_secret",
        /// Longer than any record.
        Overlong = "overlong",
        /// A NUL byte: a binary file, or a broken one.
        Nul = "nul",
        /// The identifier is not valid UTF-8.
        Encoding = "encoding",
        /// The compressed file ends or breaks in the middle of this line.
        TruncatedMember = "truncated_member",
    }
}

/// Where in a leak a record stands, so that anybody with the files can look it up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordRef {
    /// The file as it was registered.
    pub file: String,
    /// The member inside an archive; `None` for a file that is its own only member.
    pub member: Option<String>,
    /// Line number, from 1.
    pub line: u64,
    /// Bytes from the start of the (decompressed) member to the start of the line.
    pub offset: u64,
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(member) => write!(f, "{}!{member}:{}", self.file, self.line),
            None => write!(f, "{}:{}", self.file, self.line),
        }
    }
}

text_enum! {
    /// How far the work on a leak has come.
    pub enum LeakState {
        /// Registered; no line of it read yet.
        Added = "added",
        /// Its files are being compared with the accounts.
        Screening = "screening",
        /// Every line is accounted for.
        Screened = "screened",
        /// Its candidates are being tried on the stored hashes.
        Verifying = "verifying",
        /// Every candidate was tried, and is gone.
        Verified = "verified",
    }
}

/// Where a rejected line stands, within a piece. Never what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectSample {
    /// Why it was rejected.
    pub reason: RejectReason,
    /// Its number within the piece, from 1.
    pub line: u64,
    /// Bytes from the start of the (decompressed) file to its start.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}
