use std::{fmt::Display, path::Path, sync::Arc};

use instance::Progress;

use super::CommandFailure;
use crate::{
    cli::Cli,
    config::{Config, DEFAULT_FILE},
    output::Output,
    progress::Bars,
};

/// What every command is given.
pub(crate) struct CommandContext<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) output: &'a Output,
}

impl CommandContext<'_> {
    pub(crate) fn config(&self) -> Result<Config, CommandFailure> {
        Ok(Config::load(self.cli.config.as_deref())?)
    }

    /// The same of a command that needs none: `None` if none is named and none lies in this folder.
    pub(crate) fn config_if_any(&self) -> Result<Option<Config>, CommandFailure> {
        let is_there = self.cli.config.is_some() || Path::new(DEFAULT_FILE).exists();
        is_there.then(|| self.config()).transpose()
    }

    pub(crate) fn progress(&self) -> Arc<dyn Progress> {
        Arc::new(Bars::new(self.cli.quiet))
    }

    /// Tells somebody who waits what has been done.
    pub(crate) fn tell(&self, text: impl Display) {
        if !self.cli.quiet {
            Output::tell(text);
        }
    }
}
