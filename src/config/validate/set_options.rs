//! Which settings hold, after sources of a higher precedence have replaced others.

use crate::config::destination::Destination;
use crate::config::options::options;
use crate::config::set_options::SetOptions;
use crate::config::setting::Setting;
use crate::config::spec::{OptionSpec, Role};

/// Returns the options of a destination that has been read from `settings`, the lowest precedence first.
pub fn read(settings: &[Setting], destination: &mut Destination) -> SetOptions {
    let mut set_options = SetOptions::default();
    for option in options() {
        if option.role == Some(Role::Headers) {
            add_headers(option, settings, destination, &mut set_options);
        } else if let Some(last) = last_of(option, settings) {
            set_options.add(option.name, last.shown_in(destination), last.source.to_string());
        }
    }
    set_options
}

/// Returns the setting of an option that holds. Another option may set the same thing in a source of a higher precedence.
fn last_of<'a>(option: &OptionSpec, settings: &'a [Setting]) -> Option<&'a Setting> {
    let exclusive = option.role.filter(|role| Role::EXCLUSIVE.contains(role));
    let sets_same =
        |other: &&Setting| other.option.name == option.name || exclusive.is_some() && other.option.role == exclusive;
    settings.iter().rfind(sets_same).filter(|last| last.option.name == option.name)
}

/// Headers of all sources come together: adds the names of those that are sent, and all sources.
fn add_headers(option: &OptionSpec, settings: &[Setting], destination: &Destination, to: &mut SetOptions) {
    let of_option = settings.iter().filter(|setting| setting.option.name == option.name);
    let sources: Vec<_> = of_option.map(|setting| setting.source.to_string()).collect();
    let names: Vec<_> = destination.endpoint.headers.iter().map(|(name, _)| &**name).collect();
    if !names.is_empty() {
        to.add(option.name, names.join(", "), sources.join(", "));
    }
}
