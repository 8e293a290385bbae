use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::CommandFailure;
use crate::{
    cli::{Cli, ShellName},
    output::{self, Done},
};

pub(super) fn run(shell: ShellName) -> Result<Done, CommandFailure> {
    let shell = match shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Zsh => Shell::Zsh,
        ShellName::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "countersign", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Done::Whole)
}
