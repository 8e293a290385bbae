use axum::{Form, extract::rejection::FormRejection, http::HeaderMap};

use crate::{state::AppState, visit::Visit};

/// What somebody types into a form of ours. A field that is missing is one that was left empty.
///
/// Forms have no `Debug`, so that none of it ever stands in a log.
pub(super) trait PageForm: Default {
    /// The language that they chose.
    fn lang(&self) -> Option<&str>;
}

/// What axum makes of a form of ours.
pub(super) type Filled<T> = Result<Form<T>, FormRejection>;

/// A form that cannot be read was filled in with nothing.
pub(super) fn read<T: PageForm>(
    state: &AppState,
    headers: &HeaderMap,
    form: Filled<T>,
) -> (T, Visit) {
    let typed = form.map(|Form(typed)| typed).unwrap_or_default();
    let visit = Visit::new(typed.lang(), headers, state.look.language);
    (typed, visit)
}
