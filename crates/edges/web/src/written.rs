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

/// How many of something, in words: `one` of it, or a number of `many`.
pub(crate) fn counted(language: Language, count: u64, one: &str, many: &str) -> String {
    if count == 1 { one.to_owned() } else { format!("{} {many}", language.number(count)) }
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

    #[test]
    fn one_is_said_in_its_own_words() {
        let mails = |count| counted(Language::German, count, "Eine E-Mail", "E-Mails");
        assert_eq!([0, 1, 2_000].map(mails), ["0 E-Mails", "Eine E-Mail", "2.000 E-Mails"]);
    }
}
