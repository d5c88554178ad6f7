//! Secret in a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use thiserror::Error;
use zeroize::Zeroizing;

/// Maximum size of the file. A larger one is not a secret, but a wrong path.
const MAX_BYTES: u64 = 64 << 10;

/// Why a file does not contain a valid secret.
#[derive(Debug, Error)]
#[error("{option}: {}: {problem}", path.display())]
pub struct SecretFileError {
    option: &'static str,
    path: PathBuf,
    problem: String,
}

/// Parses the text of a file. An error must not contain any part of the text.
type Parse<T> = dyn Fn(&str) -> Result<T, String> + Send + Sync;

/// File with a secret, read again for every request, so rotated secrets (e.g. by Kubernetes) are picked up.
pub(super) struct SecretFile<T> {
    path: PathBuf,
    parse: Box<Parse<T>>,
    last: Mutex<T>,
}

impl<T: Clone> SecretFile<T> {
    /// Reads the file of `option` for the first time, and returns its mistake, if any.
    pub fn open(
        option: &'static str,
        path: &Path,
        parse: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, SecretFileError> {
        let error = |problem| SecretFileError { option, path: path.into(), problem };
        let first = read(path).and_then(|text| parse(&text)).map_err(error)?;
        Ok(Self { path: path.into(), parse: Box::new(parse), last: Mutex::new(first) })
    }

    /// Returns the current secret. While the file is not readable or not valid, which it can be while it is replaced, the secret
    /// is the last one.
    pub fn current(&self) -> T {
        let mut last = self.last.lock();
        if let Ok(current) = read(&self.path).and_then(|text| (self.parse)(&text)) {
            *last = current;
        }
        last.clone()
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let unreadable = |error: io::Error| format!("cannot read the file: {error}");
    // Checked before opening, since opening a pipe waits for its other end.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err("must be a regular file: it is read again for every request".into());
    }
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(unreadable)?;
    let len = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if len as u64 > MAX_BYTES { Err(format!("must not be larger than {MAX_BYTES} bytes")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn number(text: &str) -> Result<u32, String> {
        text.trim().parse().map_err(|_| "must be a number".into())
    }

    #[test]
    fn the_file_is_read_again_and_the_last_valid_secret_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        fs::write(&path, "1\n").expect("written");
        let file = SecretFile::open("option", &path, number).expect("readable");
        assert_eq!(file.current(), 1);
        fs::write(&path, "2").expect("written");
        assert_eq!(file.current(), 2);
        fs::write(&path, "").expect("written");
        assert_eq!(file.current(), 2, "half written");
        fs::remove_file(&path).expect("removed");
        assert_eq!(file.current(), 2, "gone");
        fs::write(&path, "3").expect("written");
        assert_eq!(file.current(), 3);
    }

    #[test]
    fn an_error_names_option_and_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        let problem = |text: Option<&str>| {
            if let Some(text) = text {
                fs::write(&path, text).expect("written");
            }
            let error = SecretFile::open("tokenFile", &path, number).err().expect("wrong").to_string();
            error.strip_prefix(&format!("tokenFile: {}: ", path.display())).expect("option and file").to_string()
        };
        assert!(problem(None).starts_with("cannot read the file: No such file"));
        assert_eq!(problem(Some("hunter2")), "must be a number");
        assert_eq!(problem(Some(&"1".repeat(70_000))), "must not be larger than 65536 bytes");
        let error = SecretFile::open("tokenFile", directory.path(), number).err().expect("wrong").to_string();
        assert!(error.ends_with("must be a regular file: it is read again for every request"), "{error}");
    }
}
