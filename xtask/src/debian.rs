//! Debian's packages, and those of them that are unpacked into `target/tools/debian`: the tests need
//! a program or a library of theirs. No service starts, and nothing on the host gives way.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::shell::{ChoreResult, command, on_path, output, run, succeeds};

/// What is unpacked.
const UNPACKED: &[Unpacked] = &[
    Unpacked("postfix", "usr/sbin/smtp-sink", || Path::new("/usr/sbin/smtp-sink").exists()),
    Unpacked("libmail-dkim-perl", "usr/share/perl5/Mail/DKIM.pm", || {
        succeeds(&mut command("perl -MMail::DKIM -e 1"))
    }),
    Unpacked("mariadb-server-core", "usr/sbin/mariadbd", || {
        Path::new("/usr/sbin/mariadbd").exists()
    }),
    Unpacked("mariadb-client-core", "usr/bin/mariadb", || on_path("mariadb")),
    Unpacked("slapd", "usr/sbin/slappasswd", || Path::new("/usr/sbin/slappasswd").exists()),
    Unpacked("slapd-contrib", "usr/lib/ldap/pw-sha2.so", || {
        Path::new("/usr/lib/ldap/pw-sha2.so").exists()
    }),
    Unpacked("dovecot-core", "usr/bin/doveadm", || on_path("doveadm")),
    Unpacked("apache2-utils", "usr/bin/htpasswd", || on_path("htpasswd")),
    Unpacked("php-illuminate-auth", "usr/share/php/Illuminate/Auth/autoload.php", has_laravel),
    Unpacked(
        "php-illuminate-database",
        "usr/share/php/Illuminate/Database/autoload.php",
        has_laravel,
    ),
    Unpacked(
        "php-illuminate-hashing",
        "usr/share/php/Illuminate/Hashing/autoload.php",
        has_laravel,
    ),
    Unpacked(
        "php-illuminate-session",
        "usr/share/php/Illuminate/Session/autoload.php",
        has_laravel,
    ),
    Unpacked("php-sqlite3", "usr/share/doc/php-sqlite3/copyright", || {
        succeeds(command("php -r").arg("new PDO('sqlite::memory:');"))
    }),
    Unpacked("ruby-devise", "usr/share/doc/ruby-devise/copyright", has_devise),
    Unpacked("ruby-activerecord", "usr/share/doc/ruby-activerecord/copyright", has_devise),
    Unpacked("ruby-sqlite3", "usr/share/doc/ruby-sqlite3/copyright", has_devise),
];

/// What is unpacked without what it depends on: an application of whose files some are read. Where
/// there is no `apt-get`, the tests that need it say so.
const ALONE: &[(&str, &str)] = &[
    ("wordpress", "usr/share/wordpress/wp-includes/class-phpass.php"),
    ("mediawiki", "usr/share/mediawiki/maintenance/tables-generated.sql"),
    ("mediawiki-classes", "usr/share/mediawiki/includes/libs/mime/defines.php"),
];

/// A package, a file of it, and how to see on a host without `apt-get` that it is there.
struct Unpacked(&'static str, &'static str, fn() -> bool);

/// The names of the packages that are unpacked.
pub(crate) fn unpacked() -> Vec<&'static str> {
    let alone = ALONE.iter().map(|(name, _)| *name);
    needed().into_iter().chain(alone).collect()
}

/// Those that come with what they depend on.
fn needed() -> Vec<&'static str> {
    UNPACKED.iter().map(|Unpacked(name, ..)| *name).collect()
}

/// Unpacks the packages, and whatever they depend on and this host lacks, below a folder.
pub(crate) fn unpack(folder: &Path) -> ChoreResult {
    if !on_path("apt-get") {
        return look_for_them();
    }
    let archives = folder.join("archives");
    if fetch(&archives).is_err() {
        // The host's lists of packages are out of date, or it has none.
        let apt = apt().ok_or_else(|| instruction(&unpacked()))?;
        run(&mut command(&format!("{apt} update -qq")))?;
        fetch(&archives)?;
    }
    unpack_all(&archives, &folder.join("debian"))?;
    Ok(fs::remove_dir_all(archives)?)
}

/// apt-get with nobody to ask and, by the run level, no service started; `None` if we may not.
pub(crate) fn apt() -> Option<String> {
    let sudo = if is_root() { "" } else { "sudo " };
    let allowed = on_path("apt-get") && (is_root() || on_path("sudo"));
    allowed.then(|| format!("{sudo}env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get"))
}

pub(crate) fn instruction(missing: &[&str]) -> String {
    format!(
        "these Debian packages (or your system's equal) are missing, and I may not install them: \
         {}. Install them, then run this again.",
        missing.join(" ")
    )
}

fn look_for_them() -> ChoreResult {
    let missing = UNPACKED.iter().filter(|Unpacked(.., is_there)| !is_there());
    let missing: Vec<_> = missing.map(|Unpacked(name, ..)| *name).collect();
    if missing.is_empty() { Ok(()) } else { Err(instruction(&missing).into()) }
}

fn fetch(archives: &Path) -> ChoreResult {
    remove(archives)?;
    fs::create_dir_all(archives)?;
    let mut download = command("apt-get download -qq");
    run(download.args(missing_packages()?).current_dir(archives))
}

/// The packages and all that apt-get would install with them. It installs nothing here: on a host
/// with another mail server, it would remove that one.
fn missing_packages() -> ChoreResult<BTreeSet<String>> {
    let mut simulation = command("apt-get install --simulate -qq --no-install-recommends");
    let said = output(simulation.args(needed()).env("LC_ALL", "C"))?;
    let new = said.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    Ok(new.chain(unpacked()).map(str::to_owned).collect())
}

/// Tests may be running in the tree that is there, so the new one is made beside it.
fn unpack_all(archives: &Path, tree: &Path) -> ChoreResult {
    let new = tree.with_extension("new");
    remove(&new)?;
    for archive in fs::read_dir(archives)? {
        run(Command::new("dpkg-deb").arg("-x").arg(archive?.path()).arg(&new))?;
    }
    let files = UNPACKED.iter().map(|Unpacked(name, file, _)| (*name, *file));
    for (name, file) in files.chain(ALONE.iter().copied()) {
        if !new.join(file).exists() {
            return Err(format!("the package {name} has no {file}").into());
        }
    }
    remove(tree)?;
    Ok(fs::rename(new, tree)?)
}

pub(crate) fn remove(folder: &Path) -> ChoreResult {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn has_laravel() -> bool {
    Path::new("/usr/share/php/Illuminate/Session/autoload.php").exists()
}

fn has_devise() -> bool {
    let needed = "require 'active_record'; require 'devise'; require 'sqlite3'";
    succeeds(command("ruby -e").arg(needed))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}
