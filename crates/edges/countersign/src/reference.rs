//! The pages of docs/ that are written out of the source.

use std::{fmt::Write as _, mem};

use clap::{Command, CommandFactory};

use crate::{
    cli::{Cli, Page},
    config,
};

/// The text of a page.
pub(crate) fn page(page: Page) -> String {
    match page {
        Page::Cli => command_line(),
        Page::Config => config::reference(),
    }
}

fn command_line() -> String {
    let mut text =
        String::from("# Command line\n\nWritten by `cargo xtask docs` from the source.\n");
    let mut root = Cli::command().term_width(96);
    root.build();
    for command in root.get_subcommands_mut() {
        hide_global_options(command);
    }
    describe(&mut root, &mut text);
    text
}

/// They are described once, with the program.
fn hide_global_options(command: &mut Command) {
    *command = mem::take(command).mut_args(|option| {
        let is_global = option.is_global_set();
        option.hide(is_global)
    });
    for inner in command.get_subcommands_mut() {
        hide_global_options(inner);
    }
}

fn describe(command: &mut Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<_> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for inner in command.get_subcommands_mut() {
        if !inner.is_hide_set() && inner.get_name() != "help" {
            describe(inner, text);
        }
    }
}
