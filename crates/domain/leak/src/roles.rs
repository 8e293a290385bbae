use model::Tier;

/// As which of its forms an identifier stands in the index, or is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// In none.
    pub const NONE: Self = Self(0);
    /// As the exact form of an address.
    pub const EXACT: Self = Self(1);
    /// As a username.
    pub const USERNAME: Self = Self(2);
    /// As the lead form of an address.
    pub const LEAD: Self = Self(4);
    /// As an address whose lead form is its exact one.
    pub const ADDRESS: Self = Self::EXACT.with(Self::LEAD);

    /// In the forms of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In the forms that both have.
    #[must_use]
    pub const fn shared(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The best tier among them.
    #[must_use]
    pub const fn tier(self) -> Option<Tier> {
        if self.0 & Self::EXACT.0 != 0 {
            Some(Tier::Exact)
        } else if self.0 & Self::USERNAME.0 != 0 {
            Some(Tier::Username)
        } else if self.0 & Self::LEAD.0 != 0 {
            Some(Tier::Lead)
        } else {
            None
        }
    }
}
