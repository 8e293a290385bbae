use model::HashFormat;

use crate::{description::Description, form_id::FormId};

/// One form of stored hash, by name.
#[derive(Debug)]
pub(crate) struct KnownForm {
    pub(crate) name: HashFormat,
    pub(crate) description: Description,
    pub(crate) id: FormId,
}
