use std::time::Duration;

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// The shorter time in which a plan allows so many addresses and no more.
pub const MINUTE: Duration = Duration::from_mins(1);
/// The longer one.
pub const HOUR: Duration = Duration::from_hours(1);

/// How many addresses a campaign has begun of late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// The address that was begun last: one after the other is.
    last: Option<u64>,
    minute: Window,
    hour: Window,
}

impl Pace {
    /// How many since the beginning of the present minute, or hour. Of a time before both, no more than
    /// in the last hour in which any was begun.
    #[must_use]
    pub fn begun_since(&self, since: Timestamp) -> u64 {
        self.minute.begun_since(since).max(self.hour.begun_since(since))
    }

    /// An account of an address is about to be sealed.
    pub(super) fn begin(&mut self, address: u64, at: Timestamp) {
        if self.last.replace(address) == Some(address) {
            return;
        }
        self.minute.add(at.begin_of(MINUTE));
        self.hour.add(at.begin_of(HOUR));
    }
}

/// The last one in which any was begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    since: Option<Timestamp>,
    begun: u64,
}

impl Window {
    fn begun_since(&self, since: Timestamp) -> u64 {
        if self.since >= Some(since) { self.begun } else { 0 }
    }

    fn add(&mut self, since: Timestamp) {
        // By a clock that is set back nothing is forgotten.
        if self.since < Some(since) {
            *self = Self { since: Some(since), begun: 0 };
        }
        self.begun += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_counts_its_own() {
        let begin = Timestamp::from_micros(0).after(HOUR);
        let mut pace = Pace::default();
        for (address, seconds) in [(0, 0), (1, 59), (1, 60), (2, 60), (3, 61), (4, 119)] {
            pace.begin(address, begin.after(Duration::from_secs(seconds)));
        }
        let minute = begin.after(MINUTE);
        assert_eq!((pace.begun_since(minute), pace.begun_since(begin)), (3, 5));
        assert_eq!(pace.begun_since(minute.after(MINUTE)), 0);
        pace.begin(5, begin);
        assert_eq!((pace.begun_since(minute), pace.begun_since(begin)), (4, 6));
        pace.begin(6, begin.after(HOUR));
        assert_eq!(pace.begun_since(begin.after(HOUR)), 1);
    }
}
