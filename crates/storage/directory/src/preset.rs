//! How well-known applications keep their accounts.

use crate::{
    mapped_field::MappedField,
    mapping::{Columns, Mapping, Sessions, Source, WriteTable},
};

/// How one application keeps its accounts: what a [`Mapping`] and the forms of its hashes begin with.
#[derive(Debug)]
pub struct SitePreset {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What its tables' names begin with, unless it was installed with something else.
    pub prefix: &'static str,
    /// Forms of stored hashes that their text does not tell.
    pub forms: &'static [&'static str],
    /// The same where the site mixes a secret of its own in; none if it does so as nearly all do.
    pub forms_with_key: &'static [&'static str],
    /// What its tables have: `{prefix}` stands before their names.
    pub(crate) tables: &'static [(&'static str, &'static [&'static str])],
    /// The table that is read; the first of `tables` if none is set.
    query: Option<&'static str>,
    columns: &'static [(MappedField, &'static str)],
    /// Columns that only some installations have.
    optional: &'static [(MappedField, &'static str)],
    beside: &'static [(&'static str, &'static str)],
    no_password: &'static [&'static str],
    write: Option<(&'static str, &'static str, Option<&'static str>)>,
    sessions: PresetSessions,
}

/// How an application's sessions are ended.
#[derive(Debug)]
enum PresetSessions {
    /// They hold no longer than the hash.
    EndWithHash,
    /// One statement after the other.
    Statements(&'static [&'static str]),
    /// By decoding Django's.
    Django(&'static str),
}

use MappedField::{
    Active, Email, EmailVerified, Hash, Id, Inactive, LastLoginAt, Locale, OtherEmails, Username,
};

/// All of them. Where several fit the same tables, the first does.
pub const PRESETS: &[SitePreset] = &[
    SitePreset {
        name: "nextcloud",
        prefix: "oc_",
        forms: &["nextcloud"],
        forms_with_key: &["nextcloud", "owncloud_old"],
        tables: &[
            ("{prefix}users", &["uid", "password"]),
            ("{prefix}preferences", &["userid", "appid", "configkey", "configvalue"]),
            ("{prefix}authtoken", &["uid"]),
        ],
        query: Some(
            "SELECT u.uid AS uid, u.password AS password, mail.configvalue AS email, \
             COALESCE(enabled.configvalue, 'true') AS enabled, login.configvalue AS last_login, \
             lang.configvalue AS locale FROM {prefix}users u \
             LEFT JOIN {prefix}preferences mail ON mail.userid = u.uid \
             AND mail.appid = 'settings' AND mail.configkey = 'email' \
             LEFT JOIN {prefix}preferences enabled ON enabled.userid = u.uid \
             AND enabled.appid = 'core' AND enabled.configkey = 'enabled' \
             LEFT JOIN {prefix}preferences login ON login.userid = u.uid \
             AND login.appid = 'login' AND login.configkey = 'lastLogin' \
             LEFT JOIN {prefix}preferences lang ON lang.userid = u.uid \
             AND lang.appid = 'core' AND lang.configkey = 'lang'",
        ),
        columns: &[
            (Id, "uid"),
            (Username, "uid"),
            (Email, "email"),
            (Hash, "password"),
            (Active, "enabled"),
            (LastLoginAt, "last_login"),
            (Locale, "locale"),
        ],
        optional: &[],
        beside: &[],
        no_password: &[],
        write: Some(("{prefix}users", "uid", None)),
        sessions: PresetSessions::Statements(&["DELETE FROM {prefix}authtoken WHERE uid = {id}"]),
    },
    SitePreset {
        name: "wordpress",
        prefix: "wp_",
        forms: &[
            "wordpress",
            "wordpress_old",
            "wordpress_bcrypt: <hash> := trim|slashes|bcrypt",
            "wordpress_bcrypt: <hash> := trim|bcrypt",
        ],
        forms_with_key: &[],
        tables: &[
            ("{prefix}users", &["ID", "user_login", "user_pass", "user_email"]),
            ("{prefix}usermeta", &["user_id", "meta_key", "meta_value"]),
        ],
        query: None,
        columns: &[
            (Id, "ID"),
            (Username, "user_login"),
            (Email, "user_email"),
            (Hash, "user_pass"),
        ],
        // A network of sites has it.
        optional: &[(Inactive, "deleted")],
        beside: &[],
        no_password: &[],
        write: None,
        sessions: PresetSessions::Statements(&[
            "DELETE FROM {prefix}usermeta WHERE user_id = {id} AND meta_key = 'session_tokens'",
        ]),
    },
    SitePreset {
        name: "mediawiki",
        prefix: "",
        forms: &["mediawiki"],
        forms_with_key: &[],
        tables: &[(
            "{prefix}user",
            &["user_id", "user_name", "user_password", "user_email", "user_token"],
        )],
        query: None,
        columns: &[
            (Id, "user_id"),
            (Username, "user_name"),
            (Email, "user_email"),
            (Hash, "user_password"),
            (EmailVerified, "user_email_authenticated"),
        ],
        optional: &[],
        beside: &[],
        no_password: &[],
        write: None,
        sessions: PresetSessions::Statements(&[
            "UPDATE {table} SET user_token = {token} WHERE user_id = {id}",
        ]),
    },
    SitePreset {
        name: "discourse",
        prefix: "",
        forms: &["discourse"],
        forms_with_key: &[],
        tables: &[
            ("users", &["id", "username", "active", "suspended_till", "last_seen_at"]),
            ("user_emails", &["user_id", "email", "primary"]),
            (
                "user_passwords",
                &["user_id", "password_hash", "password_salt", "password_algorithm"],
            ),
            ("user_auth_tokens", &["user_id"]),
        ],
        query: Some(
            "SELECT u.id, u.username, e.email, p.password_hash, p.password_salt, \
             p.password_algorithm, u.active, u.locale, u.last_seen_at, \
             (SELECT string_agg(o.email, ' ') FROM user_emails o \
             WHERE o.user_id = u.id AND NOT o.\"primary\") AS other_emails, \
             CASE WHEN u.suspended_till > now() THEN 'suspended' END AS suspended \
             FROM users u JOIN user_emails e ON e.user_id = u.id AND e.\"primary\" \
             LEFT JOIN user_passwords p ON p.user_id = u.id WHERE u.id > 0",
        ),
        columns: &[
            (Id, "id"),
            (Username, "username"),
            (Email, "email"),
            (Hash, "password_hash"),
            (EmailVerified, "active"),
            (Active, "active"),
            (Inactive, "suspended"),
            (Locale, "locale"),
            (LastLoginAt, "last_seen_at"),
            (OtherEmails, "other_emails"),
        ],
        optional: &[],
        beside: &[("algorithm", "password_algorithm"), ("salt", "password_salt")],
        no_password: &[],
        write: Some(("user_passwords", "user_id", None)),
        sessions: PresetSessions::Statements(&[
            "DELETE FROM user_auth_tokens WHERE user_id = {id}",
        ]),
    },
    SitePreset {
        name: "keycloak",
        prefix: "",
        forms: &["keycloak"],
        forms_with_key: &[],
        tables: &[
            (
                "user_entity",
                &["id", "username", "email", "email_verified", "enabled", "not_before"],
            ),
            ("credential", &["user_id", "type", "secret_data", "credential_data"]),
        ],
        query: Some(
            "SELECT u.id, u.username, u.email, u.email_verified, u.enabled, c.secret_data, \
             c.credential_data FROM user_entity u \
             LEFT JOIN credential c ON c.user_id = u.id AND c.type = 'password'",
        ),
        columns: &[
            (Id, "id"),
            (Username, "username"),
            (Email, "email"),
            (Hash, "secret_data"),
            (EmailVerified, "email_verified"),
            (Active, "enabled"),
        ],
        optional: &[],
        beside: &[("parameters", "credential_data")],
        no_password: &[],
        write: Some(("credential", "user_id", Some("type = 'password'"))),
        sessions: PresetSessions::Statements(&[
            "UPDATE user_entity SET not_before = {seconds} WHERE id = {id}",
        ]),
    },
    SitePreset {
        name: "gotrue",
        prefix: "",
        forms: &[],
        forms_with_key: &[],
        tables: &[
            (
                "auth.users",
                &["id", "email", "encrypted_password", "email_confirmed_at", "banned_until"],
            ),
            ("auth.sessions", &["user_id"]),
        ],
        query: Some(
            "SELECT id, email, encrypted_password, email_confirmed_at, last_sign_in_at, \
             CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN banned_until > now() THEN 'banned' \
             END AS out_of FROM auth.users",
        ),
        columns: &[
            (Id, "id"),
            (Email, "email"),
            (Hash, "encrypted_password"),
            (EmailVerified, "email_confirmed_at"),
            (LastLoginAt, "last_sign_in_at"),
            (Inactive, "out_of"),
        ],
        optional: &[],
        beside: &[],
        no_password: &[],
        write: Some(("auth.users", "id", None)),
        sessions: PresetSessions::Statements(&["DELETE FROM auth.sessions WHERE user_id = {id}"]),
    },
    SitePreset {
        name: "drupal",
        prefix: "",
        forms: &[
            "drupal: <hash> := trim|drupal7",
            "drupal: <hash> := trim|bcrypt",
            "drupal: <hash> := trim|argon2",
            "drupal: U<hash> := trim|md5|hex|drupal7",
        ],
        forms_with_key: &[],
        tables: &[
            ("{prefix}users_field_data", &["uid", "name", "pass", "mail", "status", "login"]),
            ("{prefix}sessions", &["uid", "sid"]),
        ],
        query: None,
        columns: &[
            (Id, "uid"),
            (Username, "name"),
            (Email, "mail"),
            (Hash, "pass"),
            (Active, "status"),
            (LastLoginAt, "login"),
        ],
        optional: &[(Locale, "preferred_langcode")],
        beside: &[],
        no_password: &[],
        write: None,
        sessions: PresetSessions::Statements(&["DELETE FROM {prefix}sessions WHERE uid = {id}"]),
    },
    DJANGO,
    SitePreset {
        name: "devise",
        prefix: "",
        forms: &[],
        forms_with_key: &[],
        tables: &[("users", &["id", "email", "encrypted_password"])],
        query: None,
        columns: &[(Id, "id"), (Email, "email"), (Hash, "encrypted_password")],
        optional: &[
            (Username, "username"),
            (EmailVerified, "confirmed_at"),
            (LastLoginAt, "current_sign_in_at"),
            (Inactive, "deleted_at"),
            (Locale, "locale"),
        ],
        beside: &[],
        no_password: &[],
        write: None,
        sessions: PresetSessions::EndWithHash,
    },
    SitePreset {
        name: "laravel",
        prefix: "",
        forms: &[],
        forms_with_key: &[],
        tables: &[
            ("{prefix}users", &["id", "email", "password", "remember_token"]),
            ("{prefix}sessions", &["id", "user_id", "payload"]),
        ],
        query: None,
        columns: &[(Id, "id"), (Email, "email"), (Hash, "password")],
        optional: &[
            (Username, "username"),
            (EmailVerified, "email_verified_at"),
            (Inactive, "deleted_at"),
            (Locale, "locale"),
        ],
        beside: &[],
        no_password: &[],
        write: None,
        sessions: PresetSessions::Statements(&[
            "UPDATE {table} SET remember_token = NULL WHERE id = {id}",
            "DELETE FROM {prefix}sessions WHERE user_id = {id}",
        ]),
    },
    GENERIC,
];

/// Django's own `auth_user` and `django_session`.
pub(crate) const DJANGO: SitePreset = SitePreset {
    name: "django",
    prefix: "",
    forms: &["django"],
    forms_with_key: &[],
    tables: &[
        ("auth_user", &["id", "username", "email", "password", "is_active", "last_login"]),
        ("django_session", &["session_key", "session_data"]),
    ],
    query: None,
    columns: &[
        (Id, "id"),
        (Username, "username"),
        (Email, "email"),
        (Hash, "password"),
        (LastLoginAt, "last_login"),
        (Active, "is_active"),
    ],
    optional: &[],
    beside: &[],
    no_password: &[],
    write: None,
    sessions: PresetSessions::Django("django_session"),
};

/// A table `users` with `id`, `email`, `username` and `password_hash`.
pub(crate) const GENERIC: SitePreset = SitePreset {
    name: "generic",
    prefix: "",
    forms: &[],
    forms_with_key: &[],
    tables: &[("users", &["id", "email", "username", "password_hash"])],
    query: None,
    columns: &[(Id, "id"), (Email, "email"), (Username, "username"), (Hash, "password_hash")],
    optional: &[],
    beside: &[],
    no_password: &[],
    write: None,
    sessions: PresetSessions::EndWithHash,
};

impl SitePreset {
    /// The preset of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// How it keeps its accounts, where its tables' names begin so.
    #[must_use]
    pub fn mapping(&self, prefix: Option<&str>) -> Mapping {
        let text = |text: &str| self.with_prefix(text, prefix);
        let table = text(self.tables.first().map_or("", |(table, _)| *table));
        let source = self.query.map_or(Source::Table(table), |query| Source::Query(text(query)));
        let write = self.write.map(|(table, id, condition)| WriteTable {
            table: text(table),
            id: id.to_owned(),
            condition: condition.map(str::to_owned),
        });
        let sessions = match self.sessions {
            PresetSessions::EndWithHash => Sessions::Untouched,
            PresetSessions::Django(table) => Sessions::Django { table: table.to_owned() },
            PresetSessions::Statements(statements) => {
                Sessions::Statement(text(&statements.join(";\n")))
            }
        };
        let no_password = self.no_password.iter().map(|text| (*text).to_owned()).collect();
        let optional = self.optional.iter().map(|(field, _)| *field).collect();
        Mapping { source, columns: self.columns(), optional, no_password, write, sessions }
    }

    fn columns(&self) -> Columns {
        let mut columns = Columns::default();
        for (field, name) in self.columns.iter().chain(self.optional) {
            columns.set(*field, Some((*name).to_owned()));
        }
        let own = |(operand, name): &(&str, &str)| ((*operand).to_owned(), (*name).to_owned());
        columns.beside = self.beside.iter().map(own).collect();
        columns
    }

    pub(crate) fn with_prefix(&self, text: &str, prefix: Option<&str>) -> String {
        text.replace("{prefix}", prefix.unwrap_or(self.prefix))
    }
}

impl Mapping {
    /// Django's own `auth_user` and `django_session`.
    #[must_use]
    pub fn django() -> Self {
        DJANGO.mapping(None)
    }

    /// A table `users` with `id`, `email`, `username` and `password_hash`.
    #[must_use]
    pub fn generic() -> Self {
        GENERIC.mapping(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_maps_what_its_tables_have() {
        for preset in PRESETS {
            let mapping = preset.mapping(None);
            let Source::Table(table) = &mapping.source else { continue };
            let (_, columns) = preset.tables[0];
            assert_eq!(*table, preset.with_prefix(preset.tables[0].0, None));
            let needed = preset.columns.iter().map(|(_, name)| name);
            for name in needed {
                assert!(columns.contains(name) || *name == "user_email_authenticated", "{name}");
            }
        }
        assert!(SitePreset::named("wordpress").is_some() && SitePreset::named("x").is_none());
    }

    #[test]
    fn a_prefix_is_put_before_every_table() {
        let mapping = SitePreset::named("nextcloud").unwrap().mapping(Some("nc_"));
        let Source::Query(query) = &mapping.source else { panic!() };
        assert!(query.contains(" nc_users u ") && !query.contains("prefix"), "{query}");
        assert_eq!(mapping.write.unwrap().table, "nc_users");
        let Sessions::Statement(statement) = mapping.sessions else { panic!() };
        assert_eq!(statement, "DELETE FROM nc_authtoken WHERE uid = {id}");
    }
}
