use jiff::{civil::Date, tz::TimeZone};
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

/// The date of a leak, as exactly as it is known: 2016, May 2016 or 17 May 2016.
pub(crate) fn leak_date(language: Language, text: &str) -> String {
    let day = |text: &str| text.parse::<Date>().map(|date| language.day(date));
    let known = match text.split('-').count() {
        // What follows the day is the month and the year.
        2 => day(&format!("{text}-01"))
            .map(|first| first.split_once(' ').unwrap_or_default().1.into()),
        _ => day(text),
    };
    known.unwrap_or_else(|_| text.to_owned())
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

    #[test]
    fn a_leaks_date_is_no_more_exact_than_it_is_known() {
        let cases = [
            ("2016", "2016", "2016"),
            ("2016-03", "March 2016", "März 2016"),
            ("2016-05-17", "17 May 2016", "17. Mai 2016"),
            ("long ago", "long ago", "long ago"),
        ];
        for (date, english, german) in cases {
            assert_eq!(leak_date(Language::English, date), english);
            assert_eq!(leak_date(Language::German, date), german);
        }
    }
}
