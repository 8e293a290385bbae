//! Counts that add up: as rows of a table, and drawn to scale above it.

use notice::Language;
use serde::Serialize;

/// The width of a chart, in thousandths of a percent.
const WHOLE: u64 = 100_000;

/// What is narrower than this would not be seen.
const WIDTH_MIN: u64 = 1_200;

/// CSS pixels that a chart has at least: on a phone, and where `console.css` shows broad captions.
const NARROW_PX: u64 = 280;
const BROAD_PX: u64 = 600;

/// CSS pixels of a character of a caption, and of the room around it.
const CHARACTER_PX: u64 = 8;
const MARGIN_PX: u64 = 16;

/// CSS pixels of a row of a chart, with the gap below.
const ROW_PX: usize = 40;
const GAP_PX: usize = 4;

/// A whole with its parts.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    /// What it shows, for whoever cannot see it.
    pub(super) told: String,
    /// The whole first, and each part before its own parts.
    pub(super) rows: Vec<ChartRow>,
    pub(super) height: usize,
}

/// One part: a row of the table, and a piece of the chart if there is anything of it.
#[derive(Debug, Serialize)]
pub(super) struct ChartRow {
    /// The letter that ties both together.
    pub(super) key: String,
    pub(super) label: &'static str,
    pub(super) count: String,
    pub(super) share: String,
    pub(super) depth: usize,
    pub(super) tone: Tone,
    pub(super) piece: Option<ChartPiece>,
}

/// Where a part is drawn.
#[derive(Debug, Serialize)]
pub(super) struct ChartPiece {
    pub(super) left: String,
    pub(super) top: usize,
    pub(super) width: String,
    /// What there is room for on a phone.
    pub(super) caption: String,
    /// What there is room for elsewhere.
    pub(super) broad_caption: String,
}

/// A count, and what it is made up of.
#[derive(Debug)]
pub(super) struct Part {
    label: &'static str,
    /// For where there is little room.
    short: &'static str,
    count: u64,
    tone: Tone,
    parts: Vec<Self>,
}

/// How a part is coloured: its class in the style sheet. What is side by side differs in lightness or outline, not in hue alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tone {
    Whole,
    Done,
    Best,
    Open,
    Waiting,
    Left,
    Fault,
    Doubt,
}

impl Chart {
    pub(super) fn new(whole: &Part) -> Self {
        let mut drawing = Drawing { whole: whole.count, keys: 'A'..='Z', rows: Vec::new() };
        drawing.put(whole, 0, 0, WHOLE);
        let drawn = drawing.rows.iter().filter(|row| row.piece.is_some());
        let depth = drawn.map(|row| row.depth + 1).max().unwrap_or_default();
        Self {
            told: whole.told(),
            height: (depth * ROW_PX).saturating_sub(GAP_PX),
            rows: drawing.rows,
        }
    }
}

impl Part {
    pub(super) const fn new(
        tone: Tone,
        short: &'static str,
        label: &'static str,
        count: u64,
    ) -> Self {
        Self { label, short, count, tone, parts: Vec::new() }
    }

    /// The same, made up of these.
    pub(super) fn of(self, parts: impl IntoIterator<Item = Self>) -> Self {
        Self { parts: parts.into_iter().collect(), ..self }
    }

    /// Nothing, if there is nothing of it.
    pub(super) fn unless_none(self) -> Option<Self> {
        (self.count > 0).then_some(self)
    }

    fn told(&self) -> String {
        let told = format!("{}: {}", self.label, Language::English.number(self.count));
        if self.parts.is_empty() {
            return told;
        }
        let parts: Vec<_> = self.parts.iter().map(Self::told).collect();
        format!("{told} ({})", parts.join("; "))
    }
}

/// A chart as far as it is drawn.
struct Drawing {
    whole: u64,
    keys: std::ops::RangeInclusive<char>,
    rows: Vec<ChartRow>,
}

impl Drawing {
    /// Draws a part, and then its own parts below it.
    fn put(&mut self, part: &Part, depth: usize, mut left: u64, width: u64) {
        let key = if depth > 0 && part.count > 0 { self.keys.next() } else { None };
        let key = key.map(String::from).unwrap_or_default();
        self.rows.push(ChartRow {
            label: part.label,
            count: Language::English.number(part.count),
            share: share(part.count, self.whole),
            depth,
            tone: part.tone,
            piece: (part.count > 0).then(|| ChartPiece::new(&key, part.short, depth, left, width)),
            key,
        });
        for (part, width) in part.parts.iter().zip(divide(width, &part.parts)) {
            self.put(part, depth + 1, left, width);
            left += width;
        }
    }
}

impl ChartPiece {
    fn new(key: &str, short: &str, depth: usize, left: u64, width: u64) -> Self {
        Self {
            left: percent(left),
            top: depth * ROW_PX,
            width: percent(width),
            caption: caption(key, short, scaled(NARROW_PX, width, WHOLE)),
            broad_caption: caption(key, short, scaled(BROAD_PX, width, WHOLE)),
        }
    }
}

/// Divides a width by counts. Whatever is there can be seen: what would be too narrow gets its
/// least width from those that have more.
fn divide(width: u64, parts: &[Part]) -> Vec<u64> {
    let sum = parts.iter().map(|part| part.count).sum();
    let seen = parts.iter().filter(|part| part.count > 0).map(|_| 1).sum::<u64>();
    let least = WIDTH_MIN.min(width / seen.max(1));
    let wanted = parts.iter().map(|part| match part.count {
        0 => 0,
        count => scaled(width, count, sum).max(least),
    });
    let wanted: Vec<_> = wanted.collect();
    let too_much = wanted.iter().sum::<u64>().saturating_sub(width);
    let spare = |width: u64| width.saturating_sub(least);
    let spares = wanted.iter().map(|width| spare(*width)).sum();
    let fair = wanted.iter().map(|width| width - scaled(too_much, spare(*width), spares));
    fair.collect()
}

/// As much of a width as a part has of a whole.
fn scaled(width: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(width) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(width)
}

/// The letter and a word or two, or as much of that as there is room for.
fn caption(key: &str, short: &str, room: u64) -> String {
    let needed = |text: &str| text.chars().map(|_| CHARACTER_PX).sum::<u64>() + MARGIN_PX;
    let whole = format!("{key} {short}").trim().to_owned();
    let mut captions = [whole, key.to_owned()].into_iter();
    captions.find(|caption| needed(caption) <= room).unwrap_or_default()
}

fn percent(thousandths: u64) -> String {
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}

/// Whole percents. What is not nothing is never shown as nothing, and what is not all never as all.
fn share(part: u64, whole: u64) -> String {
    let rounded = scaled(200, part, whole).div_ceil(2);
    match rounded {
        0 if part > 0 => "<1%".to_owned(),
        100 if part < whole => ">99%".to_owned(),
        percent => format!("{percent}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(counts: &[u64]) -> Vec<Part> {
        counts.iter().map(|count| Part::new(Tone::Done, "Word", "Words", *count)).collect()
    }

    #[test]
    fn a_chart_is_to_scale_as_long_as_everything_can_be_seen() {
        let cases: [(&[u64], &[u64]); 6] = [
            (&[1, 1], &[50_000, 50_000]),
            (&[3, 0, 1], &[75_000, 0, 25_000]),
            (&[30_000, 1], &[98_800, 1_200]),
            (&[1, 30_000, 1, 30_000], &[1_200, 48_800, 1_200, 48_800]),
            (&[0], &[0]),
            (&[], &[]),
        ];
        for (counts, widths) in cases {
            let divided = divide(WHOLE, &parts(counts));
            let near = |(one, other): (&u64, &u64)| one.abs_diff(*other) <= 5;
            assert!(divided.iter().zip(widths).all(near), "{counts:?}: {divided:?}");
            assert_eq!(divided.len(), widths.len());
        }
        assert_eq!(divide(1_000, &parts(&[1, 1, 1_000_000])), [333, 333, 334]);
    }

    #[test]
    fn a_share_is_never_nothing_or_all_that_is_not() {
        let cases = [
            (0, 9, "0%"),
            (1, 3, "33%"),
            (2, 3, "67%"),
            (1, 1000, "<1%"),
            (999, 1000, ">99%"),
            (1000, 1000, "100%"),
        ];
        for (part, whole, expected) in cases {
            assert_eq!(share(part, whole), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn a_caption_is_as_long_as_there_is_room_for() {
        assert_eq!(caption("A", "Sealed", 80), "A Sealed");
        assert_eq!(caption("A", "Sealed", 79), "A");
        assert_eq!(caption("A", "Sealed", 23), "");
        assert_eq!(caption("", "In the plan", 320), "In the plan");
    }

    #[test]
    fn what_is_drawn_is_what_the_table_says() {
        let sealed = Part::new(Tone::Done, "Sealed", "Sealed accounts", 1_500);
        let sealed = sealed.of(parts(&[500, 1_000]));
        let none = Part::new(Tone::Left, "None", "No accounts", 0);
        let whole = Part::new(Tone::Whole, "Plan", "Planned accounts", 2_000);
        let chart = Chart::new(&whole.of([sealed, none].into_iter().chain(parts(&[500]))));
        let rows: Vec<_> =
            chart.rows.iter().map(|row| (&*row.key, &*row.count, row.depth)).collect();
        let expected = [
            ("", "2,000", 0),
            ("A", "1,500", 1),
            ("B", "500", 2),
            ("C", "1,000", 2),
            ("", "0", 1),
            ("D", "500", 1),
        ];
        assert_eq!(rows, expected);
        let pieces = chart.rows.iter().filter_map(|row| row.piece.as_ref());
        let pieces: Vec<_> = pieces.map(|piece| (&*piece.left, &*piece.width, piece.top)).collect();
        let expected = [
            ("0.000%", "100.000%", 0),
            ("0.000%", "75.000%", 40),
            ("0.000%", "25.000%", 80),
            ("25.000%", "50.000%", 80),
            ("75.000%", "25.000%", 40),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(chart.height, 116);
        let told = "Planned accounts: 2,000 (Sealed accounts: 1,500 (Words: 500; Words: 1,000); \
                    No accounts: 0; Words: 500)";
        assert_eq!(chart.told, told);
    }

    #[test]
    fn of_nobody_nothing_is_drawn() {
        let chart = Chart::new(&Part::new(Tone::Whole, "Plan", "Planned", 0).of(parts(&[0, 0])));
        assert!(chart.rows.iter().all(|row| row.piece.is_none()));
        assert_eq!((chart.height, chart.rows.len()), (0, 3));
    }
}
