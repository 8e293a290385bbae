//! What the program leaves of itself on the host: memory, and files.

use std::{
    fs,
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    harness::{Backend, Run, program, without_settings},
    office::Office,
};

/// A user of no rights; the tests may run as root, from whom nothing can be kept.
const NOBODY: u32 = 65534;

/// The program where anybody may run it.
fn reachable_program(folder: &Path) -> PathBuf {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.join("countersign");
    fs::copy(env!("CARGO_BIN_EXE_countersign"), &copy).unwrap();
    copy
}

/// It has read its accounts, and waits for a leak on standard input.
fn waiting(program: &Path, folder: &Path, user: Option<u32>) -> Child {
    let accounts = folder.join("users.csv");
    fs::write(&accounts, "id,email,password_hash\n").unwrap();
    let mut command = Command::new(program);
    command.args(["assess", "--accounts"]).arg(accounts).arg("-");
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    without_settings(&mut command);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"jane@example.org:word\n").unwrap();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None);
    child
}

fn of_process(child: &Child, name: &str) -> PathBuf {
    Path::new("/proc").join(child.id().to_string()).join(name)
}

#[test]
fn nobody_looks_into_its_memory() {
    let folder = tempfile::tempdir().unwrap();
    let program = reachable_program(folder.path());
    let user = rustix::process::getuid().is_root().then_some(NOBODY);
    let mut child = waiting(&program, folder.path(), user);
    let limits = fs::read_to_string(of_process(&child, "limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    let status = fs::read_to_string(of_process(&child, "status")).unwrap();
    assert!(status.contains("Umask:\t0077"), "{status}");
    // What a process that may not be looked into has in /proc belongs to root.
    assert_eq!(fs::metadata(of_process(&child, "mem")).unwrap().uid(), 0);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn listed(output: &Path, arguments: &[&Path]) -> Run {
    let mut command = program(["assess", "--accounts"]);
    command.args(arguments).arg("--output").arg(output);
    command.output().unwrap().into()
}

#[test]
fn a_list_is_for_its_owner_and_takes_nothings_place() {
    let site = Backend::Sqlite.site();
    let folder = tempfile::tempdir().unwrap();
    let arguments: [&Path; 2] = [&site.users_csv, &site.leaks_folder];
    let list = folder.path().join("list.csv");
    assert_eq!(listed(&list, &arguments).code, 0);
    assert_eq!(fs::metadata(&list).unwrap().mode() & 0o777, 0o600);
    let before = fs::read(&list).unwrap();
    let again = listed(&list, &arguments);
    assert!(again.failure().contains("list.csv"), "{}", again.stderr);
    assert_eq!(fs::read(&list).unwrap(), before);

    let link = folder.path().join("link.csv");
    symlink(folder.path().join("elsewhere"), &link).unwrap();
    assert!(listed(&link, &arguments).failure().contains("link.csv"));
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn a_spreadsheet_finds_no_formula_in_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // The sites' own form for a password that is stored in the clear is of no interest here: both
    // hashes are of no known form, so both accounts are listed as not verified.
    fs::write(
        path("users.csv"),
        "id,email,password_hash\n=1+1,a@example.org,$unknown$x\n-7,b@example.org,$unknown$y\n\
         \u{fe66}1,c@example.org,$unknown$x\n\u{200b}=1,d@example.org,$unknown$x\n",
    )
    .unwrap();
    let records = ["a", "b", "c", "d"].map(|name| format!("{name}@example.org:word\n"));
    fs::write(path("@leak.txt"), records.concat()).unwrap();
    let run = listed(&path("list.csv"), &[&path("users.csv"), &path("@leak.txt")]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let list = fs::read_to_string(path("list.csv")).unwrap();
    assert!(list.contains("\n\"'=1+1\",") && list.contains("\n\"-7\","), "{list}");
    assert!(
        !["\"@leak.txt", "\"\u{fe66}", "\"\u{200b}"].iter().any(|raw| list.contains(raw)),
        "{list}"
    );
}

/// It sends nothing that it cannot write down first.
#[test]
fn a_host_that_cannot_write_beside_its_sending_file_is_told_of() {
    let office = Office::open(Backend::Sqlite);
    let in_the_way = office.path("sending.json.probe.new");
    fs::create_dir(&in_the_way).unwrap();
    let doctor = office.run(&["doctor", "--skip-relay-check"]);
    assert_eq!(doctor.code, 1, "{}", doctor.stdout);
    assert!(doctor.stdout.contains("nothing can be sent"), "{}", doctor.stdout);
    let status = office.run(&["status"]);
    assert_eq!(status.code, 3, "{}", status.stdout);
    let shown = office.instance.shown(&["status"]);
    assert!(shown.contains("nothing can be sent from this host"), "{shown}");
    assert!(
        shown.contains("sending.json cannot be written") && !shown.contains("goes on"),
        "{shown}"
    );
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(office.run(&["status"]).code, 0);
    assert_eq!(office.run(&["doctor", "--skip-relay-check"]).code, 0);
}

/// A quota is an error like any other, and leaves no part of a file behind.
#[test]
fn a_list_that_does_not_fit_is_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let [accounts, leak, list] =
        ["a.csv", "leak.txt", "list.csv"].map(|name| folder.path().join(name));
    let row = |number: usize| format!("{number},u{number}@example.org,$unheard-of$hash\n");
    let rows: Vec<_> = (0..100).map(row).collect();
    fs::write(&accounts, format!("id,email,hash\n{}", rows.concat())).unwrap();
    let named: Vec<_> = (0..100).map(|number| format!("u{number}@example.org:word\n")).collect();
    fs::write(&leak, named.concat()).unwrap();
    let mut command = Command::new("bash");
    command
        .args(["-c", "ulimit -f 1; exec \"$0\" assess --accounts \"$1\" --output \"$2\" \"$3\""]);
    command.arg(env!("CARGO_BIN_EXE_countersign")).args([&accounts, &list, &leak]);
    let run: Run = without_settings(&mut command).output().unwrap().into();
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("list.csv cannot be written"), "{}", run.stderr);
    assert!(!list.exists());
}
