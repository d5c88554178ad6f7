//! The environment: `K6_PROMETHEUS_RW_*`, as k6's own output has it.

use super::Document;
use crate::config::error::Diagnostics;
use crate::config::options::{HEADERS, OPTIONS, OptionSpec};
use crate::config::parse::{headers, names};
use crate::config::setting::Setting;

/// What every variable of this output, and of k6's own, begins with.
const PREFIX: &str = "K6_PROMETHEUS_RW_";

/// What the variable of one header begins with; the header's name follows.
const HEADER_PREFIX: &str = "K6_PROMETHEUS_RW_HEADERS_";

pub fn read<'a>(document: &'a Document, diagnostics: &mut Diagnostics) -> Vec<Setting<'a>> {
    let mut settings = Vec::new();
    for (variable, value) in &document.environment {
        let option = OPTIONS.iter().find(|option| option.has_variable(variable));
        if value.is_empty() && !option.is_some_and(OptionSpec::takes_nothing) {
            continue;
        }
        let place = format!("{variable} (environment)");
        if let Some(option) = option {
            settings.push(Setting::text(option, place, value));
        } else if let Some(name) = variable.strip_prefix(HEADER_PREFIX) {
            let headers = OPTIONS.iter().filter(|option| option.name == HEADERS);
            settings.extend(headers.map(|option| Setting::text(option, place.clone(), headers::as_text(name, value))));
        } else if let Some(name) = variable.strip_prefix(PREFIX) {
            let known: Vec<_> = OPTIONS.iter().filter_map(|option| option.variable.strip_prefix(PREFIX)).collect();
            let advice = names::advice(PREFIX, name, &known);
            diagnostics.warnings.push(format!("The environment variable {variable} has no effect; {advice}"));
        }
    }
    settings
}
