use notice::Language;

use super::{english, german, phrases::PagePhrases};

impl PagePhrases {
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &english::PHRASES,
            Language::German => &german::PHRASES,
        }
    }
}
