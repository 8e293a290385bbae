use model::Timestamp;

use crate::limits::{LINK_LIFETIME, LIVE_LINKS_MAX};

/// Decides whether a reset link may be used now.
///
/// Asked when the page is opened, and again in the transaction that sets the password: only that
/// one uses the link up (ASVS 6.5.1), so that a mail scanner that opens it, or submits what it
/// finds, changes nothing (ASVS 3.5.3).
///
/// # Errors
/// [`LinkRefusal`] says why not. A visitor is told the same whichever it is.
pub fn decide_use(link: &LinkRow, now: Timestamp) -> Result<(), LinkRefusal> {
    match link.state(now) {
        LinkState::Live => Ok(()),
        LinkState::Used => Err(LinkRefusal::Used),
        LinkState::Superseded => Err(LinkRefusal::Superseded),
        LinkState::Expired => Err(LinkRefusal::Expired),
    }
}

/// How many of an account's live links, the oldest first, end when one more is made.
#[must_use]
pub const fn links_to_supersede(live: u64) -> u64 {
    live.saturating_add(1).saturating_sub(LIVE_LINKS_MAX)
}

/// What the store knows of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRow {
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Timestamp,
    /// When a password was set by it.
    pub used_at: Option<Timestamp>,
    /// Whether newer links took its place, or another way back in ended all of them.
    pub superseded: bool,
}

impl LinkRow {
    /// A link made now.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let expires_at = now.after(LINK_LIFETIME);
        Self { created_at: now, expires_at, used_at: None, superseded: false }
    }

    /// What has become of it. What was done with it counts more than its age.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> LinkState {
        if self.used_at.is_some() {
            LinkState::Used
        } else if self.superseded {
            LinkState::Superseded
        } else if now < self.end() {
            LinkState::Live
        } else {
            LinkState::Expired
        }
    }

    /// A row that promises a longer life than any link has is not believed.
    fn end(&self) -> Timestamp {
        self.expires_at.min(self.created_at.after(LINK_LIFETIME))
    }
}

model::text_enum! {
    /// How far a reset link is.
    pub enum LinkState {
        /// It can be used.
        Live = "live",
        /// A password was set by it.
        Used = "used",
        /// Newer links took its place.
        Superseded = "superseded",
        /// Its time is over.
        Expired = "expired",
    }
}

/// Why a link may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// It works once.
    #[error("this link was used: ask for a new one if it was not you")]
    Used,
    /// A newer mail has a link that works.
    #[error("a newer link took the place of this one: use the newest, or ask for another")]
    Superseded,
    /// Too late.
    #[error("the time of this link is over: ask for a new one")]
    Expired,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_426_200_000_000);

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_link_works_once_and_not_for_long() {
        let link = LinkRow::new(NOW);
        assert_eq!(decide_use(&link, NOW), Ok(()));
        assert_eq!(decide_use(&link, later(1799)), Ok(()));
        assert_eq!(decide_use(&link, later(1800)), Err(LinkRefusal::Expired));
        let used = LinkRow { used_at: Some(later(5)), ..link };
        assert_eq!(decide_use(&used, later(6)), Err(LinkRefusal::Used));
        let superseded = LinkRow { superseded: true, ..link };
        assert_eq!(decide_use(&superseded, later(6)), Err(LinkRefusal::Superseded));
    }

    #[test]
    fn no_row_makes_a_link_live_longer() {
        let forged = LinkRow { expires_at: later(1_000_000), ..LinkRow::new(NOW) };
        assert_eq!(decide_use(&forged, later(1800)), Err(LinkRefusal::Expired));
        let shortened = LinkRow { expires_at: later(60), ..LinkRow::new(NOW) };
        assert_eq!(decide_use(&shortened, later(60)), Err(LinkRefusal::Expired));
    }

    #[test]
    fn three_links_live_at_most() {
        assert_eq!([0, 1, 2, 3, 4, 9].map(links_to_supersede), [0, 0, 0, 1, 2, 7]);
    }

    proptest! {
        #[test]
        fn what_is_refused_stays_refused(
            life in -100_i64..4000, used: bool, superseded: bool, at in 0_u64..4000, wait in 0_u64..4000,
        ) {
            let expires_at = Timestamp::from_micros(NOW.as_micros() + life * 1_000_000);
            let used_at = used.then_some(NOW);
            let link = LinkRow { created_at: NOW, expires_at, used_at, superseded };
            if decide_use(&link, later(at)).is_err() {
                prop_assert!(decide_use(&link, later(at + wait)).is_err());
            }
            prop_assert_eq!(decide_use(&link, later(at)).is_ok(), link.state(later(at)) == LinkState::Live);
        }
    }
}
