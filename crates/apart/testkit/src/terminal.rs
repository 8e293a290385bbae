use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};

use crate::tools::python;

/// A command that is to run on a terminal of its own.
#[derive(Debug)]
pub struct Terminal {
    command: Command,
    input: Option<String>,
    dialogue: Option<Vec<Turn>>,
}

#[derive(Debug, Serialize)]
struct Turn {
    expect: String,
    answer: String,
    hidden: bool,
}

/// What came of it.
#[derive(Debug, Deserialize)]
pub struct TerminalRun {
    /// The exit code.
    pub code: i32,
    /// Everything that was printed on the terminal.
    pub output: String,
}

/// Runs a command where a person would: on a terminal, on which nobody has typed anything yet.
#[must_use]
pub const fn terminal(command: Command) -> Terminal {
    Terminal { command, input: None, dialogue: Some(Vec::new()) }
}

/// Runs a command that has no terminal, whatever the tests themselves run on.
#[must_use]
pub const fn no_terminal(command: Command) -> Terminal {
    Terminal { command, input: None, dialogue: None }
}

impl Terminal {
    /// Types this line once that is printed.
    #[must_use]
    pub fn answer(self, expect: &str, answer: &str) -> Self {
        self.turn(expect, answer, false)
    }

    /// As [`Terminal::answer`], once the terminal no longer shows what is typed.
    #[must_use]
    pub fn answer_hidden(self, expect: &str, answer: &str) -> Self {
        self.turn(expect, answer, true)
    }

    /// Gives it a pipe with this text as its standard input.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it neither ends nor asks what is expected.
    #[must_use]
    pub fn run(self) -> TerminalRun {
        let mut judge = python("terminal.py");
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => judge.env(name, value),
                None => judge.env_remove(name),
            };
        }
        let judge = judge.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut judge = judge.spawn().expect("Python starts");
        let mut stdin = judge.stdin.take().expect("it is piped");
        stdin.write_all(&self.script()).expect("the script is taken");
        drop(stdin);
        let output = judge.wait_with_output().expect("it ends");
        serde_json::from_slice(&output.stdout).expect("terminal.py has not failed")
    }

    fn script(&self) -> Vec<u8> {
        let program = std::iter::once(self.command.get_program());
        let command = program.chain(self.command.get_args());
        let command: Vec<_> = command.map(|word| word.to_str().expect("words are text")).collect();
        let script = serde_json::json!({
            "command": command, "input": self.input, "dialogue": self.dialogue,
        });
        script.to_string().into_bytes()
    }

    fn turn(mut self, expect: &str, answer: &str, hidden: bool) -> Self {
        let (expect, answer) = (expect.to_owned(), answer.to_owned());
        self.dialogue.get_or_insert_default().push(Turn { expect, answer, hidden });
        self
    }
}
