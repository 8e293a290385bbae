use model::Timestamp;
use notice::{Language, Moment};
use serde::Serialize;

/// A moment as templates write it. What no calendar shows stays empty.
#[derive(Serialize, Default)]
pub(crate) struct WrittenMoment {
    /// For machines.
    pub(crate) machine: String,
    pub(crate) day: String,
    pub(crate) time: String,
}

impl WrittenMoment {
    pub(crate) fn new(language: Language, at: Timestamp) -> Self {
        let Ok(moment) = Moment::new(at) else { return Self::default() };
        Self {
            machine: moment.machine(),
            day: language.day(moment.date()),
            time: format!("{} UTC", moment.time()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_people_write_it() {
        let at = Timestamp::from_micros(1_352_332_800_000_000);
        let english = WrittenMoment::new(Language::English, at);
        assert_eq!(english.machine, "2012-11-08T00:00Z");
        assert_eq!((&*english.day, &*english.time), ("8 November 2012", "00:00 UTC"));
        assert_eq!(WrittenMoment::new(Language::German, at).day, "8. November 2012");
        let never = Timestamp::from_micros(i64::MAX);
        assert_eq!(WrittenMoment::new(Language::English, never).day, "");
    }
}
