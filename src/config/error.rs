//! A mistake in the configuration, as its user should hear of it.

use std::fmt;

use thiserror::Error;

use crate::text;

/// One mistake.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A value that its option does not take.
    #[error("{option} in {place} is {value}; allowed is {allowed}")]
    Value {
        /// The option's name in JSON.
        option: &'static str,
        /// Where the value was written.
        place: String,
        /// The value as it was written, without secrets.
        value: String,
        /// What the option takes.
        allowed: String,
    },
    /// A name that is no option's.
    #[error("{place} is no option; {advice}")]
    Unknown {
        /// Where it was written.
        place: String,
        /// The nearest name, or all names.
        advice: String,
    },
    /// Two options that say the same.
    #[error("{first} and {second} {what}; set one of them")]
    Both {
        /// Where the one was written.
        first: String,
        /// Where the other was written.
        second: String,
        /// What they have in common.
        what: &'static str,
    },
    /// What is wrong with a part of a value, or with several options together.
    #[error("{place} {problem}")]
    Wrong {
        /// Where it was written.
        place: String,
        /// The rest of the sentence.
        problem: String,
    },
}

/// All mistakes of a configuration; at least one.
#[derive(Debug, Error, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// A message has room for so many bytes at the boundary (`K6RW_ERROR_SIZE`), less what begins and ends it.
const MAX_BYTES: usize = 3900;

/// How much of a value is shown.
const MAX_VALUE_CHARS: usize = 200;

impl fmt::Display for ConfigErrors {
    /// All of them, each on a line of its own, as k6 has lists of errors; where the room ends, how many more there are.
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

/// What reading a source found beside values.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    pub errors: Vec<ConfigError>,
    pub warnings: Vec<String>,
}

/// A value's beginning: none may be so long that it hides what is said of it.
pub(super) fn cut(value: &str) -> String {
    text::truncate(value, MAX_VALUE_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_counted() {
        let one = || ConfigError::Wrong { place: "x".repeat(1000), problem: "is wrong".into() };
        let errors = ConfigErrors((0..10).map(|_| one()).collect()).to_string();
        assert!(errors.len() < 4095 && errors.ends_with(" is wrong\n\t- and 7 more"), "{errors}");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ä".repeat(500)), format!("{}…", "ä".repeat(200)));
    }
}
