//! The settings of a destination while it is checked, and where the rules report.

use crate::config::error::{ConfigError, Diagnostics, Source};
use crate::config::setting::Setting;
use crate::config::spec::Role;

/// A destination's settings, and what is found while it is checked.
pub struct Check<'a> {
    pub settings: &'a [Setting],
    /// Where the destination was written, for errors that are not about a single option.
    pub source: &'a Source,
    pub diagnostics: &'a mut Diagnostics,
}

impl Check<'_> {
    /// Returns where the last option of these roles was written.
    pub fn last_of(&self, roles: &[Role]) -> Option<Source> {
        let has_role = |setting: &&Setting| setting.option.role.is_some_and(|role| roles.contains(&role));
        self.settings.iter().rev().find(has_role).map(|setting| setting.source.clone())
    }

    /// Returns where the last option of this name was written.
    pub fn last_named(&self, name: &str) -> Option<Source> {
        let last = self.settings.iter().rfind(|setting| setting.option.name == name);
        last.map(|setting| setting.source.clone())
    }

    /// Returns where the last option of this role was written, or the destination.
    pub fn source_of(&self, role: Role) -> Source {
        self.last_of(&[role]).unwrap_or_else(|| self.source.clone())
    }

    /// Reports whether the value of this option was found not to be valid.
    pub fn has_invalid(&self, name: &str) -> bool {
        let is_of = |error: &ConfigError| matches!(error, ConfigError::InvalidValue { option, .. } if *option == name);
        self.diagnostics.errors.iter().any(is_of)
    }

    /// Reports options that are not valid together.
    pub fn invalid(&mut self, message: &str) {
        self.diagnostics.invalid(self.source.clone(), message);
    }

    /// Reports an option of this role.
    pub fn invalid_in(&mut self, role: Role, message: &str) {
        self.diagnostics.invalid(self.source_of(role), message);
    }

    /// Reports two options that exclude each other.
    pub fn exclusive(&mut self, first: Source, second: Source) {
        self.diagnostics.errors.push(ConfigError::MutuallyExclusive { first, second });
    }

    /// Reports what the user should know but need not change.
    pub fn warn(&mut self, warning: String) {
        self.diagnostics.warn(warning);
    }
}
