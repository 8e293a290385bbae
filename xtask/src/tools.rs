//! Installs what the tests need and is not there: once, and into `target/tools` where possible.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    debian::{self, apt, instruction, remove},
    shell::{ChoreResult, command, on_path, root, run, succeeds},
};

/// The licence and dependency checks. Unpinned tools would fail an unchanged tree one day.
const CARGO_DENY: &str = "0.20.2";

/// The fuzzer, for `--full` only.
const CARGO_FUZZ: &str = "0.13.2";

/// The versions of the witness that others wrote.
const WITNESS: &str = "crates/apart/testkit/py/witness-requirements.txt";

/// Packages of npm that hash passwords, and what asks them.
const HASHERS: &str = "crates/apart/testkit/js";

/// What somebody is about to do, each more than the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Run a script of the test kit.
    Judges,
    /// Run the tests.
    Tests,
    /// Run the tests in full.
    Full,
}

/// Debian's packages: for what, and how to see that they are there.
const PACKAGES: &[Package] = &[
    Package("python3", Need::Judges, || on_path("python3")),
    Package("python3-venv", Need::Judges, has_venv),
    Package("zstd", Need::Judges, || on_path("zstd")),
    Package("postgresql", Need::Tests, has_postgres),
    Package("chromium", Need::Tests, || Path::new("/usr/bin/chromium").exists()),
    Package("openssl", Need::Tests, || on_path("openssl")),
    Package("php-cli", Need::Tests, || on_path("php")),
    Package("whois", Need::Tests, || on_path("mkpasswd")),
    Package("g++", Need::Full, || on_path("g++")),
];

struct Package(&'static str, Need, fn() -> bool);

/// Installs what is needed. The second time costs a few look-ups.
pub(crate) fn install(need: Need) -> ChoreResult {
    install_packages(need)?;
    install_judges()?;
    if need >= Need::Tests {
        install_witness()?;
        unpack_packages()?;
        install_hashers()?;
        install_crate("cargo-deny", CARGO_DENY)?;
    }
    if need >= Need::Full {
        install_crate("cargo-fuzz", CARGO_FUZZ)?;
    }
    Ok(())
}

/// Where the tools go.
fn folder() -> PathBuf {
    root().join("target/tools")
}

/// A command that finds the installed tools before any others.
pub(crate) fn tool(line: &str) -> ChoreResult<Command> {
    let own = [folder().join("bin"), folder().join("venv/bin")];
    let path = env::var_os("PATH").unwrap_or_default();
    let all = env::join_paths(own.into_iter().chain(env::split_paths(&path)))?;
    let mut command = command(line);
    command.env("PATH", all);
    Ok(command)
}

/// A command that runs a script of the test kit.
pub(crate) fn python(script: &str) -> ChoreResult<Command> {
    let mut command = tool("python")?;
    command.arg(root().join("crates/apart/testkit/py").join(script));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

fn install_packages(need: Need) -> ChoreResult {
    let wanted = PACKAGES.iter().filter(|Package(_, by, _)| *by <= need);
    let missing = wanted.filter(|Package(_, _, is_there)| !is_there());
    let missing: Vec<&str> = missing.map(|Package(package, ..)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    let Some(apt) = apt() else {
        return Err(instruction(&missing).into());
    };
    run(&mut command(&format!("{apt} update -qq")))?;
    // No program of this host is put out for the sake of a test: that is for its owner to decide.
    let options = "install -y -qq --no-install-recommends --no-remove";
    run(&mut command(&format!("{apt} {options} {}", missing.join(" "))))
}

fn unpack_packages() -> ChoreResult {
    let wanted = debian::unpacked().join(" ");
    let stamp = folder().join("debian.stamp");
    if is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    println!("unpacking {wanted}");
    debian::unpack(&folder())?;
    Ok(fs::write(stamp, wanted)?)
}

/// The Python judges, in an environment of their own, pinned.
fn install_judges() -> ChoreResult {
    let wanted = fs::read_to_string(root().join("crates/apart/testkit/py/requirements.txt"))?;
    let stamp = folder().join("venv.stamp");
    if is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    println!("installing the Python judges");
    // An environment that is there is kept: tests may be running in it.
    run(&mut command("python3 -m venv target/tools/venv"))?;
    let pip = "target/tools/venv/bin/pip install --quiet --disable-pip-version-check";
    run(&mut command(&format!("{pip} -r crates/apart/testkit/py/requirements.txt")))?;
    Ok(fs::write(stamp, wanted)?)
}

/// The witness that others wrote, in a folder of its own that only its tests look into.
fn install_witness() -> ChoreResult {
    let wanted = fs::read_to_string(root().join(WITNESS))?;
    let stamp = folder().join("witness.stamp");
    if is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    println!("installing a witness that others wrote");
    let (witness, new) = (folder().join("witness"), folder().join("witness.new"));
    remove(&new)?;
    unpack_witness(&new)?;
    remove(&witness)?;
    fs::rename(new, witness)?;
    Ok(fs::write(stamp, wanted)?)
}

/// Packages of npm that hash passwords. Their own scripts do not run: what they would compile is there.
fn install_hashers() -> ChoreResult {
    let wanted = fs::read_to_string(root().join(HASHERS).join("package-lock.json"))?;
    let stamp = folder().join("js.stamp");
    if is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    println!("installing packages of npm that hash passwords");
    let js = folder().join("js");
    fs::create_dir_all(&js)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root().join(HASHERS).join(file), js.join(file))?;
    }
    run(tool("npm ci --ignore-scripts --no-audit --no-fund --silent")?.current_dir(js))?;
    Ok(fs::write(stamp, wanted)?)
}

/// It runs on the judges' Python, whatever it says of that: so it is started before it is relied upon.
fn unpack_witness(new: &Path) -> ChoreResult {
    let pip = "target/tools/venv/bin/pip install --quiet --disable-pip-version-check";
    let options = format!("--no-deps --ignore-requires-python -r {WITNESS} --target");
    run(command(&format!("{pip} {options}")).arg(new))?;
    run(python("foreign_witness.py")?.arg("--version").env("PYTHONPATH", new))
}

/// A cargo tool, unoptimised: it runs for seconds, so that compiling it is what takes time.
fn install_crate(name: &str, version: &str) -> ChoreResult {
    let stamp = folder().join(format!("{name}.stamp"));
    if is_stamped(&stamp, version) {
        return Ok(());
    }
    println!("installing {name} {version}");
    let build = folder().join("build");
    let options = "--quiet --locked --debug --root target/tools";
    let mut cargo = command(&format!("cargo install {name} --version {version} {options}"));
    cargo.env("CARGO_TARGET_DIR", &build);
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "false");
    run(&mut cargo)?;
    fs::remove_dir_all(build)?;
    Ok(fs::write(stamp, version)?)
}

fn is_stamped(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == wanted)
}

fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut programs = versions.flatten().map(|version| version.path().join("bin/initdb"));
    programs.any(|initdb| initdb.is_file())
}

/// Asked only while there is no environment yet: starting Python takes a while.
fn has_venv() -> bool {
    folder().join("venv.stamp").exists() || succeeds(&mut command("python3 -m ensurepip --version"))
}
