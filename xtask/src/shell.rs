//! Starting other programs.

use std::{
    env,
    error::Error,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

/// What a chore comes to. Its error is a sentence for the developer, so any error will do.
pub(crate) type ChoreResult<T = ()> = Result<T, Box<dyn Error>>;

/// Runs a command whose output the developer sees.
pub(crate) fn run(command: &mut Command) -> ChoreResult {
    let status = command.status().map_err(|error| unstarted(command, &error))?;
    check(command, status)
}

/// The same, and passes on each line that it prints.
pub(crate) fn run_and_read(command: &mut Command, mut read: impl FnMut(&str)) -> ChoreResult {
    let child = command.stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| unstarted(command, &error))?;
    let printed = child.stdout.take().map(BufReader::new);
    for line in printed.into_iter().flat_map(|printed| printed.split(b'\n')) {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        read(&line);
    }
    check(command, child.wait()?)
}

/// Runs two commands at once; both have ended when it returns.
pub(crate) fn run_both(one: &mut Command, other: &mut Command) -> ChoreResult {
    let mut child = one.spawn().map_err(|error| unstarted(one, &error))?;
    let ended = run(other);
    check(one, child.wait()?).and(ended)
}

fn check(command: &Command, status: ExitStatus) -> ChoreResult {
    if status.success() {
        return Ok(());
    }
    Err(format!("`{}` failed: {status}", shown(command)).into())
}

/// Runs a command for what it prints.
pub(crate) fn output(command: &mut Command) -> ChoreResult<String> {
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| unstarted(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("`{}` failed: {}", shown(command), output.status).into())
}

/// Whether a command succeeds; what it prints is of no interest.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A command from words that hold no spaces, run at the workspace's root.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(root());
    command
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Whether a program can be found as the shell would.
pub(crate) fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn unstarted(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` did not start: {error}", shown(command))
}

fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
