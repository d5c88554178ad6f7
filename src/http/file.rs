//! Files that options name, read within bounds.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Maximum size of a file: more than all CAs of a system need. A larger one is a wrong path.
const MAX_BYTES: u64 = 1 << 20;

/// Path of a file that an option names. Shown only if there is such a file, or at least its directory, other than the root: a text
/// that is not a path is often the secret that should be in the file.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePath(PathBuf);

impl FilePath {
    /// Returns the path itself. Must not become part of a message.
    pub fn expose(&self) -> &Path {
        &self.0
    }

    /// Returns the path for people and logs.
    pub fn shown(&self) -> String {
        let has_directory = self.0.parent().is_some_and(|parent| parent.parent().is_some() && parent.is_dir());
        if has_directory || self.0.exists() { self.0.display().to_string() } else { "(no such file)".into() }
    }

    /// Reads the file. A device or a pipe, which may have no end, is an error, and so is a large file.
    ///
    /// # Errors
    /// What is wrong with the file, for people, without any part of its path and its text.
    pub(super) fn read(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let unreadable = |error: io::Error| format!("cannot read the file: {error}");
        let no_file = || "must be a regular file".to_string();
        // Before it is opened, since opening a pipe waits for its other end.
        if !self.0.metadata().map_err(unreadable)?.is_file() {
            return Err(no_file());
        }
        let file = File::open(&self.0).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(no_file());
        }
        // Allocated once, so that no part of the text is left in a smaller buffer.
        let capacity = metadata.len().min(MAX_BYTES) as usize + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(format!("must not be larger than {} MiB", MAX_BYTES >> 20));
        }
        Ok(bytes)
    }
}

impl<T: Into<PathBuf>> From<T> for FilePath {
    fn from(path: T) -> Self {
        Self(path.into())
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_path_is_shown_if_its_directory_exists() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = FilePath::from(directory.path().join("tokn"));
        assert_eq!(path.shown(), directory.path().join("tokn").display().to_string());
        assert_eq!(format!("{:?}", FilePath::from("Cargo.toml")), "Cargo.toml");
        for secret in ["hunter2", "/hunter2", "hunt/er2", "/hunt/er2", "-----BEGIN PRIVATE KEY-----\nhunter2", ""] {
            assert_eq!(format!("{:?}", FilePath::from(secret)), "(no such file)", "{secret}");
        }
    }

    #[test]
    fn a_file_is_read_within_bounds() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = FilePath::from(directory.path().join("file"));
        fs::write(path.expose(), "text\n").expect("written");
        assert_eq!(&**path.read().expect("readable"), b"text\n");
        fs::write(path.expose(), vec![b'x'; 1 << 20]).expect("written");
        assert_eq!(path.read().expect("readable").len(), 1 << 20);
        fs::write(path.expose(), vec![b'x'; (1 << 20) + 1]).expect("written");
        assert_eq!(path.read().expect_err("too large"), "must not be larger than 1 MiB");
        assert_eq!(
            FilePath::from(directory.path().to_path_buf()).read().expect_err("a directory"),
            "must be a regular file"
        );
        let none = FilePath::from(directory.path().join("none")).read().expect_err("no file");
        assert!(none.starts_with("cannot read the file: "), "{none}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_and_a_device_are_not_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is installed");
        assert!(made.success());
        for path in [pipe, "/dev/zero".into()] {
            assert_eq!(FilePath::from(path).read().expect_err("endless"), "must be a regular file");
        }
    }
}
