use crate::limits::{
    ACCOUNT_MAILS_PER_DAY_MAX, ACCOUNT_MAILS_PER_HOUR_MAX, SOURCE_MAILS_PER_HOUR_MAX,
};

/// How many links may be mailed.
///
/// It protects a person's mailbox and the site's name with mail providers. A visitor is told the
/// same, and after the same time, whether a mail goes out or not (ASVS 6.3.8); nobody is locked out
/// by it, since a link mailed before still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// For one account in the last hour.
    pub account_hour_max: u64,
    /// For one account in the last 24 hours.
    pub account_day_max: u64,
    /// For all requests of one source - an IPv4 address, or an IPv6 network of 64 bits - in the
    /// last hour.
    pub source_hour_max: u64,
}

impl Allowance {
    /// Whether one more may be mailed. The counts are read in the transaction that queues it, so
    /// that requests at the same moment do not all see the same ones.
    #[must_use]
    pub const fn may_mail(&self, counts: &RequestCounts) -> bool {
        counts.account_hour < self.account_hour_max
            && counts.account_day < self.account_day_max
            && counts.source_hour < self.source_hour_max
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            account_hour_max: ACCOUNT_MAILS_PER_HOUR_MAX,
            account_day_max: ACCOUNT_MAILS_PER_DAY_MAX,
            source_hour_max: SOURCE_MAILS_PER_HOUR_MAX,
        }
    }
}

/// What was mailed already, this request not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounts {
    /// For the account in the last hour.
    pub account_hour: u64,
    /// For the account in the last 24 hours.
    pub account_day: u64,
    /// For the source in the last hour.
    pub source_hour: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn may_mail(account_hour: u64, account_day: u64, source_hour: u64) -> bool {
        Allowance::default().may_mail(&RequestCounts { account_hour, account_day, source_hour })
    }

    #[test]
    fn each_bound_holds_alone() {
        assert!(may_mail(0, 0, 0));
        assert!(may_mail(2, 9, 19));
        assert!(!may_mail(3, 0, 0));
        assert!(!may_mail(0, 10, 0));
        assert!(!may_mail(0, 0, 20));
    }

    proptest! {
        /// Requests of many sources for one account, minute by minute, over two days.
        #[test]
        fn nobody_is_flooded(minutes in prop::collection::vec(0_u64..2880, 0..400)) {
            let mut minutes = minutes;
            minutes.sort_unstable();
            let mut mailed: Vec<u64> = Vec::new();
            for minute in minutes {
                let since = |span: u64| mailed.iter().filter(|at| **at + span > minute).count() as u64;
                if may_mail(since(60), since(1440), 0) {
                    mailed.push(minute);
                }
            }
            for at in &mailed {
                let within = |span: u64| mailed.iter().filter(|m| (*at..at + span).contains(m)).count();
                prop_assert!(within(60) <= 3 && within(1440) <= 10);
            }
        }
    }
}
