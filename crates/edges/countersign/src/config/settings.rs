//! The configuration file, key by key. These comments are the reference that operators read.

use std::{num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{directory_settings::DirectorySettings, period::Period};

/// Countersign's configuration. Relative paths are relative to the file's folder.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where Countersign keeps what it finds and does.
    pub(crate) store: StoreSettings,
    /// The secret that everything at rest is encrypted under.
    pub(crate) instance: InstanceSettings,
    /// The site's accounts.
    pub(crate) directory: DirectorySettings,
    /// Bounds on what a stored hash may ask for; above them it is reported as `too_expensive`.
    pub(crate) verify: VerifySettings,
    /// Who may sign.
    pub(crate) operators: OperatorSettings,
    /// What this host needs in order to send.
    pub(crate) sending: SendingSettings,
    /// The site, as its people know it.
    pub(crate) site: SiteSettings,
    /// How notices leave.
    pub(crate) mail: MailSettings,
    /// The site's mail server, for `mail.transport = "smtp"`.
    pub(crate) smtp: SmtpSettings,
    /// Signing of mails by Countersign. Leave it out where the mail server signs.
    pub(crate) dkim: DkimSettings,
    /// Where people choose a new password.
    pub(crate) recovery: RecoverySettings,
    /// What `countersign serve` answers over HTTP.
    pub(crate) serve: ServeSettings,
    /// How the pages of `countersign serve` look.
    pub(crate) branding: BrandingSettings,
    /// How workers share their work out.
    pub(crate) worker: WorkerSettings,
    /// Comparing the site's table with what is kept here.
    pub(crate) reconcile: ReconcileSettings,
}

/// Where Countersign keeps what it finds and does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreSettings {
    /// `sqlite:PATH` or `postgres://USER@HOST/DATABASE`, whose encoding must be UTF8.
    pub(crate) url: String,
    /// Connections held at most.
    pub(crate) connections_max: NonZeroU32,
}

/// The secret that everything at rest is encrypted under.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InstanceSettings {
    /// The file with the instance key, readable by its owner alone. The environment variable
    /// `COUNTERSIGN_INSTANCE_KEY` takes its place.
    pub(crate) key_file: String,
}

/// Bounds on what a stored hash may ask for.
#[expect(clippy::struct_field_names, reason = "they are keys of the file: bounds end in _max")]
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VerifySettings {
    /// bcrypt's cost, a power of two.
    pub(crate) bcrypt_cost_max: u32,
    /// argon2's memory, in KiB.
    pub(crate) argon2_memory_kib_max: u32,
    /// argon2's passes over it.
    pub(crate) argon2_passes_max: u32,
    /// argon2's lanes.
    pub(crate) argon2_lanes_max: u32,
    /// PBKDF2's iterations.
    pub(crate) pbkdf2_iterations_max: u32,
    /// Rounds of the older forms that repeat a fast function: SHA-crypt's and the like.
    pub(crate) digest_rounds_max: u32,
    /// scrypt's N, a power of two.
    pub(crate) scrypt_log_n_max: u8,
    /// scrypt's r.
    pub(crate) scrypt_r_max: u32,
    /// scrypt's p.
    pub(crate) scrypt_p_max: u32,
}

/// Who may sign.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OperatorSettings {
    /// SHA-256 of the first roster, as `countersign operator accept` prints it. Without it nobody
    /// may sign.
    pub(crate) roster_digest: Option<String>,
}

/// What this host needs in order to send.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SendingSettings {
    /// The file that `countersign sending propose` makes. It must be on the host's own disk, in
    /// no backup and in no image that other hosts start from.
    pub(crate) file: String,
}

/// How workers share their work out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WorkerSettings {
    /// How long a piece of work stays with a worker that no longer says it is alive: `"20s"`, and at
    /// most `"1h"`.
    pub(crate) lease: Period,
    /// Plain files are screened in pieces of this many bytes.
    pub(crate) piece_bytes: u64,
    /// Addresses and mails that one worker has in hand at the same time.
    pub(crate) concurrency: u32,
    /// How long nothing may be done for the people of a campaign that runs, until workers and
    /// `countersign status` say that it stands still: `"5h"`. A mail that a relay puts off waits for
    /// up to 4 hours.
    pub(crate) standstill_after: Period,
}

/// Comparing the site's table with what is kept here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReconcileSettings {
    /// How often a worker does what `countersign reconcile` does. One host at a time does it, and
    /// reads the whole table.
    pub(crate) every: Period,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        Self { every: Period::of(RECONCILE_EVERY) }
    }
}

/// A value of ours that nobody knows of locks somebody out: so long it stays unnoticed at most.
const RECONCILE_EVERY: Duration = Duration::from_hours(1);

impl Default for StoreSettings {
    fn default() -> Self {
        Self { url: "sqlite:countersign.sqlite3".to_owned(), connections_max: CONNECTIONS_MAX }
    }
}

impl Default for InstanceSettings {
    fn default() -> Self {
        Self { key_file: "instance.key".to_owned() }
    }
}

impl Default for VerifySettings {
    fn default() -> Self {
        let limits = password::CostLimits::default();
        Self {
            bcrypt_cost_max: limits.bcrypt_cost_max,
            argon2_memory_kib_max: limits.argon2_memory_kib_max,
            argon2_passes_max: limits.argon2_passes_max,
            argon2_lanes_max: limits.argon2_lanes_max,
            pbkdf2_iterations_max: limits.pbkdf2_iterations_max,
            digest_rounds_max: limits.digest_rounds_max,
            scrypt_log_n_max: limits.scrypt_log_n_max,
            scrypt_r_max: limits.scrypt_r_max,
            scrypt_p_max: limits.scrypt_p_max,
        }
    }
}

/// The site, as its people know it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SiteSettings {
    /// What the site is called, in subjects and wherever a notice speaks of it.
    pub(crate) name: Option<String>,
    /// Where on the site one chooses a new password, as labels to follow: never a link.
    pub(crate) reset_path: String,
    /// Where on the site one checks a notice.
    pub(crate) check_path: String,
    /// The language of notices to people whose own is not known: `en` or `de`.
    pub(crate) language: String,
}

/// How notices leave.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MailSettings {
    /// `maildir` (a folder) or `smtp` (the site's relay).
    pub(crate) transport: TransportSetting,
    /// The folder of `maildir`.
    pub(crate) folder: String,
    /// The address that notices come from. It must take replies, or `reply_to` must.
    pub(crate) from: Option<String>,
    /// The name beside it. The site's name if unset.
    pub(crate) from_name: Option<String>,
    /// An address of the same domain that takes replies.
    pub(crate) reply_to: Option<String>,
    /// Where bounces go: each notice's token is added behind a `+`. The sender if unset.
    pub(crate) bounces: Option<String>,
}

/// How notices leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TransportSetting {
    #[default]
    Maildir,
    Smtp,
}

/// The site's mail server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SmtpSettings {
    /// A name in DNS, which its certificate must hold, or an IP address.
    pub(crate) host: String,
    /// Usually 587 for `starttls`, 465 for `tls`.
    pub(crate) port: u16,
    /// `starttls`, `tls`, or `plain`, which is possible on this host only.
    pub(crate) security: String,
    /// The name to sign in with, if at all.
    pub(crate) username: Option<String>,
    /// A file with its password. Its last line break is not part of it.
    pub(crate) password_file: Option<String>,
    /// The name that we greet the server with (EHLO): this host's own, as DNS has it. Unset, it is
    /// the host's name if that holds a dot, else the IP address that we connect from.
    pub(crate) ehlo_name: Option<String>,
    /// A PEM file with the authorities whose certificates count, instead of those that browsers
    /// trust.
    pub(crate) ca_file: Option<String>,
    /// How long to wait for the answer to a command. RFC 5321 asks for five minutes.
    pub(crate) command_timeout: Period,
    /// How long to wait for the answer to a whole mail. Less than the ten minutes of RFC 5321
    /// makes mails uncertain that have arrived.
    pub(crate) end_of_data_timeout: Period,
}

/// Signing of mails by Countersign.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DkimSettings {
    /// The domain that signs: that of `mail.from`, or one above it.
    pub(crate) domain: Option<String>,
    /// The selector: the public key stands in DNS at SELECTOR._domainkey.DOMAIN.
    pub(crate) selector: Option<String>,
    /// A PEM file with the private key: RSA, 2048 bits or more, readable by its owner alone.
    pub(crate) key_file: Option<String>,
}

/// Where people choose a new password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RecoverySettings {
    /// `site`: on the site's own pages, which Countersign points to, and whose new hashes it sees.
    /// `countersign`: on the pages of `countersign serve`, which then mail links and write hashes.
    pub(crate) mode: RecoveryMode,
    /// Where people find the pages of `countersign serve`: reset links lead below it. With
    /// `mode = "countersign"`.
    pub(crate) pages_url: Option<String>,
    /// Characters of a new password, at least: 15 where it is the only factor (NIST SP 800-63B-4,
    /// 3.1.1.2), 8 or more beside a second one.
    pub(crate) password_chars_min: u32,
    /// A file of passwords, one a line, that nobody may choose.
    pub(crate) refused_passwords_file: Option<String>,
    /// A hash as the site makes them today, of any password: new ones get its format and cost.
    /// Unset, each is like the account's own.
    pub(crate) hash_like: Option<String>,
}

/// Where people choose a new password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecoveryMode {
    #[default]
    Site,
    Countersign,
}

/// What `countersign serve` answers over HTTP, each on an address and port of its own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeSettings {
    /// The pages for people.
    pub(crate) people: PeopleListenerSettings,
    /// The console for operators, who see how far campaigns are and change nothing. Nobody signs
    /// in there, so it is for this host alone: reach it through a tunnel, or put a proxy before it
    /// that knows your operators.
    pub(crate) operators: OperatorsListenerSettings,
    /// `/healthz` and `/metrics` for programs that watch over this one. They name campaigns and
    /// count accounts: keep them inside your network.
    pub(crate) metrics: MetricsListenerSettings,
}

/// The pages for people.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PeopleListenerSettings {
    /// The address and port to listen on.
    pub(crate) listen: String,
    /// A PEM file with the certificate, and those that lead up to an authority.
    pub(crate) certificate_file: Option<String>,
    /// A PEM file with its private key.
    pub(crate) key_file: Option<String>,
    /// The IP address of the proxy that speaks TLS for us. What any other peer says of where it
    /// comes from is not believed.
    pub(crate) trusted_proxy: Option<String>,
}

/// The console for operators.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OperatorsListenerSettings {
    /// The address and port to listen on, such as `127.0.0.1:8081`: one of this host that no other
    /// reaches. Unset, there is no console.
    pub(crate) listen: Option<String>,
}

/// Health and metrics.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MetricsListenerSettings {
    /// The address and port to listen on, such as `127.0.0.1:8082`. Unset, there are none.
    pub(crate) listen: Option<String>,
}

/// How the pages of `countersign serve` look.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BrandingSettings {
    /// A colour of the site's own for links and buttons, such as `#1b5e8c`. One that cannot be
    /// read beside white (WCAG AA) is not used.
    pub(crate) accent: Option<String>,
    /// The site's logo, an SVG or a PNG. An SVG may only draw: one with scripts or with references
    /// to elsewhere is refused.
    pub(crate) logo_file: Option<String>,
}

impl Default for RecoverySettings {
    fn default() -> Self {
        let chars_min = recovery::limits::PASSWORD_CHARS_MIN_ALONE;
        Self {
            mode: RecoveryMode::default(),
            pages_url: None,
            password_chars_min: u32::try_from(chars_min).unwrap_or(u32::MAX),
            refused_passwords_file: None,
            hash_like: None,
        }
    }
}

impl Default for PeopleListenerSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            certificate_file: None,
            key_file: None,
            trusted_proxy: None,
        }
    }
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            name: None,
            reset_path: "Sign in > Forgot password".to_owned(),
            check_path: "Help > Check a notice".to_owned(),
            language: "en".to_owned(),
        }
    }
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            transport: TransportSetting::default(),
            folder: "mail".to_owned(),
            from: None,
            from_name: None,
            reply_to: None,
            bounces: None,
        }
    }
}

impl Default for SmtpSettings {
    fn default() -> Self {
        let limits = notice::TimeLimits::default();
        Self {
            host: "localhost".to_owned(),
            port: 587,
            security: "starttls".to_owned(),
            username: None,
            password_file: None,
            ehlo_name: None,
            ca_file: None,
            command_timeout: Period::of(limits.command),
            end_of_data_timeout: Period::of(limits.end_of_data),
        }
    }
}

impl Default for SendingSettings {
    fn default() -> Self {
        Self { file: "sending.json".to_owned() }
    }
}

/// Enough to keep a relay busy that takes half a second for a mail.
const CONCURRENCY: u32 = 4;

/// Connections to our own database, unless the configuration says otherwise.
const CONNECTIONS_MAX: NonZeroU32 = NonZeroU32::new(8).expect("it is not zero");

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            lease: Period::of(instance::limits::LEASE),
            piece_bytes: exposure::limits::PIECE_BYTES,
            concurrency: CONCURRENCY,
            standstill_after: Period::of(campaigns::limits::STANDSTILL_AFTER),
        }
    }
}
