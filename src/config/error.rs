//! A mistake in the configuration, as its user should hear of it.

use std::fmt;

use thiserror::Error;

/// One mistake.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A value that its option does not take.
    #[error("{option} in {source_name} is {value}; allowed is {allowed}")]
    Value {
        /// The option's name in JSON.
        option: &'static str,
        /// Where the value was written.
        source_name: String,
        /// The value as it was written, without secrets.
        value: String,
        /// What the option takes.
        allowed: &'static str,
    },
    /// A name that is no option's.
    #[error("{source_name} is no option; allowed are {allowed}")]
    Unknown {
        /// Where it was written.
        source_name: String,
        /// The names of all options.
        allowed: String,
    },
    /// Two options that say the same.
    #[error("{first} and {second} both set the length of a window; set one of them")]
    Both {
        /// Where the one was written.
        first: String,
        /// Where the other was written.
        second: String,
    },
}

/// All mistakes of a configuration; at least one.
#[derive(Debug, Error, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid configuration: ")?;
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}
