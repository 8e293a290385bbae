use std::{fmt::Display, sync::Arc};

use instance::Progress;

use super::CommandFailure;
use crate::{cli::Cli, config::Config, output::Output, progress::Bars};

/// What every command is given.
pub(crate) struct CommandContext<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) output: &'a Output,
}

impl CommandContext<'_> {
    pub(crate) fn config(&self) -> Result<Config, CommandFailure> {
        Ok(Config::load(self.cli.config.as_deref())?)
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
