//! Errors and warnings of a configuration, as the user reads them.

use std::fmt;

use thiserror::Error;

use crate::secret::MASK;
use crate::text;

/// One mistake. (A field that is spelled `r#source` is not the cause of an error, which thiserror would expect.)
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value that its option does not accept.
    #[error("invalid {option} {value} in {source}: {expected}")]
    InvalidValue {
        /// The option's name in JSON.
        option: &'static str,
        /// The value as it was written, without secrets.
        value: String,
        /// Where the value was written.
        r#source: Source,
        /// `must be …`, or `did you mean …?`.
        expected: String,
    },
    /// A name that is not an option.
    #[error("unknown {kind} {name:?} in {source}: {advice}")]
    Unknown {
        /// `option`, or `field`.
        kind: &'static str,
        /// The name as it was written.
        name: String,
        /// What has this name in it.
        r#source: Source,
        /// The nearest name, or all names.
        advice: String,
    },
    /// Two options of which only one may be set.
    #[error("{first} and {second} are mutually exclusive; set only one")]
    MutuallyExclusive {
        /// Where one was written.
        first: Source,
        /// Where the other was written.
        second: Source,
    },
    /// One option in two spellings.
    #[error("{first} and {second} are the same option; set only one")]
    Duplicate {
        /// Where one was written.
        first: Source,
        /// Where the other was written.
        second: Source,
    },
    /// A part of the document, or several options together, that are not valid.
    #[error("{source}: {message}")]
    Invalid {
        /// Where it was written.
        r#source: Source,
        /// A whole message.
        message: String,
    },
    /// A name that is ignored, from which another error may follow.
    #[error("{0}")]
    IgnoredName(String),
    /// A second output without a destination.
    #[error(
        "more than one --out remote-write without a URL: another output already sends to the script's apm blocks; set a URL, or remove it"
    )]
    NoDestination,
}

/// Where a value was written, such as `collectors."remote-write".timeout (JSON)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    path: String,
    /// `JSON`, `environment` or `script`; empty for the argument of `--out`.
    medium: &'static str,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, medium: &'static str) -> Self {
        Self { path: path.into(), medium }
    }

    /// A part of it, such as `[0]` or `.name`.
    pub(super) fn part(&self, suffix: &str) -> Self {
        Self { path: format!("{}{}", self.path, cut(suffix)), medium: self.medium }
    }

    /// A field of it.
    pub(super) fn field(&self, name: &str) -> Self {
        self.part(&format!(".{}", shown_name(name)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.medium {
            "" => f.write_str(&self.path),
            medium => write!(f, "{} ({medium})", self.path),
        }
    }
}

/// All mistakes of a configuration; at least one.
#[derive(Debug, Error, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// The size of a message at the C boundary (`K6RW_ERROR_SIZE`), less what begins and ends it.
const MAX_BYTES: usize = 3900;

/// The length at which values are cut.
const MAX_VALUE_CHARS: usize = 200;

impl fmt::Display for ConfigErrors {
    /// Lists errors line by line, as k6 does; where the message is full, the number of the others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid configuration:")?;
        let begin = if self.0.len() > 1 { "\n\t- " } else { " " };
        let mut bytes = 0;
        for (index, error) in self.0.iter().enumerate() {
            let error = error.to_string();
            bytes += begin.len() + error.len();
            if index > 0 && bytes > MAX_BYTES {
                return write!(f, "{begin}and {} more", self.0.len() - index);
            }
            write!(f, "{begin}{error}")?;
        }
        Ok(())
    }
}

/// The number of unknown names of which each is reported with the name that may be meant. It bounds the search for those.
const MAX_UNKNOWN: usize = 20;

/// The advice about an unknown name where none is similar.
pub(super) const NO_SIMILAR: &str = "the documentation lists all options";

/// Errors and warnings found while sources are read.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    pub errors: Vec<ConfigError>,
    pub warnings: Vec<String>,
    /// Warnings about names that are ignored. They are reported with errors too, which may follow from them.
    ignored_names: Vec<String>,
    unknown: usize,
}

impl Diagnostics {
    /// Reports a name that is not an option, with advice for the first of them.
    pub fn unknown(&mut self, kind: &'static str, name: &str, source: &Source, advice: impl FnOnce() -> String) {
        self.unknown += 1;
        let advice = if self.unknown <= MAX_UNKNOWN { advice() } else { NO_SIMILAR.into() };
        self.errors.push(ConfigError::Unknown { kind, name: shown_name(name), source: source.clone(), advice });
    }

    /// Reports a name that is ignored, unless many have been reported.
    pub fn ignored(&mut self, warning: String) {
        match self.ignored_names.len() {
            MAX_UNKNOWN => self.ignored_names.push("Ignoring more environment variables that are not options".into()),
            reported if reported < MAX_UNKNOWN => self.ignored_names.push(warning),
            _ => {}
        }
    }

    /// Whether names that are ignored are still reported one by one.
    pub fn advises(&self) -> bool {
        self.ignored_names.len() <= MAX_UNKNOWN
    }

    /// Adds what other diagnostics have.
    pub fn append(&mut self, mut other: Self) {
        self.errors.append(&mut other.errors);
        self.warnings.append(&mut other.warnings);
        self.ignored_names.append(&mut other.ignored_names);
    }

    /// Returns the warnings, or the errors.
    pub fn into_result(mut self) -> Result<Vec<String>, ConfigErrors> {
        if self.errors.is_empty() {
            self.ignored_names.append(&mut self.warnings);
            return Ok(self.ignored_names);
        }
        self.errors.extend(self.ignored_names.into_iter().map(ConfigError::IgnoredName));
        Err(ConfigErrors(self.errors))
    }

    pub fn invalid(&mut self, source: Source, message: impl Into<String>) {
        self.errors.push(ConfigError::Invalid { source, message: message.into() });
    }

    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }
}

/// Cuts a long value, which would hide the rest of its message.
pub(super) fn cut(value: &str) -> String {
    text::truncate(value, MAX_VALUE_CHARS)
}

/// A name as it was written, unless it has characters that no name has: then it may be a value in the wrong place.
pub(crate) fn shown_name(name: &str) -> String {
    let is_name = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_name { cut(name) } else { MASK.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_the_size_of_a_message_are_counted() {
        let one = || ConfigError::Invalid { source: Source::new("x".repeat(1000), ""), message: "is wrong".into() };
        let errors = ConfigErrors((0..10).map(|_| one()).collect()).to_string();
        assert!(errors.len() < 4095 && errors.ends_with(": is wrong\n\t- and 7 more"), "{errors}");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ä".repeat(500)), format!("{}…", "ä".repeat(200)));
    }

    #[test]
    fn a_source_names_its_medium_last() {
        let source = Source::new("a", "JSON").field("b").part("[0]");
        assert_eq!(source.to_string(), "a.b[0] (JSON)");
        assert_eq!(Source::new("the argument of --out", "").to_string(), "the argument of --out");
    }
}
