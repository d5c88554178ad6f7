//! Secret in a file.

use parking_lot::Mutex;
use thiserror::Error;
use zeroize::Zeroizing;

use super::file::FilePath;

/// Why a file does not contain a valid secret.
#[derive(Debug, Error)]
#[error("{option}: {}: {problem}", path.shown())]
pub struct SecretFileError {
    option: &'static str,
    path: FilePath,
    problem: String,
}

/// Parses the text of a file. An error must not contain any part of the text.
type Parse<T> = dyn Fn(&str) -> Result<T, String> + Send + Sync;

/// File with a secret, read again for every request, so rotated secrets (e.g. by Kubernetes) are picked up.
pub(super) struct SecretFile<T> {
    path: FilePath,
    parse: Box<Parse<T>>,
    last: Mutex<T>,
}

impl<T: Clone> SecretFile<T> {
    /// Reads the file of `option` for the first time, and returns its mistake, if any.
    pub fn open(
        option: &'static str,
        path: &FilePath,
        parse: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, SecretFileError> {
        let error = |problem| SecretFileError { option, path: path.clone(), problem };
        let first = read(path).and_then(|text| parse(&text)).map_err(error)?;
        Ok(Self { path: path.clone(), parse: Box::new(parse), last: Mutex::new(first) })
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

/// Reads the text of a file.
fn read(path: &FilePath) -> Result<Zeroizing<String>, String> {
    let bytes = path.read()?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "must be text in UTF-8".to_string())?;
    Ok(Zeroizing::new(text.into()))
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
        let file = SecretFile::open("option", &path.clone().into(), number).expect("readable");
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
            let error = SecretFile::open("tokenFile", &path.clone().into(), number).err().expect("wrong").to_string();
            error.strip_prefix(&format!("tokenFile: {}: ", path.display())).expect("option and file").to_string()
        };
        assert!(problem(None).starts_with("cannot read the file: No such file"));
        assert_eq!(problem(Some("hunter2")), "must be a number");
        let secret = SecretFile::open("tokenFile", &"hunter2".into(), number).err().expect("wrong").to_string();
        assert!(secret.starts_with("tokenFile: (no such file): cannot read the file: "), "{secret}");
    }
}
