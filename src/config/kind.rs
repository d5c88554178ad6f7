//! Kinds of option values: what each accepts, and how it is read into a destination.
//!
//! A message shows only values of [`Plain`] kinds, none of which can hold a secret. A kind that reads any text is [`Hidden`].

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::Destination;
use super::parse::metrics::MetricEntry;
use super::parse::{duration, headers};
use crate::http::{FilePath, SecretSource, SecretUrl};
use crate::secret::{MASK, Secret};

/// The field of a destination that holds a value.
pub(super) type Field<T> = fn(&mut Destination) -> &mut T;

/// Reads a value from its text; `None` if it is not valid. Lists and objects come as their JSON.
pub(super) type Read = fn(&mut Destination, &str) -> Option<()>;

/// A word, and what it sets.
pub(super) type Word = (&'static str, fn(&mut Destination));

pub(super) enum Kind {
    Plain(Plain),
    Hidden(Hidden),
    /// The option `metrics`, whose entries are valid or not one by one.
    Metrics(Field<Option<Vec<MetricEntry>>>),
}

/// Values that messages show.
pub(super) enum Plain {
    Boolean(Field<bool>),
    /// A boolean whose absence is a third value.
    Switch(Field<Option<bool>>),
    Count(RangeInclusive<usize>, Field<usize>),
    Bytes(RangeInclusive<usize>, Field<usize>),
    /// At least so long.
    Duration(Duration, Field<Duration>),
    /// One of several words.
    Words(&'static [Word]),
    /// A text without the white space around it; an empty one is none.
    Name(Field<Option<String>>),
    Directory(Field<Option<PathBuf>>),
    /// Any text that its function accepts.
    Text(Read),
    /// Any text, list or object that its function accepts.
    Parsed(Read),
}

/// Values that no message shows: they are secrets, may have one in them, or are where a secret is often put by mistake.
pub(super) enum Hidden {
    Url(Field<SecretUrl>),
    /// The path of a file.
    File(Field<Option<FilePath>>),
    /// The path of a file that holds a secret.
    SecretFile(Field<Option<SecretSource>>),
    /// Any text that its function accepts.
    Text(Read),
    Password(Field<Option<SecretSource>>),
    Token(Field<Option<SecretSource>>),
    /// A text without the white space around it; an empty one is none.
    Key(Field<Option<Secret>>),
    /// HTTP headers; those of all sources come together.
    Headers(Field<Vec<(String, Secret)>>),
    /// Any text, list or object that its function accepts.
    Parsed(Read),
}

/// The JSON type that a value is written as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    Text,
    /// A number, `true` or `false`: read like its text, shown without quotes.
    Scalar,
    /// A list or an object.
    Structure,
}

impl Form {
    /// The form of a JSON value and its text; `None` for null, which is as if the option were not set, as everywhere in k6.
    pub fn of(value: &Value) -> Option<(Self, String)> {
        match value {
            Value::Null => None,
            Value::String(text) => Some((Self::Text, text.clone())),
            Value::Bool(_) | Value::Number(_) => Some((Self::Scalar, value.to_string())),
            Value::Array(_) | Value::Object(_) => Some((Self::Structure, value.to_string())),
        }
    }
}

/// The largest number without a unit that is a usual number of seconds, and no usual number of milliseconds.
const MAX_MEANT_SECONDS: f64 = 300.0;

impl Plain {
    /// The values that are valid: what follows "must be".
    pub fn must_be(&self) -> Cow<'static, str> {
        match self {
            Self::Boolean(_) | Self::Switch(_) => "true or false".into(),
            Self::Count(range, _) => integer(range),
            Self::Bytes(range, _) => format!("{}, in bytes", integer(range)).into(),
            Self::Duration(min, _) => match min.as_nanos() {
                0 => "a duration".into(),
                1 => "a duration above 0".into(),
                _ => format!("a duration of at least {}", duration::shown(*min)).into(),
            },
            Self::Words([others @ .., (last, _)]) => {
                let others: Vec<_> = others.iter().map(|(word, _)| *word).collect();
                format!("{} or {last}", others.join(", ")).into()
            }
            Self::Directory(_) => "a directory".into(),
            Self::Words(_) | Self::Name(_) | Self::Text(_) | Self::Parsed(_) => "a text".into(),
        }
    }

    /// Reports whether the value is a duration without a unit that was probably meant in seconds: it is in milliseconds.
    pub fn lacks_unit(&self, text: &str) -> bool {
        let number = text.trim().parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= MAX_MEANT_SECONDS);
        matches!(self, Self::Duration(..)) && number.is_some()
    }

    /// Reads a value; `None` if it is not valid.
    pub fn read(&self, to: &mut Destination, text: &str, form: Form) -> Option<()> {
        match self {
            Self::Boolean(field) => *field(to) = boolean(text)?,
            Self::Switch(field) => *field(to) = Some(boolean(text)?),
            Self::Count(range, field) | Self::Bytes(range, field) => {
                *field(to) = text.parse().ok().filter(|number| range.contains(number))?;
            }
            Self::Duration(min, field) => *field(to) = duration::parse(text).filter(|duration| duration >= min)?,
            Self::Words(words) => (words.iter().find(|(word, _)| *word == text)?.1)(to),
            Self::Parsed(read) => read(to, text)?,
            // A text may be anything, also the JSON of a list.
            _ if form == Form::Structure => return None,
            Self::Name(field) => *field(to) = given(text.trim()),
            Self::Directory(field) => *field(to) = given(text),
            Self::Text(read) => read(to, text)?,
        }
        Some(())
    }
}

impl Hidden {
    /// The values that are valid: what follows "must be".
    pub fn must_be(&self) -> &'static str {
        match self {
            Self::Url(_) => "an absolute http or https URL with a host",
            Self::File(_) | Self::SecretFile(_) => "the path of a file",
            Self::Text(_) | Self::Parsed(_) | Self::Password(_) | Self::Key(_) => "a text",
            Self::Token(_) => "a token alone, without the word Bearer and without line breaks",
            Self::Headers(_) => "HTTP headers: key1:value1,key2:value2, or a JSON object of texts",
        }
    }

    /// Reads a value; `None` if it is not valid.
    pub fn read(&self, to: &mut Destination, secret: &Secret, form: Form) -> Option<()> {
        let text = secret.expose();
        match self {
            Self::Headers(field) => {
                headers::parse(text)?.into_iter().for_each(|(name, value)| headers::put(field(to), name, value));
            }
            Self::Parsed(read) => read(to, text)?,
            // A text may be anything, also the JSON of a list.
            _ if form == Form::Structure => return None,
            Self::Url(field) => *field(to) = url(text)?.into(),
            Self::File(field) => *field(to) = given(text),
            Self::SecretFile(field) => *field(to) = given::<FilePath>(text).map(SecretSource::File),
            Self::Text(read) => read(to, text)?,
            Self::Password(field) => *field(to) = given::<Secret>(without_line_break(text)).map(SecretSource::Inline),
            Self::Token(field) => {
                let token = text.trim();
                let is_alone = !token.to_ascii_lowercase().starts_with("bearer ") && headers::is_value(token);
                *field(to) = is_alone.then(|| given::<Secret>(token).map(SecretSource::Inline))?;
            }
            Self::Key(field) => *field(to) = given(text.trim()),
        }
        Some(())
    }
}

impl Hidden {
    /// Returns what a log line has of the value in `destination`.
    pub fn shown_in(&self, destination: &mut Destination) -> String {
        match self {
            Self::Url(field) => Some(field(destination).shown()),
            Self::File(field) => field(destination).as_ref().map(FilePath::shown),
            Self::SecretFile(field) => match field(destination) {
                Some(SecretSource::File(path)) => Some(path.shown()),
                _ => None,
            },
            _ => None,
        }
        .unwrap_or_else(|| MASK.into())
    }

    /// Reports whether a valid value, or one of several, is in quotes.
    pub fn is_quoted(&self, secret: &Secret) -> bool {
        let text = secret.expose();
        match self {
            Self::Headers(_) => {
                headers::parse(text).is_some_and(|all| all.iter().any(|(_, value)| is_quoted(value.expose())))
            }
            _ => is_quoted(text),
        }
    }

    /// Returns what a message adds about a value that is not valid, without any part of it.
    pub fn advice(&self, secret: &Secret, form: Form) -> Option<&'static str> {
        let text = secret.expose().trim();
        let Self::Url(_) = self else { return None };
        if form != Form::Text || text.is_empty() {
            None
        } else if !text.contains(":/") {
            url(&format!("http://{text}")).map(|_| "the scheme is missing: begin it with http:// or https://")
        } else if text.contains('@') {
            Some("in a user name and a password, write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25")
        } else {
            None
        }
    }
}

/// Reports whether all of a text is in quotes, as in a shell or in YAML.
pub(super) fn is_quoted(text: &str) -> bool {
    let text = text.trim();
    ['"', '\''].iter().any(|&quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote))
}

/// Returns a text without the line breaks at its end, which `echo` and editors add.
pub(super) fn without_line_break(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

fn integer(range: &RangeInclusive<usize>) -> Cow<'static, str> {
    match (range.start(), *range.end()) {
        (min, usize::MAX) => format!("an integer of at least {min}").into(),
        (min, max) => format!("an integer from {min} to {max}").into(),
    }
}

/// A text that is not empty.
pub(super) fn given<'a, T: From<&'a str>>(text: &'a str) -> Option<T> {
    (!text.is_empty()).then(|| text.into())
}

/// The spellings that Go's `strconv.ParseBool` accepts, and so k6.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The URL of a receiver.
pub(super) fn url(text: &str) -> Option<Url> {
    let text = text.trim();
    // The URL standard reads `http:host` and `http:///host` as `http://host`: more likely a mistake.
    let (_, rest) = text.split_once("://")?;
    // After the host an @ is more likely the end of a password that has one of these characters unencoded: what precedes it
    // would be sent to a wrong host, and shown.
    let after_host = rest.find(['/', '?', '#', '\\']).map_or("", |end| &rest[end..]);
    let url = Url::parse(text).ok().filter(|_| !rest.starts_with('/') && !after_host.contains('@'))?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}
