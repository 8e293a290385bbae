use jiff::{civil::Date, tz::TimeZone};
use model::{LeakDate, LeakName, Provenance, Tier, Timestamp};

use crate::{Address, MenuPath, NoticeCode, SiteName, limits::EXPOSURES_NAMED_MAX, text::shown};

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

/// The facts of one notice that passwords were reset: all of them from findings.
#[derive(Debug, Clone)]
pub struct ResetRequired {
    recipient: Address,
    accounts: Vec<AccountName>,
    exposures: Vec<Exposure>,
    code: NoticeCode,
}

impl ResetRequired {
    /// One mail to one address about its accounts, for the reasons given.
    ///
    /// # Errors
    /// [`FactsError`] if there is no account to speak of, or no evidence to name.
    pub fn new(
        recipient: Address,
        accounts: Vec<AccountName>,
        mut exposures: Vec<Exposure>,
        code: NoticeCode,
    ) -> Result<Self, FactsError> {
        if accounts.is_empty() {
            return Err(FactsError::NoAccount);
        }
        if exposures.is_empty() {
            return Err(FactsError::NoExposure);
        }
        exposures.sort();
        // Two accounts of one address often stand in the same leak. It is told once.
        exposures.dedup();
        Ok(Self { recipient, accounts, exposures, code })
    }

    /// Where it goes.
    #[must_use]
    pub const fn recipient(&self) -> &Address {
        &self.recipient
    }

    /// What the recipient can check it with.
    #[must_use]
    pub const fn code(&self) -> NoticeCode {
        self.code
    }

    /// The accounts that it speaks of, at least one.
    #[must_use]
    pub fn accounts(&self) -> &[AccountName] {
        &self.accounts
    }

    /// The exposures that are named.
    pub(crate) fn named_exposures(&self) -> &[Exposure] {
        &self.exposures[..self.exposures.len().min(EXPOSURES_NAMED_MAX)]
    }

    /// How many more there are.
    pub(crate) fn more_exposures(&self) -> usize {
        self.exposures.len().saturating_sub(EXPOSURES_NAMED_MAX)
    }

    /// Whether each place is known to be another company's.
    pub(crate) fn all_confirmed(&self) -> bool {
        self.exposures.iter().all(|exposure| exposure.provenance == Provenance::Confirmed)
    }
}

/// Why no notice can be made of these facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// Nobody would know what it is about.
    #[error("a notice names at least one account")]
    NoAccount,
    /// Nobody is told without evidence.
    #[error("a notice names at least one exposure")]
    NoExposure,
}

/// What a person calls their account; nothing, if they sign in by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName(Option<String>);

impl AccountName {
    /// A username as the site has it. What cannot be shown safely is left out or masked.
    #[must_use]
    pub fn of(username: Option<&str>) -> Self {
        Self(username.and_then(shown))
    }

    pub(crate) fn shown(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// One reason for a notice: where a password was found, and by which name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    found: Date,
    tier: Tier,
    leak: LeakName,
    leak_date: Option<LeakDate>,
    provenance: Provenance,
}

impl Exposure {
    /// From a finding and its leak. Only the day of `found` is told, in UTC.
    ///
    /// # Errors
    /// [`MomentError`] if the calendar does not reach that far.
    pub fn new(
        found: Timestamp,
        tier: Tier,
        leak: LeakName,
        leak_date: Option<LeakDate>,
        provenance: Provenance,
    ) -> Result<Self, MomentError> {
        let moment = jiff::Timestamp::from_microsecond(found.as_micros());
        let moment = moment.map_err(|_| MomentError { micros: found.as_micros() })?;
        let found = moment.to_zoned(TimeZone::UTC).date();
        Ok(Self { found, tier, leak, leak_date, provenance })
    }

    pub(crate) const fn found(&self) -> Date {
        self.found
    }

    pub(crate) const fn tier(&self) -> Tier {
        self.tier
    }

    pub(crate) const fn provenance(&self) -> Provenance {
        self.provenance
    }

    pub(crate) const fn leak_date(&self) -> Option<&LeakDate> {
        self.leak_date.as_ref()
    }

    /// An operator's name for the leak, without what would become a link.
    pub(crate) fn leak(&self) -> String {
        shown(self.leak.as_str()).unwrap_or_default()
    }
}

/// A moment that no calendar shows.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{micros} microseconds from 1970 are outside the calendar")]
pub struct MomentError {
    micros: i64,
}
