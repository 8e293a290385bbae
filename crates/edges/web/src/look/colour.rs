use std::{fmt, str::FromStr};

/// WCAG 2.2 asks for this contrast between text and what it stands on (level AA).
const CONTRAST_MIN: f64 = 4.5;

/// The lightest and the darkest ground that the accent stands on, as `style.css` has them.
const LIGHT_GROUND: Colour = Colour([0xf3, 0xf5, 0xf7]);
const DARK_GROUND: Colour = Colour([0x20, 0x26, 0x2c]);

const WHITE: Colour = Colour([0xff; 3]);

/// Steps from a colour to white.
const TINTS: u8 = 20;

/// A colour of the site's own: for links, buttons and the line under the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent(Colour);

impl Accent {
    /// Used where the site has none, or one that could not be read.
    pub const DEFAULT: Self = Self(Colour([0x1b, 0x5e, 0x8c]));

    /// Whether text of this colour, and white text on it, can be read (WCAG AA).
    #[must_use]
    pub fn is_legible(self) -> bool {
        contrast(self.0, LIGHT_GROUND) >= CONTRAST_MIN
    }

    /// The colour for pages on a light ground.
    pub(crate) const fn light(self) -> Colour {
        self.0
    }

    /// As much lighter as is needed on a dark ground. White, at the end, always is enough.
    pub(crate) fn dark(self) -> Colour {
        let tints = (0..=TINTS).map(|step| tint(self.0, step));
        let mut legible = tints.filter(|tint| contrast(*tint, DARK_GROUND) >= CONTRAST_MIN);
        legible.next().unwrap_or(WHITE)
    }
}

impl FromStr for Accent {
    type Err = AccentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || AccentError { found: text.escape_debug().take(40).collect() };
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(wrong)?;
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)?;
        Ok(Self(Colour(bytes)))
    }
}

/// No colour.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no colour: write it like #1b5e8c")]
pub struct AccentError {
    found: String,
}

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// As WCAG defines it: from 1 to 21.
fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(Colour(channels): Colour) -> f64 {
    let weighted = channels.iter().zip([0.2126, 0.7152, 0.0722]);
    weighted.map(|(channel, weight)| weight * linear(*channel)).sum()
}

fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
}

/// So many steps on the way to white.
fn tint(Colour(channels): Colour, step: u8) -> Colour {
    let step = u16::from(step.min(TINTS));
    Colour(channels.map(|channel| {
        let channel = u16::from(channel);
        let lighter = channel + (255 - channel) * step / u16::from(TINTS);
        u8::try_from(lighter).unwrap_or(u8::MAX)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accent(text: &str) -> Accent {
        text.parse().unwrap()
    }

    #[test]
    fn contrast_is_what_others_compute() {
        let contrast = |one: &str, other: &str| contrast(accent(one).0, accent(other).0);
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        // WebAIM's checker says 4.54 and 4.48: the grey that just passes, and the one that fails.
        assert!((contrast("#767676", "#ffffff") - 4.54).abs() < 0.005);
        assert!((contrast("#777777", "#ffffff") - 4.48).abs() < 0.005);
    }

    #[test]
    fn what_cannot_be_read_is_not_used() {
        assert!(Accent::DEFAULT.is_legible());
        assert!(accent("#7A0019").is_legible());
        assert!(!accent("#ffcc00").is_legible());
        assert!(!accent("#ffffff").is_legible());
    }

    #[test]
    fn every_accent_can_be_read_on_a_dark_ground() {
        for text in ["#000000", "#7a0019", "#1b5e8c", "#ffcc00", "#ffffff"] {
            let dark = accent(text).dark();
            assert!(contrast(dark, DARK_GROUND) >= CONTRAST_MIN, "{text} became {dark}");
        }
        assert_eq!(accent("#ffcc00").dark().to_string(), "#ffcc00");
    }

    #[test]
    fn only_colours_are_colours() {
        for text in ["", "red", "#fff", "1b5e8c", "#1b5e8g", "#1b5e8c;}", "#é5e8c"] {
            assert!(text.parse::<Accent>().is_err(), "{text}");
        }
    }
}
