//! Options that are the fields of a JSON object: k6's configuration file, and the script's blocks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::error::{ConfigError, Diagnostics, cut};
use crate::config::options::{OPTIONS, OptionSpec};
use crate::config::parse::names;
use crate::config::setting::Setting;

/// How an object spells its options.
pub struct Spelling {
    /// An option's name here.
    pub name: fn(&OptionSpec) -> &'static str,
    /// What a field's name becomes for people.
    pub place: Box<dyn Fn(&str) -> String>,
}

/// Reads fields by name and value.
pub fn read<'a>(
    fields: impl IntoIterator<Item = (String, &'a Value)>,
    spelling: &Spelling,
    diagnostics: &mut Diagnostics,
) -> Vec<Setting<'a>> {
    let mut settings = Vec::new();
    let mut places: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in fields {
        let place = (spelling.place)(&cut(&name));
        let Some(option) = OPTIONS.iter().find(|option| names::is_spelling_of(&name, (spelling.name)(option))) else {
            diagnostics.errors.push(ConfigError::Unknown { place, advice: advice(&name, spelling.name) });
            continue;
        };
        let Some(one) = Setting::json(option, place.clone(), value) else { continue };
        if let Some(first) = places.insert(option.name, place.clone()) {
            diagnostics.errors.push(ConfigError::Both {
                first,
                second: place,
                what: "are one option in two spellings",
            });
        }
        settings.push(one);
    }
    settings
}

/// What to do about a name that is no option's.
fn advice(name: &str, spelling: fn(&OptionSpec) -> &'static str) -> String {
    match meant(name, spelling) {
        Some(name) => format!("did you mean {name}?"),
        None => names::advice("", name, &OPTIONS.iter().map(spelling).collect::<Vec<_>>()),
    }
}

/// What a name that is no option's may have been meant to be: an option's name from elsewhere, or a near one.
pub fn meant(name: &str, spelling: fn(&OptionSpec) -> &'static str) -> Option<&'static str> {
    let elsewhere = |option: &&OptionSpec| {
        [option.name, option.script_name()].iter().any(|known| names::is_spelling_of(name, known))
            || option.has_variable(name)
            || option.script_name().rsplit('.').next() == Some(name)
    };
    let near = || names::nearest(name, &OPTIONS.iter().map(spelling).collect::<Vec<_>>());
    OPTIONS.iter().find(elsewhere).map(spelling).or_else(near)
}
