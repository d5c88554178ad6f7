//! The options of a destination that are set, with their values and sources, for people.

use std::fmt;

/// An option that is set. Displayed as `timeout=10s from K6_PROMETHEUS_RW_TIMEOUT (environment)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOption {
    /// The option's name in JSON.
    pub name: &'static str,
    /// The value as it was written, cut if it is long. `***` for a secret; of headers the names alone.
    pub value: String,
    /// Where it was written.
    pub source: String,
}

impl fmt::Display for SetOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} from {}", self.name, self.value, self.source)
    }
}

/// The options of a destination that are set; all others have their defaults. Destinations are equal wherever their options
/// were written.
#[derive(Debug, Clone, Default)]
pub struct SetOptions(Vec<SetOption>);

impl PartialEq for SetOptions {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl SetOptions {
    /// The options in the order of the documentation, then those that something else than an option set, such as `AWS_REGION`.
    pub fn iter(&self) -> impl Iterator<Item = &SetOption> {
        self.0.iter()
    }

    /// Where the URL was written.
    pub fn url_source(&self) -> &str {
        self.iter().find(|set| set.name == "url").map_or("the default URL", |set| &set.source)
    }

    /// Adds an option.
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<String>, source: impl Into<String>) {
        self.0.push(SetOption { name, value: value.into(), source: source.into() });
    }
}
