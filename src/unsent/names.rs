//! Names of a file: `k6-remote-write-<seconds>.unsent`, with another ending while it is written and after it was sent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::http::FilePath;

/// Endings of the names.
pub(super) const UNSENT: &str = ".unsent";
pub(super) const PARTIAL: &str = ".unsent.partial";
pub(super) const PROGRESS: &str = ".progress";
const SENT: &str = ".sent";
const REFUSED: &str = ".refused";

/// Maximum number of files with one name but for a number.
pub(super) const MAX_NAMES: u32 = 1000;

/// Returns a path for people. A text that is not named like a file of unsent samples may be anything, such as a secret.
pub fn shown(path: &Path) -> String {
    let name = path.to_string_lossy();
    let is_named = [PARTIAL, UNSENT, SENT, REFUSED].iter().any(|ending| name.ends_with(ending));
    if is_named && !name.contains("://") { name.into_owned() } else { FilePath::from(path).shown() }
}

/// Reports whether the name says that all of the file was sent.
pub fn was_sent(path: &Path) -> bool {
    path.to_string_lossy().ends_with(SENT)
}

/// Returns the path that a file has after it was sent, if there is one.
pub fn sent_name(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy();
    let to = path.with_file_name(format!("{}{SENT}", name.strip_suffix(UNSENT)?));
    to.exists().then_some(to)
}

/// How the sending of a file has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has accepted all points.
    Sent,
    /// The receiver has refused some points.
    Refused,
}

/// Renames a file that is done to `….sent` or `….refused`, and returns its new path. No other file is replaced.
///
/// # Errors
/// What the system refuses.
pub fn rename(path: &Path, outcome: Outcome) -> io::Result<PathBuf> {
    let ending = match outcome {
        Outcome::Sent => SENT,
        Outcome::Refused => REFUSED,
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let endings = [PARTIAL, UNSENT, SENT, REFUSED];
    let stem = endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let names = (1..MAX_NAMES).map(|number| match number {
        1 => format!("{stem}{ending}"),
        _ => format!("{stem}-{number}{ending}"),
    });
    for name in names {
        let to = path.with_file_name(name);
        if to == path {
            return Ok(to);
        }
        // A hard link fails where the name exists, which a rename would replace. Some file systems have none.
        match fs::hard_link(path, &to) {
            Ok(()) => return fs::remove_file(path).map(|()| to),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) if to.exists() => {}
            Err(_) => return fs::rename(path, &to).map(|()| to),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_done_has_its_outcome_as_ending_and_replaces_no_other() {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, outcome, renamed) in [
            ("a.unsent", Outcome::Sent, "a.sent"),
            ("a.unsent", Outcome::Sent, "a-2.sent"),
            ("a.unsent", Outcome::Refused, "a.refused"),
            ("a.refused", Outcome::Refused, "a.refused"),
            ("b.unsent.partial", Outcome::Sent, "b.sent"),
            ("c.refused", Outcome::Sent, "c.sent"),
            ("other", Outcome::Sent, "other.sent"),
        ] {
            let path = directory.path().join(name);
            fs::write(&path, name).expect("written");
            let to = rename(&path, outcome).expect("renamed");
            assert_eq!(to, directory.path().join(renamed));
            assert_eq!(fs::read_to_string(&to).expect("is there"), name);
        }
        assert!(!directory.path().join("a.unsent").exists());
    }
}
