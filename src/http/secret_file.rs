//! A secret that stands in a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use thiserror::Error;
use zeroize::Zeroizing;

/// No secret is larger. What is has been named by mistake.
const MAX_BYTES: u64 = 64 << 10;

/// Why a file has no secret.
#[derive(Debug, Error)]
#[error("{option}: {} {problem}", path.display())]
pub struct SecretFileError {
    option: &'static str,
    path: PathBuf,
    problem: String,
}

/// What a text means, or the rest of a sentence on what is wrong with it, without any of the text.
type Parse<T> = dyn Fn(&str) -> Result<T, String> + Send + Sync;

/// A file with a secret, read again for every request: whoever changes it, as Kubernetes does, need not tell.
pub(super) struct SecretFile<T> {
    path: PathBuf,
    parse: Box<Parse<T>>,
    last: Mutex<T>,
}

impl<T: Clone> SecretFile<T> {
    /// Reads the file of an option for the first time.
    pub fn open(
        option: &'static str,
        path: &Path,
        parse: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, SecretFileError> {
        let wrong = |problem| SecretFileError { option, path: path.into(), problem };
        let first = read(path).and_then(|text| parse(&text)).map_err(wrong)?;
        Ok(Self { path: path.into(), parse: Box::new(parse), last: Mutex::new(first) })
    }

    /// What the file says now, or what it said last, while it cannot be read: it may be changed in two steps.
    pub fn current(&self) -> T {
        let mut last = self.last.lock();
        if let Ok(now) = read(&self.path).and_then(|text| (self.parse)(&text)) {
            *last = now;
        }
        last.clone()
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    // Before it is opened, as opening a pipe would wait for its other end.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err("is no file: it is read for every request".into());
    }
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(unreadable)?;
    let len = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if len as u64 > MAX_BYTES { Err(format!("is larger than {MAX_BYTES} bytes")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn number(text: &str) -> Result<u32, String> {
        text.trim().parse().map_err(|_| "is no number".into())
    }

    #[test]
    fn the_file_is_read_again_and_its_last_secret_outlives_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
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
    fn what_has_no_secret_is_told_with_option_and_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let problem = |text: Option<&str>| {
            if let Some(text) = text {
                fs::write(&path, text).expect("written");
            }
            let error = SecretFile::open("tokenFile", &path, number).err().expect("wrong").to_string();
            error.strip_prefix(&format!("tokenFile: {} ", path.display())).expect("option and file").to_string()
        };
        assert!(problem(None).starts_with("cannot be read: No such file"));
        assert_eq!(problem(Some("hunter2")), "is no number");
        assert_eq!(problem(Some(&"1".repeat(70_000))), "is larger than 65536 bytes");
        let error = SecretFile::open("tokenFile", folder.path(), number).err().expect("wrong").to_string();
        assert!(error.ends_with("is no file: it is read for every request"), "{error}");
    }
}
