use std::{io, net::AddrParseError, path::PathBuf};

use directory::{OpenError, ReadError, WriteError};
use instance::{InstanceError, InstanceKeyError, RosterStateError, SendingFileError};
use model::canonical::DigestError;
use notice::{
    AddressError, BaseUrlError, DkimKeyError, MaildirError, RelayError, RootsError, SenderError,
    TextError,
};
use outbox::{GreetError, WordsError};
use password::FormError;
use recovery::LengthRulesError;
use store::StoreError;
use web::{AccentError, Listener, LogoError};

use crate::config::KEY_VARIABLE;

/// Why the program cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WiringError {
    #[error("`directory.url` is not set: every preset but `embedded` needs the site's database")]
    NoDirectory,
    #[error("`directory.table` and `directory.query` are both set: keep one")]
    TableAndQuery,
    #[error(
        "`directory.sessions.statement` and `directory.sessions.django_table` are both set: keep one"
    )]
    StatementAndTable,
    #[error(
        "`instance.key_file`: {} cannot be read: {source}; {KEY_VARIABLE} can take its place",
        path.display()
    )]
    KeyFile { path: PathBuf, source: io::Error },
    #[error("{origin}: {source}")]
    Key { origin: String, source: InstanceKeyError },
    #[error("`operators.roster_digest`: {0}")]
    RosterDigest(#[source] DigestError),
    #[error(
        "`operators.roster_digest` is not set: `countersign operator accept` prints the line \
         when it takes the first roster"
    )]
    NoRosterDigest,
    #[error(transparent)]
    Listening(#[from] ListeningError),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    #[error(transparent)]
    Look(#[from] LookError),
    #[error(transparent)]
    Roster(#[from] RosterStateError),
    #[error("`directory.hash.forms`: {0}")]
    Form(#[from] FormError),
    #[error(
        "`directory.hash.columns` names columns beside the hash, and an export is read without them: load \
         it into a table and set `directory.url`, or let another configuration say how these hashes stand \
         (`--config FILE`)"
    )]
    NoColumns,
    #[error("`directory.hash.pepper_file`: {} cannot be read: {source}", path.display())]
    Pepper { path: PathBuf, source: io::Error },
    #[error(
        "`directory.hash.pepper_file`: {} is empty: write the site's pepper into it, or take the setting out",
        path.display()
    )]
    EmptyPepper { path: PathBuf },
    #[error(
        "`directory.hash.forms`: none of these forms mixes in the pepper that `directory.hash.pepper_file` \
         names: name one that does (`key` in its description; `countersign verify forms`), or take \
         `pepper_file` out if the site has no pepper"
    )]
    UnusedPepper,
    #[error(transparent)]
    Directory(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Instance(#[from] InstanceError),
}

impl WiringError {
    /// Whether a rule says no, rather than something being wrong.
    pub(crate) const fn is_refusal(&self) -> bool {
        match self {
            Self::Write(error) => error.is_of_rehearsal(),
            Self::Roster(error) => error.is_refusal(),
            Self::Instance(error) => error.is_refusal(),
            _ => false,
        }
    }
}

/// Why notices cannot be sent with this configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error("`{setting}` is not set: no notice can be written without it")]
    Missing { setting: &'static str },
    #[error("`{setting}`: {source}")]
    Text { setting: &'static str, source: TextError },
    #[error("`{setting}`: {source}")]
    Address { setting: &'static str, source: AddressError },
    #[error("`{setting}`: {source}")]
    Word { setting: &'static str, source: model::UnknownWord },
    #[error("`{setting}`: {} cannot be read: {source}", path.display())]
    File { setting: &'static str, path: PathBuf, source: io::Error },
    #[error("`smtp.username` and `smtp.password_file` are set together, or not at all")]
    HalfSignIn,
    #[error("`dkim.domain`, `dkim.selector` and `dkim.key_file` are set together, or not at all")]
    HalfDkim,
    #[error("`mail.reply_to`: {0}")]
    Sender(#[from] SenderError),
    #[error(transparent)]
    Words(#[from] WordsError),
    #[error("`mail.folder`: {0}")]
    Maildir(#[from] MaildirError),
    #[error("nobody could be told through `smtp.host`: {0}")]
    Greet(#[source] GreetError),
    #[error("nobody could be told through `mail.folder`: {0}")]
    Folder(#[source] GreetError),
    #[error("[smtp]: {0}")]
    Relay(#[from] RelayError),
    #[error("`smtp.ca_file`: {0}")]
    Roots(#[from] RootsError),
    #[error("`dkim.key_file`: {0}")]
    Dkim(#[from] DkimKeyError),
    #[error(transparent)]
    Sending(#[from] SendingFileError),
}

/// Why people cannot choose new passwords here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoveryError {
    #[error(
        "`recovery.mode` is \"countersign\", and `recovery.pages_url` is not set: say where people \
         find the pages of `countersign serve`"
    )]
    NoUrl,
    #[error(
        "`recovery.pages_url` is set, and `recovery.mode` is \"site\": set it to \"countersign\", or \
         leave the address out"
    )]
    NeedlessUrl,
    #[error("`recovery.pages_url`: {0}")]
    Url(#[from] BaseUrlError),
    #[error("`recovery.password_chars_min`: {0}")]
    Lengths(#[from] LengthRulesError),
    #[error("`recovery.hash_like` cannot be imitated: {reason}")]
    NoHash { reason: String },
    #[error("`recovery.refused_passwords_file`: {} cannot be read: {source}", path.display())]
    List { path: PathBuf, source: io::Error },
    #[error(
        "`recovery.mode` is \"countersign\", and no password can be set in the directory: {reason}"
    )]
    ReadOnly { reason: String },
    #[error(transparent)]
    Directory(ReadError),
}

/// Why the pages cannot look as they are configured to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error("`{setting}`: {source}")]
    Text { setting: &'static str, source: TextError },
    #[error("`mail.from`: {0}")]
    Sender(#[source] AddressError),
    #[error("`site.language`: {0}")]
    Language(#[source] model::UnknownWord),
    #[error("`branding.accent`: {0}")]
    Accent(#[source] AccentError),
    #[error("`branding.logo_file`: {} cannot be read: {source}", path.display())]
    LogoFile { path: PathBuf, source: io::Error },
    #[error("`branding.logo_file`: {}: {source}", path.display())]
    Logo { path: PathBuf, source: LogoError },
}

/// Why nobody can listen as it is configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListeningError {
    #[error("`serve.{}.listen`: `{listen}` is no address and port: {source}", listener.as_str())]
    Address { listener: Listener, listen: String, source: AddrParseError },
    #[error("`serve.people.trusted_proxy`: `{proxy}` is no IP address: {source}")]
    Proxy { proxy: String, source: AddrParseError },
    #[error(
        "`serve.people.certificate_file` and `serve.people.key_file` are set together, or not at \
         all"
    )]
    HalfCertificate,
}
