//! How the site keeps its accounts. These comments are the reference that operators read.

use std::collections::BTreeMap;

use clap::ValueEnum;
use directory::{MappedField, SitePreset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The site's accounts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DirectorySettings {
    /// Whose tables these are: `embedded` (a copy, filled by `countersign account import`: it can be
    /// searched and planned for, and only a rehearsal seals it), `devise`, `discourse`, `django`,
    /// `drupal` (8 and later), `gotrue` (Supabase), `keycloak`, `laravel`, `mediawiki`, `nextcloud`,
    /// `wordpress`, or `generic` (a table `users`). The keys below replace parts of it;
    /// [docs/recipes.md](recipes.md) has more applications.
    pub(crate) preset: Preset,
    /// What the names of a preset's tables begin with, where the site was installed with another
    /// prefix than `wp_` for `wordpress`, `oc_` for `nextcloud`, and none for the others.
    pub(crate) prefix: Option<String>,
    /// The site's database for reading: `sqlite:PATH`, `postgres://...`, or `mysql://...` for MySQL and
    /// MariaDB. One grant, SELECT, is enough for everything up to the draft of a campaign. Row security
    /// must not hold the role back. Not for `embedded`.
    pub(crate) url: Option<String>,
    /// The site's database for sealing passwords and ending sessions: the other grant. A campaign
    /// is frozen only with it.
    pub(crate) write_url: Option<String>,
    /// The table of accounts, `NAME` or `SCHEMA.NAME`.
    pub(crate) table: Option<String>,
    /// Instead of a table: a SELECT that gives the columns. To seal what it reads, set
    /// `directory.write` as well.
    pub(crate) query: Option<String>,
    /// Which column holds what. An empty name means that the site does not record it.
    pub(crate) columns: ColumnSettings,
    /// How a password becomes a hash, where the hash itself does not say.
    pub(crate) hash: HashSettings,
    /// Where hashes are replaced, if that is not the table that is read.
    pub(crate) write: WriteSettings,
    /// How a person's open sessions are ended.
    pub(crate) sessions: SessionSettings,
}

/// What the account table looks like.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    #[default]
    Embedded,
    Devise,
    Discourse,
    Django,
    Drupal,
    Generic,
    Gotrue,
    Keycloak,
    Laravel,
    Mediawiki,
    Nextcloud,
    Wordpress,
}

impl Preset {
    /// Its name in the file.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What it stands for; `None` where our store keeps the accounts.
    pub(crate) fn of_site(self) -> Option<&'static SitePreset> {
        SitePreset::named(&self.name())
    }
}

/// Which column holds what.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ColumnSettings {
    /// The account's key, of any type.
    pub(crate) id: Option<String>,
    /// The e-mail address.
    pub(crate) email: Option<String>,
    /// The name to sign in with.
    pub(crate) username: Option<String>,
    /// The stored password hash: a column, or the path of a text in the JSON document that a column
    /// holds, as `config.hashed_password`. NULL, an empty text, `*`, `!`, `!!`, `!*`, `*LK*`, `*0`, `*1`,
    /// and `!` with Django's 40 characters mean: no password.
    pub(crate) hash: Option<String>,
    /// When the hash was last replaced.
    pub(crate) hash_changed_at: Option<String>,
    /// Whether the address is proved to be the person's: a flag, or the moment when that was proved.
    /// NULL, empty, false, 0 and a moment to come mean no; anything else means yes.
    pub(crate) email_verified: Option<String>,
    /// The person's language, a BCP 47 tag.
    pub(crate) locale: Option<String>,
    /// When the person last signed in.
    pub(crate) last_login_at: Option<String>,
    /// Whether the site asks for a second factor: a flag, or the moment since when it does.
    pub(crate) second_factor: Option<String>,
    /// Whether the site lets the account in: true, 1, `active`, `enabled`, or their opposites, or
    /// `banned`, `blocked`, `deactivated`, `deleted`, `suspended`, or the moment since when it does. NULL
    /// means no, and whatever else stands there makes the account unreadable; a moment since when it does
    /// *not* belongs to `inactive`. Whoever is out is left alone and counted, and gets no link. The preset
    /// `django` sets `is_active`.
    pub(crate) active: Option<String>,
    /// A column that is set once the site no longer lets the account in, such as `deleted_at`,
    /// `banned_at` or `disabled`: anything but NULL, an empty text, false or zero says so.
    pub(crate) inactive: Option<String>,
    /// Further addresses that the site knows the person by, such as those to sign in with: a leak that names
    /// one of them names the account. No mail goes there. Blanks, commas or line breaks stand between
    /// several, or the column is an array; of a table of addresses, `directory.query` makes one text.
    pub(crate) other_emails: Option<String>,
    /// When the row last changed, in UTC: set by the very transaction that sets the hash, and
    /// indexed if the site is large. With it a worker sees a new password within a minute; without
    /// it, within ten minutes if more than 1,000 accounts are sealed.
    pub(crate) changed_at: Option<String>,
}

impl ColumnSettings {
    /// What is set for a field.
    pub(crate) fn of(&self, field: MappedField) -> Option<&str> {
        let setting = match field {
            MappedField::Id => &self.id,
            MappedField::Email => &self.email,
            MappedField::Username => &self.username,
            MappedField::Hash => &self.hash,
            MappedField::HashChangedAt => &self.hash_changed_at,
            MappedField::EmailVerified => &self.email_verified,
            MappedField::Locale => &self.locale,
            MappedField::LastLoginAt => &self.last_login_at,
            MappedField::SecondFactor => &self.second_factor,
            MappedField::Active => &self.active,
            MappedField::Inactive => &self.inactive,
            MappedField::OtherEmails => &self.other_emails,
            MappedField::ChangedAt => &self.changed_at,
        };
        setting.as_deref()
    }
}

/// How a password becomes a hash, where the hash itself does not say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HashSettings {
    /// A file with the pepper: a secret of the site's, mixed into every password. Its last line
    /// break is not part of it.
    pub(crate) pepper_file: Option<String>,
    /// Files with peppers that the site has used before, one a line. Hashes do not say which pepper they
    /// were made with, so each is tried on every hash.
    pub(crate) older_pepper_files: Option<String>,
    /// How it is mixed in: `append` (as Devise does), `prepend`, or `hmac_sha256` (the lower-case
    /// hexadecimal HMAC of the password, keyed with the pepper, is hashed). Without it, `append`,
    /// unless `forms` says where it goes.
    pub(crate) pepper_mode: Option<PepperSetting>,
    /// Which forms the site's hashes have, one a line: names that `countersign verify forms` lists, or
    /// `NAME: LAYOUT := STEPS` ([docs/hashes.md](hashes.md)). Most hashes say themselves what they are,
    /// and need no line.
    pub(crate) forms: Option<String>,
    /// What belongs to the hash and stands in columns of its own: the name that the form has for it,
    /// and the column, or the path into a JSON document: `salt = "password_salt"`. In the environment,
    /// `{ salt = "password_salt" }`.
    pub(crate) columns: BTreeMap<String, String>,
    /// What the hash column holds where there is no password, besides what counts so everywhere; one
    /// a line.
    pub(crate) no_password: Option<String>,
}

/// Where hashes are replaced, if that is not the table that is read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WriteSettings {
    /// The table, `NAME` or `SCHEMA.NAME`. The columns of the hash are called there as they are where
    /// they are read.
    pub(crate) table: Option<String>,
    /// Its column with the account's id.
    pub(crate) id: Option<String>,
    /// What else holds for the one row of an account that has its hash, in SQL: `type = 'password'`.
    pub(crate) condition: Option<String>,
}

/// How a pepper is mixed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PepperSetting {
    #[default]
    Append,
    Prepend,
    HmacSha256,
}

/// How a person's open sessions are ended.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SessionSettings {
    /// A statement of your own, `{id}` standing for the account's id: `DELETE FROM sessions WHERE
    /// user_id = {id}`. Several end in `;`, each on lines of its own. `$1` is the id as text, `{table}`
    /// the table with the hashes, `{token}` 32 random hexadecimal digits, `{seconds}` now, in seconds
    /// since 1970. An empty text leaves sessions untouched.
    pub(crate) statement: Option<String>,
    /// A table in Django's format: the account's rows are found by decoding and deleted. The
    /// preset `django` sets `django_session`; an empty name leaves sessions untouched.
    pub(crate) django_table: Option<String>,
}
