use crate::{Address, MenuPath, SiteName};

/// What is the same in all notices of one site.
#[derive(Debug, Clone)]
pub struct Site {
    /// What the site is called.
    pub name: SiteName,
    /// Where on the site one chooses a new password.
    pub reset_path: MenuPath,
    /// Where on the site one checks a notice.
    pub check_path: MenuPath,
    /// Who the notices come from.
    pub sender: Sender,
    /// Whether everything is tried out only: each notice begins by saying so.
    pub is_rehearsal: bool,
}

/// Who notices come from, and who reads the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    name: SiteName,
    from: Address,
    reply_to: Option<Address>,
}

impl Sender {
    /// An address that takes replies, or one with another of the same domain that does.
    ///
    /// # Errors
    /// [`SenderError`] if replies would go to another domain, as those to forgeries do.
    pub fn new(
        name: SiteName,
        from: Address,
        reply_to: Option<Address>,
    ) -> Result<Self, SenderError> {
        match &reply_to {
            Some(reply_to) if reply_to.domain() != from.domain() => Err(SenderError {
                reply_to: reply_to.domain().to_owned(),
                from: from.domain().to_owned(),
            }),
            _ => Ok(Self { name, from, reply_to }),
        }
    }

    /// The name that stands beside the address.
    #[must_use]
    pub const fn name(&self) -> &SiteName {
        &self.name
    }

    /// The address in `From`.
    #[must_use]
    pub const fn from(&self) -> &Address {
        &self.from
    }

    /// The address in `Reply-To`, where there is one.
    #[must_use]
    pub const fn reply_to(&self) -> Option<&Address> {
        self.reply_to.as_ref()
    }
}

/// Replies would go to another domain.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("replies go to the domain {reply_to}, but notices come from {from}")]
pub struct SenderError {
    reply_to: String,
    from: String,
}
