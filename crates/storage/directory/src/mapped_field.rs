use std::fmt;

/// One thing that a site may record of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MappedField {
    /// The site's own key.
    Id,
    /// The address that mail goes to.
    Email,
    /// The name that the person signs in with.
    Username,
    /// The stored password hash.
    Hash,
    /// When the hash was last replaced.
    HashChangedAt,
    /// Whether the person has proved to own the address.
    EmailVerified,
    /// The person's language.
    Locale,
    /// When the person last signed in.
    LastLoginAt,
    /// Whether the site asks the person for a second factor.
    SecondFactor,
    /// When the account last changed.
    ChangedAt,
    /// Whether the site lets the account in.
    Active,
    /// What is set once it does not any more.
    Inactive,
    /// Further addresses that the site knows the person by.
    OtherEmails,
}

impl MappedField {
    /// All of them, in the order of their definition.
    pub const ALL: &'static [Self] = &[
        Self::Id,
        Self::Email,
        Self::Username,
        Self::Hash,
        Self::HashChangedAt,
        Self::EmailVerified,
        Self::Locale,
        Self::LastLoginAt,
        Self::SecondFactor,
        Self::ChangedAt,
        Self::Active,
        Self::Inactive,
        Self::OtherEmails,
    ];

    /// Its name: below `directory.columns` in the configuration, and in the head of an export.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Username => "username",
            Self::Hash => "hash",
            Self::HashChangedAt => "hash_changed_at",
            Self::EmailVerified => "email_verified",
            Self::Locale => "locale",
            Self::LastLoginAt => "last_login_at",
            Self::SecondFactor => "second_factor",
            Self::ChangedAt => "changed_at",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::OtherEmails => "other_emails",
        }
    }
}

impl fmt::Display for MappedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
