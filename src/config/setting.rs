//! What a source says, option by option, before it is taken.

use std::borrow::Cow;

use serde_json::Value;

use super::Destination;
use super::error::{ConfigError, Diagnostics, cut};
use super::options::{self, OptionSpec};
use super::parse::metrics;
use crate::secret::MASK;

/// One option with the value that a source has for it.
pub(super) struct Setting<'a> {
    pub option: &'static OptionSpec,
    /// Where it was written, for people.
    pub place: String,
    text: Cow<'a, str>,
    form: Form,
}

/// What a value is written as.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    /// A number, `true` or `false`: read like its text, shown without quotes.
    Scalar,
    /// A list or an object.
    Structure,
}

impl<'a> Setting<'a> {
    /// A value that is a text.
    pub fn text(option: &'static OptionSpec, place: String, text: impl Into<Cow<'a, str>>) -> Self {
        Self { option, place, text: text.into(), form: Form::Text }
    }

    /// A value of JSON; `None` for null, which is as if it were not set, as everywhere in k6.
    pub fn json(option: &'static OptionSpec, place: String, value: &'a Value) -> Option<Self> {
        let form = match value {
            Value::Null => return None,
            Value::String(text) => return Some(Self::text(option, place, text)),
            Value::Bool(_) | Value::Number(_) => Form::Scalar,
            Value::Array(_) | Value::Object(_) => Form::Structure,
        };
        Some(Self { option, place, text: value.to_string().into(), form })
    }

    fn apply(&self, to: &mut Destination, diagnostics: &mut Diagnostics) {
        let fits = match self.form {
            Form::Text => true,
            Form::Scalar => self.option.name != options::METRICS,
            Form::Structure => !self.option.is_free_text(),
        };
        let taken = fits && (self.option.set)(to, &self.text).is_some();
        if fits && self.option.name == options::METRICS {
            self.tell_of_entries(diagnostics);
        } else if !taken {
            diagnostics.errors.push(ConfigError::Value {
                option: self.option.name,
                place: self.place.clone(),
                value: self.shown(),
                allowed: match self.url_with_scheme() {
                    Some(url) => format!("{}; did you mean {url:?}?", self.option.allowed),
                    None => self.option.allowed.into(),
                },
            });
        }
    }

    /// The one option whose value has parts that are right or wrong by themselves.
    fn tell_of_entries(&self, diagnostics: &mut Diagnostics) {
        let (path, source) = self.place.rsplit_once(' ').unwrap_or((&self.place, ""));
        let parsed = metrics::parse(&self.text);
        for (at, problem) in parsed.mistakes {
            diagnostics.errors.push(ConfigError::Wrong { place: format!("{path}{at} {source}"), problem });
        }
        for name in parsed.ignored.iter().map(|name| cut(name)) {
            let advice = if name.contains('{') { "; a selector is written as {sourceMetric: '…'}" } else { "" };
            diagnostics
                .warnings
                .push(format!("{}: {name:?} is no name of a metric, and is ignored{advice}", self.place));
        }
    }

    /// What a URL without a scheme may have been meant to be.
    fn url_with_scheme(&self) -> Option<String> {
        let text = self.text.trim();
        let is_bare = self.option.name == options::URL && self.form == Form::Text && !text.contains(":/");
        let meant = format!("http://{text}");
        (is_bare && options::url(&meant).is_some()).then(|| cut(&without_secrets(&meant)))
    }

    /// The value as it was written, without secrets.
    fn shown(&self) -> String {
        match (self.option.is_secret(), self.form) {
            (true, _) => MASK.into(),
            (false, Form::Text) => format!("{:?}", cut(&without_secrets(&self.text))),
            (false, _) => cut(&self.text),
        }
    }
}

/// Puts what one source says into `to`, and what is wrong with it into `diagnostics`.
pub(super) fn apply_all(settings: &[Setting<'_>], to: &mut Destination, diagnostics: &mut Diagnostics) {
    for one in settings {
        one.apply(to, diagnostics);
    }
    let place = |name: &str| settings.iter().find(|one| one.option.name == name).map(|one| one.place.clone());
    for (one, other, what) in [
        (options::RESAMPLE_RATE, options::PUSH_INTERVAL, "both set the length of a window"),
        (options::USERNAME, options::USERNAME_FILE, "both set the username"),
        (options::PASSWORD, options::PASSWORD_FILE, "both set the password"),
        (options::BEARER_TOKEN, options::BEARER_TOKEN_FILE, "both set the token"),
    ] {
        if let (Some(first), Some(second)) = (place(one), place(other)) {
            diagnostics.errors.push(ConfigError::Both { first, second, what });
        }
    }
}

/// What stands before the last `@` may be a user and password, also of a URL that does not parse; what follows a `?` may be a
/// key.
fn without_secrets(text: &str) -> String {
    let (before, query) = text.split_once('?').map_or((text, String::new()), |(url, _)| (url, format!("?{MASK}")));
    let (scheme, rest) = before.find("//").map_or(("", before), |at| before.split_at(at + 2));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{MASK}@{host}{query}"),
        None => format!("{scheme}{rest}{query}"),
    }
}
