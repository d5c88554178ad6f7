//! What the rules see of a destination, and where they report what they find.

use crate::config::error::{ConfigError, Diagnostics};
use crate::config::setting::Setting;

/// What is found while a destination is checked.
pub struct Check<'a> {
    pub settings: &'a [Setting<'a>],
    /// Where the destination comes from, if no single option does.
    pub place: &'a str,
    pub diagnostics: &'a mut Diagnostics,
}

impl Check<'_> {
    /// The last option of these that was written.
    pub fn last_of(&self, names: &[&str]) -> Option<&Setting<'_>> {
        self.settings.iter().rev().find(|one| names.contains(&one.option.name))
    }

    /// Where it was written.
    pub fn place_of(&self, names: &[&str]) -> String {
        self.last_of(names).map_or_else(|| self.place.to_string(), |one| one.place.clone())
    }

    /// What is wrong with options together; the rest of a sentence.
    pub fn wrong(&mut self, problem: impl Into<String>) {
        self.diagnostics.errors.push(ConfigError::Wrong { place: self.place.into(), problem: problem.into() });
    }

    /// What is wrong with one of these options.
    pub fn wrong_in(&mut self, names: &[&str], problem: &str) {
        let place = self.place_of(names);
        self.diagnostics.errors.push(ConfigError::Wrong { place, problem: problem.into() });
    }

    /// Two options that exclude each other.
    pub fn both(&mut self, first: String, second: String, what: &'static str) {
        self.diagnostics.errors.push(ConfigError::Both { first, second, what });
    }

    /// What the user should know but need not change.
    pub fn warn(&mut self, warning: String) {
        self.diagnostics.warnings.push(warning);
    }
}
