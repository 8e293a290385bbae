use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use serde_json::{Value, json};

use crate::harness::{
    Backend, Run, TestInstance, program, program_for_people, run, run_with_input, without_settings,
};

#[test]
fn init_makes_an_instance_and_the_doctor_finds_what_is_wrong_with_it() {
    for backend in Backend::ALL {
        let instance = TestInstance::of_site(backend);
        for file in ["instance.key", "countersign.toml"] {
            let mode = fs::metadata(instance.path(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file} may hold a secret");
        }
        assert_eq!(
            instance.run(&["config", "check"]).json()["schema"],
            "countersign.config_check/1"
        );
        let doctor = instance.run(&["doctor"]);
        let examination: Value = serde_json::from_str(&doctor.stdout).unwrap();
        assert_eq!(bad(&examination), backend.is_bad_at(), "{examination:#}");
        assert_eq!(doctor.code == 0, examination["sound"] == true);
        let looked_at: Vec<_> =
            examination["checks"].as_array().unwrap().iter().map(|check| &check["what"]).collect();
        for thing in ["store", "durability", "clock", "key", "instance", "directory", "write grant"]
        {
            assert!(looked_at.iter().any(|what| **what == thing), "{thing} in {looked_at:?}");
        }
    }
}

/// What the doctor minds.
fn bad(examination: &Value) -> Vec<&str> {
    let checks = examination["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["check"] == "bad")
        .map(|check| check["what"].as_str().unwrap())
        .collect()
}

#[test]
fn init_overwrites_nothing() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let key = fs::read(instance.path("instance.key")).unwrap();
    let folder = instance.path("");
    let again = run(["init", folder.to_str().unwrap()]);
    assert!(again.failure().ends_with("is there already; `init` overwrites nothing"));
    fs::remove_file(instance.path("countersign.toml")).unwrap();
    assert!(run(["init", folder.to_str().unwrap()]).failure().contains("instance.key is there"));
    assert_eq!(fs::read(instance.path("instance.key")).unwrap(), key);
}

#[test]
fn a_store_has_one_instance() {
    let database = Backend::Postgres.store().unwrap();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let init = |folder: &tempfile::TempDir| {
        run(["init", "--store", &database.url, folder.path().to_str().unwrap()])
    };
    let id = init(&first).json()["instance"].as_str().unwrap().to_owned();
    assert!(init(&second).failure().ends_with(&format!("the store holds instance {id} already")));
}

#[test]
fn migrating_twice_changes_nothing() {
    for backend in Backend::ALL {
        let instance = TestInstance::embedded(backend);
        let version = instance.run(&["migrate"]).json();
        assert_eq!(instance.run(&["migrate"]).json(), version);
    }
}

#[test]
fn another_instances_key_opens_nothing() {
    let (ours, other) =
        (TestInstance::embedded(Backend::Sqlite), TestInstance::embedded(Backend::Sqlite));
    fs::copy(other.path("instance.key"), ours.path("instance.key")).unwrap();
    let refused = ours.run(&["leak", "list"]);
    assert!(refused.failure().contains("is not the one of store"), "{}", refused.failure());
    let doctor = ours.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    let examination: Value = serde_json::from_str(&doctor.stdout).unwrap();
    assert_eq!(examination["sound"], false);
}

#[test]
fn the_key_can_come_from_the_environment() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let key = fs::read_to_string(instance.path("instance.key")).unwrap();
    fs::remove_file(instance.path("instance.key")).unwrap();
    assert!(instance.run(&["leak", "list"]).failure().contains("`instance.key_file`"));
    instance.with("COUNTERSIGN_INSTANCE_KEY", &key).run(&["leak", "list"]).json();
}

#[test]
fn the_doctor_minds_a_key_that_others_can_read() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(instance.path("instance.key"), open).unwrap();
    let doctor = instance.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("chmod 600"), "{}", doctor.stdout);
}

#[test]
fn a_bad_configuration_is_told_with_file_key_and_reason() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let file = instance.path("countersign.toml");
    let good = fs::read_to_string(&file).unwrap();
    let check = |change: &str, expected: &[&str]| {
        fs::write(&file, good.replacen("[worker]\n", &format!("{change}\n"), 1)).unwrap();
        let checked = instance.run(&["config", "check"]);
        for part in expected.iter().chain(&["countersign.toml"]) {
            assert!(checked.failure().contains(part), "{part} in {}", checked.failure());
        }
    };
    let postfix = "[postfix]\nhost = 'x'\n[worker]";
    check(postfix, &["`postfix`: no such setting; there are store, instance"]);
    check("[worker]\ncolour = 'blue'", &["`worker.colour`: no such setting"]);
    let no_unit = "`worker.lease`: `long` is no duration: write a number with a unit";
    check("[worker]\nlease = 'long'", &[no_unit]);
    let renamed = "`worker.lease_seconds` is called `worker.lease` now";
    check("[worker]\nlease_seconds = 20", &[renamed]);
    check("[worker]\nlease = '2h'", &["`worker.lease`: it is too long: at most \"1h\""]);
    check("[worker]\nlease = '20s'\nlease = '30s'", &["not valid TOML", "duplicate key"]);
    let unended = "[worker]\n[smtp]\nhost = \"mail.hunter2.example";
    check(unended, &["line ", "not valid TOML"]);
    assert!(!instance.run(&["config", "check"]).failure().contains("hunter2"));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let check = |settings: &[(&'static str, &str)], expected: &str| {
        let mut instance = TestInstance::embedded(Backend::Sqlite);
        for (name, value) in settings {
            instance = instance.with(name, value);
        }
        let checked = instance.run(&["config", "check"]);
        assert!(checked.failure().contains(expected), "{}", checked.failure());
    };
    check(&[("COUNTERSIGN_DIRECTORY_PRESET", "django")], "`directory.url` is not set");
    check(
        &[("COUNTERSIGN_DIRECTORY_TABEL", "users")],
        "COUNTERSIGN_DIRECTORY_TABEL: no such setting",
    );
    let both = [("COUNTERSIGN_DIRECTORY_TABLE", "a"), ("COUNTERSIGN_DIRECTORY_QUERY", "SELECT 1")];
    check(&both, "`directory.table` and `directory.query` are both set");
    check(&[("COUNTERSIGN_DIRECTORY_HASH_PEPPER_FILE", "none")], "`directory.hash.pepper_file`");
    let site = |url: &'static str| {
        [("COUNTERSIGN_DIRECTORY_PRESET", "django"), ("COUNTERSIGN_DIRECTORY_URL", url)]
    };
    check(&site("postgre://u:hunter2@127.0.0.1/db"), "`directory.url` could not be opened");
    check(&site("postgres://u:hunter2@127.0.0.1:port/db"), "is no database address");
    check(&[("COUNTERSIGN_INSTANCE_KEY", "abc")], "64 hexadecimal digits");
}

/// It would be mixed in nowhere, and find nobody.
#[test]
fn a_pepper_that_does_nothing_is_refused() {
    let check = |pepper: &str, forms: &'static str| {
        let instance = TestInstance::of_site(Backend::Sqlite)
            .with("COUNTERSIGN_DIRECTORY_HASH_PEPPER_FILE", "pepper.txt")
            .with("COUNTERSIGN_DIRECTORY_HASH_FORMS", forms);
        fs::write(instance.path("pepper.txt"), pepper).unwrap();
        instance.run(&["config", "check"])
    };
    for empty in ["", "\n", "\r\n"] {
        let said = check(empty, "flask_security");
        assert!(said.failure().contains("pepper.txt is empty: write the"), "{}", said.failure());
    }
    let unused = check("pepper", "x: <hash> := sha256|hex|bcrypt");
    assert!(unused.failure().contains("none of these forms mixes in"), "{}", unused.failure());
    assert_eq!(check("pepper", "x: <hash> := sha256|hex|bcrypt\nflask_security").code, 0);
}

/// Read as plain bcrypt instead, its hashes would find nobody.
#[test]
fn a_form_is_refused_whose_fields_nothing_gives() {
    let form = "ours: <hash> := concat((salt|unhex),_,key)|times(n,(sha1|hex))|bcrypt";
    let keep = |instance: TestInstance, columns: &str| {
        fs::write(instance.path("pepper.txt"), "pepper").unwrap();
        let columns = instance.with("COUNTERSIGN_DIRECTORY_HASH_COLUMNS", columns);
        columns.with("COUNTERSIGN_DIRECTORY_HASH_FORMS", form)
    };
    let refused = |run: &Run, field: &str| {
        let said = run.failure();
        let expected =
            format!("`directory.hash.forms`: the form `ours` needs `{field}`, and nothing");
        assert!(said.contains(&expected), "{said}");
        assert!(said.contains(&format!("`{field} = \"COLUMN\"`")), "{said}");
    };
    let pepper = |instance: TestInstance| {
        instance.with("COUNTERSIGN_DIRECTORY_HASH_PEPPER_FILE", "pepper.txt")
    };
    let salt = "{ salt = \"data.salt\" }";
    let without_key = keep(TestInstance::of_site(Backend::Sqlite), salt);
    assert!(without_key.run(&["config", "check"]).failure().contains("pepper_file"));
    let site = pepper(keep(TestInstance::of_site(Backend::Sqlite), salt));
    refused(&site.run(&["config", "check"]), "n");
    refused(&site.run(&["leak", "list"]), "n");
    let examined = site.run(&["doctor"]);
    let examination: Value = serde_json::from_str(&examined.stdout).unwrap();
    assert!(bad(&examination).contains(&"directory"), "{examination:#}");
    refused(
        &pepper(keep(TestInstance::embedded(Backend::Sqlite), salt)).run(&["config", "check"]),
        "salt",
    );
    let whole = "{ salt = \"data.salt\", n = \"rounds\" }";
    pepper(keep(TestInstance::of_site(Backend::Sqlite), whole)).run(&["config", "check"]).json();
}

#[test]
fn help_teaches() {
    let help = Run::from(program(["--help"]).output().unwrap());
    assert!(help.stdout.contains("countersign assess --accounts users.csv leaked.txt"));
    assert!(help.stdout.contains("once two operators have signed"));
    assert!(help.stdout.contains("Exit codes: 0 done, 1 error, 2 usage, 3 refused by a guard"));
}

#[test]
fn a_shell_can_complete_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(["completions", shell]);
        assert_eq!(script.code, 0, "{}", script.stderr);
        for word in ["assess", "campaign", "completions", "--log-format"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.stdout.contains(word), "{word} for {shell}");
        }
    }
    let script = run(["completions", "bash"]).stdout;
    let checked = run_with_input(Command::new("bash").args(["-n"]), script.as_bytes());
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}

#[test]
fn the_log_has_the_form_and_the_detail_that_were_asked_for() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let log = |arguments: &[&str], filter: Option<&str>| {
        let mut command = instance.command(&[arguments, &["campaign", "list"]].concat());
        match filter {
            Some(filter) => command.env("RUST_LOG", filter),
            None => command.env_remove("RUST_LOG"),
        };
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.json()["schema"], "countersign.campaigns/1");
        run.stderr
    };
    assert_eq!(log(&[], None), "");
    let told = log(&["-v"], None);
    let entry: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&entry["level"], &entry["target"]),
        (&"DEBUG".into(), &"countersign::config".into())
    );
    let text = log(&["-v", "--log-format", "text"], Some("off"));
    assert!(text.contains("DEBUG countersign::config: "), "what is typed wins: {text}");
    assert!(log(&[], Some("countersign=debug")).contains("countersign::config"));
    let made = program(["init", "-v"]).arg(instance.path("another")).output().unwrap();
    assert!(Run::from(made).stderr.contains("\"event\":\"store_made\""));
    let misread = log(&[], Some("countersign=loud"));
    assert!(misread.contains("RUST_LOG is not used"), "{misread}");
}

#[test]
fn tables_of_no_preset_are_shown_with_what_looks_like_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("site.sqlite3").display());
    let made = Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); \
               c.execute('CREATE TABLE members (nr, mail, secret_hash)')",
        ])
        .arg(folder.path().join("site.sqlite3"))
        .status();
    assert!(made.unwrap().success());
    let refused = run(["init", "--directory", &url, folder.path().join("new").to_str().unwrap()]);
    let failure = refused.failure();
    assert!(failure.contains("members (mail, secret_hash)"), "{failure}");
    assert!(failure.contains("--preset generic"), "{failure}");
    assert!(!folder.path().join("new/countersign.toml").exists());
}

/// What stands on a command line everybody on the host can read.
#[test]
fn init_takes_a_password_by_the_environment_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for (option, variable) in
        [("--directory", "COUNTERSIGN_DIRECTORY_URL"), ("--store", "COUNTERSIGN_STORE_URL")]
    {
        for url in [
            "mysql://reader:Hunter2x@db.invalid/site",
            "postgres://db.invalid/site?password=Hunter2x",
        ] {
            let refused = run(["init", option, url, "--rehearsal", path]);
            let failure = refused.failure();
            assert!(failure.contains(option) && failure.contains(variable), "{failure}");
            assert!(!failure.contains("Hunter2x"), "{failure}");
            assert!(!folder.path().join("countersign.toml").exists());
        }
    }
    let mut init = program(["init", "--preset", "wordpress", path]);
    let away = "mysql://reader:Hunter2x@127.0.0.1:9/site";
    let made: Run = init.env("COUNTERSIGN_DIRECTORY_URL", away).output().unwrap().into();
    assert_eq!(made.json()["preset"], "wordpress");
    let config = fs::read_to_string(folder.path().join("countersign.toml")).unwrap();
    assert!(config.contains(away), "{config}");
}

/// Somebody's second blog, or an old copy of the tables.
#[test]
fn init_takes_none_of_several_tables_that_fit_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.sqlite3");
    let url = format!("sqlite:{}", file.display());
    let made = Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1])\n\
             for p in ['wp_', 'wp2_']:\n\
             \x20 c.execute(f'CREATE TABLE {p}users (ID, user_login, user_pass, user_email)')\n\
             \x20 c.execute(f'CREATE TABLE {p}usermeta (user_id, meta_key, meta_value)')\n\
             c.execute('CREATE TABLE users (id, email, encrypted_password)')",
        ])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let folder_of = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let refused = run(["init", "--directory", &url, &folder_of("new")]);
    let failure = refused.failure();
    for choice in [
        "wp2_users (--preset wordpress --prefix wp2_)",
        "wp_users (--preset wordpress)",
        "users (--preset devise)",
    ] {
        assert!(failure.contains(choice), "{choice} in {failure}");
    }
    assert!(!folder.path().join("new/countersign.toml").exists());
    for (prefix, expected) in [(&["--prefix", "wp2_"][..], Some("wp2_")), (&[], None)] {
        let folder = folder_of(expected.unwrap_or("usual"));
        let init = ["init", "--preset", "wordpress", "--directory", &url];
        run([&init, prefix, &[folder.as_str()]].concat()).json();
        let written = fs::read_to_string(format!("{folder}/countersign.toml")).unwrap();
        let written: toml::Table = written.parse().unwrap();
        let found = written["directory"].get("prefix").and_then(toml::Value::as_str);
        assert_eq!(found, expected);
    }
}

/// Devise's second model, and what another program keeps there.
#[test]
fn init_names_the_tables_with_passwords_that_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.sqlite3");
    let url = format!("sqlite:{}", file.display());
    let made = Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1])\n\
             for table in ['users', 'admins']:\n\
             \x20 c.execute(f'CREATE TABLE {table} (id, email, encrypted_password)')\n\
             c.execute('CREATE TABLE pages (id, title, file_hash)')",
        ])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let folder_of = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (preset, name) in [(&[][..], "told"), (&["--preset", "devise"], "named")] {
        let folder = folder_of(name);
        let init = [&["init", "--directory", &url][..], preset, &[folder.as_str()]].concat();
        let made = run(init).json();
        let expected = json!([{"table": "admins", "column": "encrypted_password"}]);
        assert_eq!(made["not_read"], expected, "{made}");
    }
    let text = folder_of("text");
    let init = program_for_people().args(["init", "--directory", &url, &text]).output().unwrap();
    let told = String::from_utf8(init.stdout).unwrap();
    assert!(told.contains("not read: admins (encrypted_password). "), "{told}");
    assert!(told.contains("directory.query"), "{told}");
    // A database that is not there yet is no reason to make no instance, and says that.
    let away = format!("sqlite:{}", folder_of("away.sqlite3"));
    let init = ["init", "--preset", "devise", "--directory", &away, &folder_of("later")];
    assert!(run(init).json()["not_looked_at"].is_string());
}

#[test]
fn the_doctor_says_what_of_a_preset_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.sqlite3");
    fs::File::create(&file).unwrap();
    let (url, new) = (format!("sqlite:{}", file.display()), folder.path().join("new"));
    let new = new.to_str().unwrap();
    run(["init", "--preset", "wordpress", "--directory", &url, new]).json();
    let config = format!("{new}/countersign.toml");
    let doctor = run(["--config", &config, "doctor", "--skip-relay-check"]);
    let missing = "of the preset wordpress, it lacks wp_users, wp_usermeta";
    assert!(doctor.stdout.contains(missing), "{}", doctor.stdout);
}

/// Who may not write into the folder; whoever runs the tests as root becomes nobody.
fn as_nobody(arguments: &[&str]) -> Run {
    let program = program(arguments);
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program.get_program());
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = if is_root { command } else { Command::new(program.get_program()) };
    without_settings(command.args(program.get_args())).output().unwrap().into()
}

#[test]
fn a_wal_file_in_a_folder_that_is_only_read_is_called_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.sqlite3");
    let made = Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); \
               c.execute('PRAGMA journal_mode = wal'); \
               c.execute('CREATE TABLE users (id, email, username, password_hash)'); c.commit()",
        ])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let config = folder.path().join("countersign.toml");
    let leak = folder.path().join("leak.txt");
    fs::write(&leak, "ana@example.org:x\n").unwrap();
    for (suffix, expected) in [("", "add `?immutable=true`"), ("?immutable=true", "")] {
        let url = format!("sqlite:{}{suffix}", file.display());
        fs::write(&config, format!("[directory]\npreset = 'generic'\nurl = '{url}'\n")).unwrap();
        let set = |path: &Path, bits| {
            fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
        };
        for file in [&file, &config, &leak] {
            set(file, 0o444);
        }
        set(folder.path(), 0o555);
        let [config, leak] = [&config, &leak].map(|path| path.to_str().unwrap());
        let assessed = as_nobody(&["--config", config, "assess", "--directory", leak]);
        set(folder.path(), 0o755);
        set(Path::new(config), 0o644);
        assert!(assessed.stderr.contains(expected), "{}", assessed.stderr);
        assert_eq!(assessed.code, i32::from(suffix.is_empty()), "{}", assessed.stderr);
    }
}
