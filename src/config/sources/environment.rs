//! The environment: `K6_PROMETHEUS_RW_*`, as k6's own output has it.

use super::Document;
use super::other_names::{Predecessor, options_meant_by, predecessor};
use crate::config::error::{Diagnostics, Source, cut};
use crate::config::options::options;
use crate::config::parse::{headers, names};
use crate::config::setting::Setting;
use crate::config::spec::{OptionSpec, PREFIX, Role};
use crate::secret::Secret;

/// The beginning of a variable that holds one header; the header's name follows.
const HEADER_PREFIX: &str = "K6_PROMETHEUS_RW_HEADERS_";

/// What the environment has for this output.
#[derive(Default)]
pub struct Environment {
    pub settings: Vec<Setting>,
    ignored_urls: Vec<Ignored>,
}

/// A variable that is not read.
struct Ignored {
    variable: String,
    /// Begins the warning.
    kind: &'static str,
    advice: String,
}

pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Environment {
    let mut read = Environment::default();
    for (variable, value) in &document.environment {
        if variable.starts_with(PREFIX) {
            read.variable(variable, value, diagnostics);
        } else if let Some(predecessor) = predecessor(variable).filter(|_| !value.is_empty()) {
            read.predecessor(variable, &predecessor, document, diagnostics);
        }
    }
    read
}

impl Environment {
    fn variable(&mut self, variable: &str, value: &Secret, diagnostics: &mut Diagnostics) {
        let option = options().find(|option| option.variables().any(|known| known == variable));
        if value.is_empty() && !option.is_some_and(OptionSpec::accepts_empty) {
            return;
        }
        let source = Source::new(variable, "environment");
        if let Some(option) = option {
            self.settings.push(Setting::text(option, source, value.clone()));
        } else if let Some(name) = variable.strip_prefix(HEADER_PREFIX) {
            let text = headers::as_text(&header_name(name), value.expose());
            let option = options().find(|option| option.role == Some(Role::Headers));
            self.settings.extend(option.map(|option| Setting::text(option, source, text)));
        } else if diagnostics.advises() {
            let meant = options_meant_by(&variable[PREFIX.len()..]);
            let names: Vec<_> = meant.iter().map(|option| option.variable()).collect();
            let advice = names::did_you_mean(&names);
            let ignored = Ignored { variable: cut(variable), kind: "unknown environment variable", advice };
            self.ignore(ignored, is_url(&meant), diagnostics);
        }
    }

    fn predecessor(
        &mut self,
        variable: &str,
        predecessor: &Predecessor,
        document: &Document,
        diagnostics: &mut Diagnostics,
    ) {
        let (variables, meant): (Vec<_>, _) = match predecessor {
            Predecessor::Option(option) => (option.variables().collect(), vec![*option]),
            Predecessor::Header(variable) => (vec![variable.clone()], vec![]),
            Predecessor::Dropped => Default::default(),
        };
        // Both are set where an old and a new k6 share an environment.
        if variables.iter().any(|variable| document.environment.contains_key(variable)) {
            return;
        }
        let advice = match variables.first() {
            Some(today) => format!("set {}", cut(today)),
            None => "nothing replaces it".into(),
        };
        let ignored = Ignored { variable: cut(variable), kind: "environment variable of an older output,", advice };
        self.ignore(ignored, is_url(&meant), diagnostics);
    }

    fn ignore(&mut self, ignored: Ignored, is_url: bool, diagnostics: &mut Diagnostics) {
        if is_url {
            self.ignored_urls.push(ignored);
        } else {
            ignored.warn(diagnostics);
        }
    }

    /// Reports the variables that were meant to name the URL, as errors unless there is one: metrics would silently be sent to
    /// the default URL.
    pub fn report_ignored_urls(&self, has_url: bool, diagnostics: &mut Diagnostics) {
        for ignored in &self.ignored_urls {
            if has_url {
                ignored.warn(diagnostics);
            } else {
                let message = format!("ignored, and no other URL is set; {}", ignored.advice);
                diagnostics.invalid(Source::new(&*ignored.variable, "environment"), message);
            }
        }
    }
}

impl Ignored {
    fn warn(&self, diagnostics: &mut Diagnostics) {
        diagnostics.ignored(format!("Ignoring {} {}; {}", self.kind, self.variable, self.advice));
    }
}

fn is_url(meant: &[&OptionSpec]) -> bool {
    matches!(meant, [OptionSpec { role: Some(Role::Url), .. }])
}

/// The header of a variable's name: shells assign no variables with a dash in their names, so underscores are dashes, unless
/// there is a dash.
fn header_name(written: &str) -> String {
    if written.contains('-') { written.into() } else { written.replace('_', "-") }
}
