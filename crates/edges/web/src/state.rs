use std::{fmt, sync::Arc};

use crate::{look::Look, people::ask::People, rehearsal::console::RehearsalConsole};

/// What every handler of people's pages is given.
#[derive(Clone)]
pub struct AppState {
    pub(crate) people: Arc<dyn People>,
    pub(crate) look: Arc<Look>,
    /// The fewest characters of a new password; `None` where people choose theirs on the site's own
    /// pages.
    pub(crate) password_chars_min: Option<usize>,
    pub(crate) rehearsal: Option<Arc<RehearsalConsole>>,
}

impl AppState {
    /// Pages that show a look, and whose questions somebody answers.
    #[must_use]
    pub fn new(people: Arc<dyn People>, look: Arc<Look>) -> Self {
        Self { people, look, password_chars_min: None, rehearsal: None }
    }

    /// Lets people choose new passwords here, of so many characters at least.
    #[must_use]
    pub fn with_resets(self, password_chars_min: usize) -> Self {
        Self { password_chars_min: Some(password_chars_min), ..self }
    }

    /// Shows the mails and reports of a rehearsal to whoever tries the program on this host. Where
    /// others can reach us, nobody is shown them.
    #[must_use]
    pub fn with_rehearsal(self, console: RehearsalConsole) -> Self {
        Self { rehearsal: Some(Arc::new(console)), ..self }
    }

    /// Whether people choose new passwords here, and not on the site's own pages.
    pub(crate) const fn resets_here(&self) -> bool {
        self.password_chars_min.is_some()
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").field("look", &self.look).finish_non_exhaustive()
    }
}
