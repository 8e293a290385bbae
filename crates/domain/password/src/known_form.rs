use model::HashFormat;

use crate::{description::Description, form_id::FormId};

/// One form of stored hash, by name.
#[derive(Debug)]
pub(crate) struct KnownForm {
    pub(crate) name: HashFormat,
    pub(crate) description: Description,
    pub(crate) id: FormId,
    /// Which of the site's secrets it mixes in, if it does.
    pub(crate) key: usize,
    /// Which line of the configuration names it: one line may stand for several.
    pub(crate) entry: usize,
}
