use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};

/// What to say when a counterpart is missing.
pub(crate) const HINT: &str = "run `cargo xtask test`: it installs what the tests need";

/// Set to 1 by `cargo xtask test --full`.
const FULL_VARIABLE: &str = "COUNTERSIGN_TEST_FULL";

/// Where `cargo xtask test` puts the Python judges, below the workspace.
const PYTHON: &str = "target/tools/venv/bin/python";

/// Where it unpacks Debian's packages, below the workspace.
const DEBIAN: &str = "target/tools/debian";

/// Whether the tests run in full: longer kill loops, more cases.
#[must_use]
pub fn full() -> bool {
    env::var_os(FULL_VARIABLE).is_some_and(|value| value == "1")
}

/// A command that runs one of the scripts in `crates/apart/testkit/py`; add arguments as needed.
///
/// # Panics
/// If the Python judges are not installed; the message says how to install them.
#[must_use]
pub fn python(script: &str) -> Command {
    let interpreter = workspace().join(PYTHON);
    assert!(interpreter.exists(), "{PYTHON} is missing: {HINT}");
    let mut command = Command::new(interpreter);
    command.arg(scripts().join(script));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A command that runs a program of the packages which `cargo xtask test` unpacks, or else the
/// host's own.
pub(crate) fn unpacked(program: &str) -> Command {
    let own = debian().join(program);
    let mut command = Command::new(if own.exists() { own } else { Path::new("/").join(program) });
    command.env("LD_LIBRARY_PATH", libraries());
    command
}

/// Where the libraries of those packages lie.
pub(crate) fn libraries() -> OsString {
    let folders = fs::read_dir(debian().join("usr/lib")).into_iter().flatten();
    let folders = folders.map(|entry| entry.expect("target/tools can be read").path());
    env::join_paths(folders).expect("Debian's folders have plain names")
}

/// Where `cargo xtask test` unpacks Debian's packages.
pub(crate) fn debian() -> PathBuf {
    workspace().join(DEBIAN)
}

/// The folder that holds the workspace's `Cargo.toml`.
///
/// # Panics
/// Never, while this crate lies three folders below it.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(3);
    root.expect("crates/apart/testkit lies in the workspace").to_owned()
}

/// Runs a command to its end and hands out what it printed; a failure shows what it complained of.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{complaint}");
    output
}

/// A shell for servers that refuse to run as root.
pub(crate) fn unprivileged_shell() -> Command {
    if !is_root() {
        return Command::new("sh");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh"]);
    command
}

/// What a server says once it is ready; `None` if it ends without a word.
pub(crate) fn first_line(server: &mut Child) -> Option<String> {
    let output = server.stdout.take()?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).ok()?;
    line.strip_suffix('\n').map(str::to_owned)
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn scripts() -> PathBuf {
    workspace().join("crates/apart/testkit/py")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_where_its_manifest_is() {
        assert!(workspace().join("Cargo.lock").exists());
    }
}
