//! Where a secret comes from: an option, or a file that may change.

use super::file::FilePath;
use super::secret_file::{SecretFile, SecretFileError};
use crate::secret::Secret;

/// Source of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret itself.
    Inline(Secret),
    /// A file, which is read again for every request.
    File(FilePath),
}

impl<T: Into<Secret>> From<T> for SecretSource {
    fn from(text: T) -> Self {
        Self::Inline(text.into())
    }
}

/// Secret whose source was readable at least once.
pub(super) enum LoadedSecret {
    Inline(Secret),
    File(SecretFile<Secret>),
}

impl LoadedSecret {
    /// Reports whether it may change.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Reads the secret for the first time. `option` is the one that names the file.
    pub fn open(option: &'static str, source: &SecretSource) -> Result<Self, SecretFileError> {
        Ok(match source {
            SecretSource::Inline(text) => Self::Inline(text.clone()),
            SecretSource::File(path) => Self::File(SecretFile::open(option, path, parse_secret)?),
        })
    }

    /// Returns the secret as its source has it now.
    pub fn current(&self) -> Secret {
        match self {
            Self::Inline(text) => text.clone(),
            Self::File(file) => file.current(),
        }
    }
}

/// Parses the text of a secret's file: one line, without the line break that editors add.
fn parse_secret(text: &str) -> Result<Secret, String> {
    match text.trim() {
        "" => Err("must not be empty".into()),
        text if text.contains(char::is_control) => Err("must be a single line".into()),
        text => Ok(text.into()),
    }
}
