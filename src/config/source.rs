//! Where options come from, and how each source is read.

use serde_json::Value;

use super::error::ConfigError;
use super::option::{self, OPTIONS, OptionSpec};
use super::{Destination, Document, Findings};

/// What every variable of this output, and of k6's own, begins with.
const VARIABLE_PREFIX: &str = "K6_PROMETHEUS_RW_";

/// A place where a user writes options.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// k6's configuration file.
    Json,
    Environment,
    /// The argument of `--out`.
    Argument,
}

impl Source {
    /// Puts what this source says into `to`, and what is wrong with it into `findings`.
    pub(super) fn apply(self, document: &Document, to: &mut Destination, findings: &mut Findings) {
        match self {
            Self::Json => apply_json(document, to, findings),
            Self::Environment => apply_environment(document, to, findings),
            Self::Argument => {
                let text = document.argument.trim();
                if !text.is_empty() {
                    set(&OPTIONS[0], "the argument of --out".into(), text, to, findings);
                }
            }
        }
    }
}

fn apply_json(document: &Document, to: &mut Destination, findings: &mut Findings) {
    let path = |name: &str| format!("collectors.\"remote-write\".{name} (JSON)");
    let Some(json) = &document.json else { return };
    for (name, value) in json {
        let Some(option) = option::by_name(name) else {
            let allowed = OPTIONS.iter().map(|option| option.name).collect::<Vec<_>>().join(", ");
            findings.errors.push(ConfigError::Unknown { source_name: path(name), allowed });
            continue;
        };
        match value {
            // As if it had not been written, as everywhere in k6.
            Value::Null => {}
            Value::String(text) => set(option, path(name), text, to, findings),
            // A number, `true` or `false` reads like its text; no option takes an array or an object.
            other => set_shown(option, path(name), &other.to_string(), other.to_string(), to, findings),
        }
    }
    let set_here = |name: &str| json.get(name).is_some_and(|value| !value.is_null());
    if set_here(option::RESAMPLE_RATE) && set_here(option::PUSH_INTERVAL) {
        findings
            .errors
            .push(ConfigError::Both { first: path(option::RESAMPLE_RATE), second: path(option::PUSH_INTERVAL) });
    }
}

fn apply_environment(document: &Document, to: &mut Destination, findings: &mut Findings) {
    let mut rates = Vec::new();
    for (variable, value) in &document.environment {
        let Some(option) = OPTIONS.iter().find(|option| option.variable == variable) else {
            if variable.starts_with(VARIABLE_PREFIX) {
                let known = OPTIONS.iter().map(|option| option.variable).collect::<Vec<_>>().join(", ");
                findings
                    .warnings
                    .push(format!("The environment variable {variable} has no effect: this version reads {known}"));
            }
            continue;
        };
        set(option, format!("{variable} (environment)"), value, to, findings);
        if matches!(option.name, option::RESAMPLE_RATE | option::PUSH_INTERVAL) {
            rates.push(format!("{variable} (environment)"));
        }
    }
    if let [first, second] = &rates[..] {
        findings.errors.push(ConfigError::Both { first: first.clone(), second: second.clone() });
    }
}

fn set(option: &'static OptionSpec, source: String, text: &str, to: &mut Destination, findings: &mut Findings) {
    set_shown(option, source, text, format!("{:?}", without_password(text)), to, findings);
}

fn set_shown(
    option: &'static OptionSpec,
    source_name: String,
    text: &str,
    value: String,
    to: &mut Destination,
    findings: &mut Findings,
) {
    if (option.set)(to, text).is_none() {
        findings.errors.push(ConfigError::Value { option: option.name, source_name, value, allowed: option.allowed });
    }
}

/// What stands between `//` and the last `@` before the path is a URL's user and password, also of one that does not parse.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("//") else { return text.into() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}//***{}", &rest[user.len()..]),
        None => text.into(),
    }
}
