//! The environment: `K6_PROMETHEUS_RW_*`, as k6's own output has it.

use super::Document;
use crate::config::error::{Diagnostics, Source};
use crate::config::options::options;
use crate::config::parse::{headers, names};
use crate::config::setting::Setting;
use crate::config::spec::{OptionSpec, PREFIX, Role};

/// The beginning of a variable that holds one header; the header's name follows.
const HEADER_PREFIX: &str = "K6_PROMETHEUS_RW_HEADERS_";

pub fn read<'a>(document: &'a Document, diagnostics: &mut Diagnostics) -> Vec<Setting<'a>> {
    let mut settings = Vec::new();
    for (variable, value) in document.environment.iter().filter(|(variable, _)| variable.starts_with(PREFIX)) {
        let option = options().find(|option| option.variables().any(|known| known == *variable));
        if value.is_empty() && !option.is_some_and(OptionSpec::accepts_empty) {
            continue;
        }
        let source = Source::new(variable, "environment");
        if let Some(option) = option {
            settings.push(Setting::text(option, source, value));
        } else if let Some(name) = variable.strip_prefix(HEADER_PREFIX) {
            let headers = options().filter(|option| option.role == Some(Role::Headers));
            settings.extend(headers.map(|option| Setting::text(option, source.clone(), headers::as_text(name, value))));
        } else {
            let known: Vec<_> = options().map(OptionSpec::variable).collect();
            let known: Vec<_> = known.iter().filter_map(|known| known.strip_prefix(PREFIX)).collect();
            let advice = names::advice(PREFIX, &variable[PREFIX.len()..], &known);
            diagnostics.warn(format!("Ignoring unknown environment variable {variable}; {advice}"));
        }
    }
    settings
}
