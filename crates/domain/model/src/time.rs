use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A moment: whole microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From the integer that the store keeps.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The integer that the store keeps.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This much later, or the end of time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// So much earlier.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// When the clock's minute or hour began that it lies in.
    #[must_use]
    pub fn begin_of(self, window: Duration) -> Self {
        let length = i64::try_from(window.as_micros()).unwrap_or(i64::MAX).max(1);
        Self(self.0.div_euclid(length).saturating_mul(length))
    }
}

/// RFC 3339, UTC, with as many digits as the moment needs.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => moment.fmt(f),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let moment: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(Self(moment.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for micros in [0, 5, -5, 1_352_332_800_000_000, 1_352_332_800_123_456] {
            let written = serde_json::to_string(&Timestamp(micros)).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&written).unwrap(), Timestamp(micros));
        }
        assert!(serde_json::from_str::<Timestamp>(r#""yesterday""#).is_err());
    }

    #[test]
    fn a_window_begins_before_it() {
        let begins = [0, 59, 60, -1].map(|micros| {
            Timestamp::from_micros(micros).begin_of(Duration::from_micros(60)).as_micros()
        });
        assert_eq!(begins, [0, 0, 60, -60]);
    }

    #[test]
    fn shows_rfc_3339() {
        let moment = Timestamp::from_micros(1_352_332_800_000_000);
        assert_eq!(moment.to_string(), "2012-11-08T00:00:00Z");
        assert_eq!(
            moment.after(Duration::from_micros(5)).to_string(),
            "2012-11-08T00:00:00.000005Z"
        );
    }
}
