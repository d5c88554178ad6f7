//! An option with its value in one source, before it is read into a destination.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::destination::Destination;
use super::error::{ConfigError, Diagnostics, Source, cut};
use super::kind::{self, Field, Form, Hidden, Kind, Plain};
use super::options::options;
use super::parse::metrics::{self, MetricEntry};
use super::spec::{OptionSpec, Role};
use crate::secret::{MASK, Secret};

/// One option with the value that a source has for it.
pub(super) struct Setting<'a> {
    pub option: &'static OptionSpec,
    pub source: Source,
    value: Value<'a>,
    form: Form,
}

/// A value as it was written. The text of a secret cannot be shown from here on.
enum Value<'a> {
    Plain(&'static Plain, Cow<'a, str>),
    Secret(&'static Hidden, Secret),
    Metrics(Field<Option<Vec<MetricEntry>>>, Cow<'a, str>),
}

impl<'a> Setting<'a> {
    /// A value that is a text.
    pub fn text(option: &'static OptionSpec, source: Source, text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(option, source, text.into(), Form::Text)
    }

    /// A value of JSON; `None` if it is null.
    pub fn json(option: &'static OptionSpec, source: Source, value: &'a Json) -> Option<Self> {
        Form::of(value).map(|(form, text)| Self::new(option, source, text, form))
    }

    fn new(option: &'static OptionSpec, source: Source, text: Cow<'a, str>, form: Form) -> Self {
        let value = match &option.kind {
            Kind::Plain(kind) => Value::Plain(kind, text),
            Kind::Secret(kind) => Value::Secret(kind, text.into_owned().into()),
            Kind::Metrics(field) => Value::Metrics(*field, text),
        };
        Self { option, source, value, form }
    }

    /// The value for people, as it was written but for secrets.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Plain(_, text) => cut(&without_secrets(text)),
            Value::Secret(..) => MASK.into(),
            Value::Metrics(_, text) => cut(text),
        }
    }

    /// Reads the value into `to`, or reports what is wrong with it.
    fn apply(&self, to: &mut Destination, diagnostics: &mut Diagnostics) {
        match &self.value {
            Value::Metrics(field, text) if self.form != Form::Scalar => {
                self.apply_metrics(*field, text, to, diagnostics)
            }
            Value::Metrics(_, text) => self.reject(cut(text), None, diagnostics),
            Value::Secret(kind, secret) => {
                if kind.read(to, secret, self.form).is_none() {
                    self.reject(MASK.into(), None, diagnostics);
                }
            }
            Value::Plain(kind, text) => {
                if kind.read(to, text, self.form).is_none() {
                    self.reject(shown(text, self.form), self.url_with_scheme(kind, text), diagnostics);
                }
            }
        }
    }

    fn reject(&self, value: String, meant: Option<String>, diagnostics: &mut Diagnostics) {
        let mut expected = format!("must be {}", self.option.valid_values());
        if let Some(meant) = meant {
            expected.push_str(&format!("; did you mean {meant:?}?"));
        }
        let (option, source) = (self.option.name, self.source.clone());
        diagnostics.errors.push(ConfigError::InvalidValue { option, value, source, expected });
    }

    fn apply_metrics(
        &self,
        field: Field<Option<Vec<MetricEntry>>>,
        text: &str,
        to: &mut Destination,
        diagnostics: &mut Diagnostics,
    ) {
        let mut parsed = metrics::parse(text, &self.source);
        for name in parsed.ignored.iter().map(|name| cut(name)) {
            let advice = if name.contains('{') { "; write a selector as {sourceMetric: '…'}" } else { "" };
            diagnostics.warn(format!("Ignoring {name:?} in {}: not a valid metric name{advice}", self.source));
        }
        if parsed.errors.is_empty() {
            *field(to) = Some(parsed.entries);
        }
        diagnostics.errors.append(&mut parsed.errors);
    }

    /// The URL that a text without a scheme may be meant to be.
    fn url_with_scheme(&self, kind: &Plain, text: &str) -> Option<String> {
        let text = text.trim();
        let is_bare = matches!(kind, Plain::Url(_)) && self.form == Form::Text && !text.contains(":/");
        let meant = format!("http://{text}");
        (is_bare && kind::url(&meant).is_some()).then(|| cut(&without_secrets(&meant)))
    }
}

/// Reads what one source has into `to`, and reports what is wrong with it.
pub(super) fn apply_all(settings: &[Setting<'_>], to: &mut Destination, diagnostics: &mut Diagnostics) {
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

/// A plain value as it was written, less a password that may be in it.
fn shown(text: &str, form: Form) -> String {
    let text = cut(&without_secrets(text));
    if form == Form::Text { format!("{text:?}") } else { text }
}

/// Masks what stands before the last `@`, which may be a user and password, also of a URL that does not parse; and what follows
/// a `?`, which may be a key.
fn without_secrets(text: &str) -> String {
    let (before, query) = text.split_once('?').map_or((text, String::new()), |(url, _)| (url, format!("?{MASK}")));
    let (scheme, rest) = before.find("//").map_or(("", before), |at| before.split_at(at + 2));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{MASK}@{host}{query}"),
        None => format!("{scheme}{rest}{query}"),
    }
}
