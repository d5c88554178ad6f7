//! The directory in which files of unsent samples are written.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// Checks that a file can be created in `directory`, by creating one and removing it.
///
/// # Errors
/// What the system refuses.
pub fn check(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".k6-remote-write-{:016x}.check", fastrand::u64(..)));
    let created = new_file_options().open(&path);
    created.and_then(|file| {
        drop(file);
        fs::remove_file(&path)
    })
}

/// Options that create a file which only its owner can read.
pub(super) fn new_file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the names in a directory durable, where the system supports it.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_checked_without_a_trace() {
        let directory = tempfile::tempdir().expect("a directory");
        check(directory.path()).expect("writable");
        assert_eq!(fs::read_dir(directory.path()).expect("readable").count(), 0);
        assert!(check(&directory.path().join("missing")).is_err());
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        assert!(check(&file).is_err());
    }
}
