//! An option with its value in one source, before it is read into a destination.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::destination::Destination;
use super::error::{ConfigError, Diagnostics, Source, cut};
use super::kind::{self, Field, Form, Kind};
use super::options::options;
use super::parse::metrics::{self, MetricEntry};
use super::raw;
use super::spec::{OptionSpec, Role};
use crate::secret::Secret;

/// One option with the value that a source has for it. Until the option's kind shows it, the value is a secret.
pub(super) struct Setting {
    pub option: &'static OptionSpec,
    pub source: Source,
    value: Secret,
    form: Form,
    /// What a message says of the value instead of showing it.
    kind: &'static str,
}

impl Setting {
    /// A value that is a text.
    pub fn text(option: &'static OptionSpec, source: Source, value: Secret) -> Self {
        Self { option, source, value, form: Form::Text, kind: "a text" }
    }

    /// A value of JSON; `None` if it is null.
    pub fn json(option: &'static OptionSpec, source: Source, value: &Json) -> Option<Self> {
        let (form, text) = Form::of(value)?;
        Some(Self { option, source, value: text.into(), form, kind: raw::kind(value) })
    }

    /// The valid value for people, which `destination` has: as it was written if its kind is shown.
    pub fn shown_in(&self, destination: &mut Destination) -> String {
        match &self.option.kind {
            Kind::Hidden(kind) => kind.shown_in(destination),
            Kind::Plain(_) | Kind::Metrics(_) if self.value.expose().is_empty() => "\"\"".into(),
            Kind::Plain(_) | Kind::Metrics(_) => cut(self.value.expose()),
        }
    }

    /// Reads the value into `to`, or reports what is wrong with it.
    fn apply(&self, to: &mut Destination, diagnostics: &mut Diagnostics) {
        let valid = match &self.option.kind {
            Kind::Metrics(field) if self.form != Form::Scalar => return self.apply_metrics(*field, to, diagnostics),
            Kind::Metrics(_) => None,
            Kind::Hidden(kind) => kind.read(to, &self.value, self.form),
            Kind::Plain(kind) => kind.read(to, self.value.expose(), self.form),
        };
        match valid {
            None => self.reject(diagnostics),
            Some(()) => {
                self.warn_of_quotes(diagnostics);
                self.warn_of_missing_unit(diagnostics);
            }
        }
    }

    /// Warns of a valid value in quotes, of which no shell has taken them off: compose files and `.env` files keep them.
    fn warn_of_quotes(&self, diagnostics: &mut Diagnostics) {
        let is_quoted = match &self.option.kind {
            Kind::Hidden(kind) => kind.is_quoted(&self.value) && self.form != Form::Scalar,
            Kind::Plain(_) | Kind::Metrics(_) => self.is_quoted(),
        };
        if is_quoted {
            let source = &self.source;
            diagnostics.warn(format!(
                "{source} has quotes around a value, which are part of it: remove them unless they are meant"
            ));
        }
    }

    /// Warns of a duration that was probably meant in seconds.
    fn warn_of_missing_unit(&self, diagnostics: &mut Diagnostics) {
        if let Kind::Plain(kind) = &self.option.kind
            && kind.lacks_unit(self.value.expose())
        {
            diagnostics.warn(format!(
                "{} is {} ms, since a number without a unit is in milliseconds: write a unit, such as {1}ms or {1}s",
                self.source,
                self.value.expose().trim()
            ));
        }
    }

    fn is_quoted(&self) -> bool {
        self.form == Form::Text && kind::is_quoted(self.value.expose())
    }

    fn reject(&self, diagnostics: &mut Diagnostics) {
        let mut expected = format!("must be {}", self.option.valid_values());
        if let Some(advice) = self.advice() {
            expected.push_str(&format!("; {advice}"));
        }
        let (option, value, source) = (self.option.name, self.shown(), self.source.clone());
        diagnostics.errors.push(ConfigError::InvalidValue { option, value, source, expected });
    }

    /// Returns what a message adds about this value, which is not valid.
    fn advice(&self) -> Option<Cow<'static, str>> {
        if self.is_quoted() {
            return Some("the value is in quotes: remove them".into());
        }
        match &self.option.kind {
            Kind::Hidden(kind) => kind.advice(&self.value, self.form).map(Cow::from),
            Kind::Plain(kind) if kind.lacks_unit(self.value.expose()) => {
                Some("a number without a unit is in milliseconds".into())
            }
            Kind::Plain(_) => self.option.explanation(self.value.expose()).map(Cow::from),
            Kind::Metrics(_) => None,
        }
    }

    /// The value as it was written, if its kind is shown and it does not look like a URL or an address, which may have a password:
    /// else its kind.
    fn shown(&self) -> String {
        let text = self.value.expose();
        let is_shown = !self.option.is_hidden()
            && self.form != Form::Structure
            && !text.contains(['@', '?'])
            && !text.contains("//");
        match self.form {
            Form::Text if !is_shown => "(value hidden)".into(),
            _ if !is_shown => format!("({})", self.kind),
            Form::Text => format!("{:?}", cut(text)),
            _ => cut(text),
        }
    }

    fn apply_metrics(
        &self,
        field: Field<Option<Vec<MetricEntry>>>,
        to: &mut Destination,
        diagnostics: &mut Diagnostics,
    ) {
        let mut parsed = metrics::parse(self.value.expose(), &self.source);
        self.warn_of_quotes(diagnostics);
        for name in parsed.ignored.iter().map(|name| cut(name)) {
            let advice = if name.contains('{') { "; write a selector as {sourceMetric: '…'}" } else { "" };
            diagnostics.warn(format!("Ignoring {name:?} in {}: not a valid metric name{advice}", self.source));
        }
        if parsed.errors.is_empty() {
            *field(to) = Some(parsed.entries);
        }
        diagnostics.errors.append(&mut parsed.errors);
    }
}

/// Reads what one source has into `to`, and reports what is wrong with it.
pub(super) fn apply_all(settings: &[Setting], to: &mut Destination, diagnostics: &mut Diagnostics) {
    for setting in settings {
        setting.apply(to, diagnostics);
    }
    for role in Role::EXCLUSIVE {
        let sources = options().filter(|option| option.role == Some(role)).filter_map(|option| {
            let setting = settings.iter().find(|setting| setting.option.name == option.name)?;
            Some(setting.source.clone())
        });
        if let [first, second, ..] = &sources.collect::<Vec<_>>()[..] {
            let (first, second) = (first.clone(), second.clone());
            diagnostics.errors.push(ConfigError::MutuallyExclusive { first, second });
        }
    }
}
