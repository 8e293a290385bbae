/// Why a text describes no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{at}`: {reason}")]
pub struct DescriptionError {
    at: String,
    reason: &'static str,
}

impl DescriptionError {
    /// Literals may be a site's secret, and so may be what was meant for one: they are left out,
    /// with all that stands behind them.
    pub(super) fn new(at: &str, reason: &'static str) -> Self {
        let shown = without_literals(at);
        Self { at: shown.chars().take(SHOWN_CHARS_MAX).collect(), reason }
    }
}

/// The same up to the first literal.
fn without_literals(text: &str) -> String {
    let places = ["\"", "0x"].into_iter().filter_map(|begin| Some(text.find(begin)? + begin.len()));
    match places.min() {
        Some(end) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// Enough to find the place.
const SHOWN_CHARS_MAX: usize = 80;
