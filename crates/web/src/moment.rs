use jiff::tz::TimeZone;
use model::Timestamp;
use notice::Language;

/// A moment as machines and as people read it, in UTC.
pub(crate) struct Moment {
    pub(crate) machine: String,
    pub(crate) day: String,
    pub(crate) time: String,
}

/// Writes a moment for people. What no calendar shows stays empty.
pub(crate) fn moment(language: Language, at: Timestamp) -> Moment {
    let Ok(at) = jiff::Timestamp::from_microsecond(at.as_micros()) else {
        return Moment { machine: String::new(), day: String::new(), time: String::new() };
    };
    let at = at.to_zoned(TimeZone::UTC);
    Moment {
        machine: at.strftime("%Y-%m-%dT%H:%MZ").to_string(),
        day: language.day(at.date()),
        time: at.strftime("%H:%M UTC").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_people_write_it() {
        let at = Timestamp::from_micros(1_352_332_800_000_000);
        let english = moment(Language::English, at);
        assert_eq!(english.machine, "2012-11-08T00:00Z");
        assert_eq!((&*english.day, &*english.time), ("8 November 2012", "00:00 UTC"));
        assert_eq!(moment(Language::German, at).day, "8. November 2012");
        assert_eq!(moment(Language::English, Timestamp::from_micros(i64::MAX)).day, "");
    }
}
