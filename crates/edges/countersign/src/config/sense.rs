use store::limits::LEASE_MAX;

use super::settings::Settings;

/// Each piece is some rows of the store: with fewer bytes they would be more than the leak.
const PIECE_BYTES_MIN: u64 = 256;

/// A setting that makes no sense, by itself or beside the others.
pub(super) struct Nonsense {
    pub(super) key: &'static str,
    pub(super) reason: String,
}

/// Finds what each value alone does not show.
pub(super) fn check(settings: &Settings) -> Result<(), Nonsense> {
    check_pieces(settings)?;
    check_lease(settings)?;
    check_written(settings)?;
    check_pepper(settings)
}

fn check_pieces(settings: &Settings) -> Result<(), Nonsense> {
    let found = settings.worker.piece_bytes;
    if found >= PIECE_BYTES_MIN {
        return Ok(());
    }
    let reason = format!("{found} is too few: at least {PIECE_BYTES_MIN}");
    Err(Nonsense { key: "worker.piece_bytes", reason })
}

/// A longer one is taken for somebody else's work, and ended.
fn check_lease(settings: &Settings) -> Result<(), Nonsense> {
    if settings.worker.lease.get() <= LEASE_MAX {
        return Ok(());
    }
    let reason = "it is too long: at most \"1h\"".to_owned();
    Err(Nonsense { key: "worker.lease", reason })
}

fn check_written(settings: &Settings) -> Result<(), Nonsense> {
    let write = &settings.directory.write;
    let (key, reason) = match (&write.table, &write.id, &write.condition) {
        (Some(_), None, _) => ("directory.write.id", "it is not set: name the column of the id"),
        (None, Some(_), _) | (None, _, Some(_)) => {
            ("directory.write.table", "it is not set: name the table whose hashes are replaced")
        }
        _ => return Ok(()),
    };
    Err(Nonsense { key, reason: reason.to_owned() })
}

/// A pepper that is forgotten finds nobody, and looks as if nobody were exposed.
fn check_pepper(settings: &Settings) -> Result<(), Nonsense> {
    let hash = &settings.directory.hash;
    if hash.pepper_mode.is_some() && hash.forms.is_some() {
        let reason = "`directory.hash.forms` says already where the pepper goes: keep one of both";
        return Err(Nonsense { key: "directory.hash.pepper_mode", reason: reason.to_owned() });
    }
    let key = match (&hash.pepper_file, hash.pepper_mode, &hash.older_pepper_files) {
        (None, Some(_), _) => "directory.hash.pepper_mode",
        (None, None, Some(_)) => "directory.hash.older_pepper_files",
        _ => return Ok(()),
    };
    let reason = "there is no pepper to mix in: set `directory.hash.pepper_file` as well";
    Err(Nonsense { key, reason: reason.to_owned() })
}
