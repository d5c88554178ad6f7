//! Options that are the fields of a JSON object: k6's configuration file, and the script's blocks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::other_names::options_meant_by;
use crate::config::error::{ConfigError, Diagnostics, Source};
use crate::config::options::options;
use crate::config::parse::names;
use crate::config::setting::Setting;
use crate::config::spec::OptionSpec;

/// Returns the name of an option in an object of one kind.
pub type NameOf = fn(&OptionSpec) -> &'static str;

/// Reads the fields of the object at `source` by name and value.
pub fn read<'a>(
    fields: impl IntoIterator<Item = (String, &'a Value)>,
    source: &Source,
    name_of: NameOf,
    diagnostics: &mut Diagnostics,
) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut sources: BTreeMap<&str, Source> = BTreeMap::new();
    for (name, value) in fields {
        let Some(option) = options().find(|option| names::is_spelling_of(&name, name_of(option))) else {
            diagnostics.unknown("option", &name, source, || names::did_you_mean(&meant(&name, name_of)));
            continue;
        };
        let Some(setting) = Setting::json(option, source.field(&name), value) else { continue };
        let second = setting.source.clone();
        if let Some(first) = sources.insert(option.name, second.clone()) {
            diagnostics.errors.push(ConfigError::Duplicate { first, second });
        }
        settings.push(setting);
    }
    settings
}

/// Returns the options that an unknown name may be meant to be.
pub fn meant(name: &str, name_of: NameOf) -> Vec<&'static str> {
    options_meant_by(name).into_iter().map(name_of).collect()
}
