/// Why a text describes no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{at}`: {reason}")]
pub struct DescriptionError {
    at: String,
    reason: &'static str,
}

impl DescriptionError {
    pub(super) fn new(at: &str, reason: &'static str) -> Self {
        Self { at: at.chars().take(SHOWN_CHARS_MAX).collect(), reason }
    }
}

/// Enough to find the place.
const SHOWN_CHARS_MAX: usize = 80;
