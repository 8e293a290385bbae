use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};
use model::Timestamp;

/// A moment on the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(DateTime);

impl Moment {
    /// In UTC.
    ///
    /// # Errors
    /// [`MomentError`] if the calendar does not reach that far.
    pub fn new(at: Timestamp) -> Result<Self, MomentError> {
        let moment = jiff::Timestamp::from_microsecond(at.as_micros());
        let moment = moment.map_err(|_| MomentError { micros: at.as_micros() })?;
        Ok(Self(moment.to_zoned(TimeZone::UTC).datetime()))
    }

    /// Its day.
    #[must_use]
    pub fn date(self) -> Date {
        self.0.date()
    }

    /// Hours and minutes. What is left of the minute is not told.
    #[must_use]
    pub fn time(self) -> String {
        format!("{:02}:{:02}", self.0.hour(), self.0.minute())
    }

    /// As machines read it, no more exact than [`time`](Self::time): 2012-11-08T00:00Z.
    #[must_use]
    pub fn machine(self) -> String {
        format!("{}T{}Z", self.date(), self.time())
    }
}

/// A moment that no calendar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{micros} microseconds from 1970 are outside the calendar")]
pub struct MomentError {
    micros: i64,
}
