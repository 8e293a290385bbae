use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};
use model::Timestamp;

/// A moment on the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(DateTime);

impl Moment {
    pub(crate) fn new(at: Timestamp) -> Result<Self, MomentError> {
        let moment = jiff::Timestamp::from_microsecond(at.as_micros());
        let moment = moment.map_err(|_| MomentError { micros: at.as_micros() })?;
        Ok(Self(moment.to_zoned(TimeZone::UTC).datetime()))
    }

    pub(crate) fn date(self) -> Date {
        self.0.date()
    }

    /// Hours and minutes. What is left of the minute is not told.
    pub(crate) fn time(self) -> String {
        format!("{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// A moment that no calendar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{micros} microseconds from 1970 are outside the calendar")]
pub struct MomentError {
    micros: i64,
}
