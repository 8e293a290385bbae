use model::Unverified;

use super::layout::LayoutMisfit;

/// Why a hash cannot be read so.
pub(crate) enum NotRead {
    /// It is something else.
    Other,
    /// It is of this form, and still cannot be verified.
    Unverified(Unverified),
}

impl From<LayoutMisfit> for NotRead {
    fn from(misfit: LayoutMisfit) -> Self {
        match misfit {
            LayoutMisfit::Other => Self::Other,
            LayoutMisfit::Broken => Self::Unverified(Unverified::Malformed),
        }
    }
}
