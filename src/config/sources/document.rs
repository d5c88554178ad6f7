//! The JSON document from the host: what the user wrote in each source, not yet parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use super::apm_blocks;
use crate::config::raw::{Raw, Variables, kind, wipe};
use crate::k6::METADATA_NOTE;
use crate::secret::Secret;
use crate::series::{INSTANCE, InstanceLabel, OPERATORS_INSTANCE};

/// Raw inputs. All fields may be missing.
#[derive(Default)]
pub struct Document {
    /// The text after `--out remote-write=`, or the URL of a command; empty without one.
    pub argument: Secret,
    /// The argument that this text is. The host cannot set it.
    pub argument_kind: ArgumentKind,
    /// The environment, at least all of `K6_PROMETHEUS_RW_*` and `AWS_*`.
    pub environment: Variables,
    /// k6's JSON configuration of this output, `collectors."remote-write"`; null without one.
    pub json: Raw,
    /// The script's options.
    pub script: Script,
    /// What k6 knows of the run.
    pub run: Run,
    /// Whether another output sends to the script's blocks ([`super::ApmBlockLease`]). The host cannot set it.
    pub blocks_are_leased: bool,
}

/// The argument that has the URL, as messages name it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ArgumentKind {
    /// That of a run.
    #[default]
    Out,
    /// The flag of a command.
    UrlFlag,
    /// The operand of a command.
    Operand,
}

impl ArgumentKind {
    /// The argument as the source of a value.
    pub fn source(self) -> &'static str {
        match self {
            Self::Out => "the argument of --out",
            other => other.short(),
        }
    }

    /// The argument in a list of sources.
    pub fn short(self) -> &'static str {
        match self {
            Self::Out => "--out",
            Self::UrlFlag => "--url",
            Self::Operand => "the argument",
        }
    }
}

/// Why a document cannot be read: a mistake of the host. Has no value of the document, which may be a secret.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DocumentError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A value of the wrong kind.
    #[error("{field} must be {wanted}, not {found}")]
    #[allow(missing_docs)]
    Kind { field: String, wanted: &'static str, found: &'static str },
    /// A field that is not of its form.
    #[error("{0} is not of the form that the header describes")]
    Form(String),
    /// A block of the script for this output that cannot be represented.
    #[error("{path} cannot be read: {reason}")]
    #[allow(missing_docs)]
    Block { path: String, reason: String },
    /// A field that a document does not have.
    #[error("unknown field {0:?}")]
    Unknown(String),
}

/// What k6 knows of the run.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Run {
    /// The tags of every sample: `--tag` and the script's `options.tags`.
    pub tags: BTreeMap<String, String>,
    /// The part of the test that this process runs, such as `0:1/2`; empty for all of it.
    pub execution_segment: String,
    /// k6's feature flags that are on.
    pub features: Vec<String>,
    /// k6 Cloud's id of this run; empty without.
    pub cloud_test_run_id: String,
    /// k6's own version, such as `v2.2.0`; empty if the host does not know.
    pub k6_version: String,
    /// The script's URL; empty if the host does not know.
    pub script: String,
    /// The names of the scenarios.
    pub scenarios: BTreeSet<String>,
    /// The names of the outputs of other kinds, such as `json`.
    pub other_outputs: Vec<String>,
    /// The names of the script's `systemTags` that k6 keeps as metadata.
    pub system_metadata: Vec<String>,
}

impl Run {
    /// Returns the warning about `systemTags` without effect: those that `is_used` does not know. Other outputs may have one.
    pub fn metadata_warning(&self, is_used: impl Fn(&str) -> bool) -> Option<String> {
        let unused: Vec<_> = self.system_metadata.iter().map(String::as_str).filter(|name| !is_used(name)).collect();
        let is_asked = !unused.is_empty() && self.other_outputs.is_empty();
        is_asked.then(|| format!("{} in systemTags has no effect: {METADATA_NOTE}", unused.join(", ")))
    }

    /// Reports whether k6's flag for native histograms is on.
    pub fn native_histograms(&self) -> bool {
        self.features.iter().any(|feature| feature == "native-histograms")
    }

    /// Returns how long after the end of a window of this length its points are sent. The windows of all instances of a test end at
    /// the same time; the instances stagger their requests over half a window.
    pub fn send_after(&self, rate: Duration) -> Duration {
        let begin = self.execution_segment.split_once(':').and_then(|(begin, _)| share(begin));
        rate.mul_f64(begin.unwrap_or_default() / 2.0)
    }

    /// Returns the label that keeps the series of the instances of a test apart where neither its tags nor `labels` do.
    pub fn instance_label(&self, labels: &[(String, String)]) -> Option<InstanceLabel> {
        let is_part = !matches!(&*self.execution_segment, "" | "0:1");
        is_part.then(|| {
            let pairs = self.tags.iter().chain(labels.iter().map(|(name, value)| (name, value)));
            let identifying = pairs.filter(|(name, _)| *name == INSTANCE || *name == OPERATORS_INSTANCE);
            InstanceLabel {
                value: self.execution_segment.clone(),
                identified_by: identifying.map(|(name, value)| (name.clone(), value.clone())).collect(),
            }
        })
    }

    /// Returns run metadata as tags. Those without a value become no labels.
    pub fn info(&self) -> Vec<(String, String)> {
        let scenarios: Vec<_> = self.scenarios.iter().map(String::as_str).collect();
        [
            ("output_version", env!("CARGO_PKG_VERSION").into()),
            ("k6_version", self.k6_version.clone()),
            ("script", self.script_name().unwrap_or_default()),
            ("scenarios", scenarios.join(",")),
            ("test_run_id", self.cloud_test_run_id.clone()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into()
    }

    /// Returns the script's name alone: its URL may have a password in it.
    fn script_name(&self) -> Option<String> {
        let url = Url::parse(&self.script).ok()?;
        let name = url.path_segments()?.next_back()?;
        Some(percent_decode_str(name).decode_utf8_lossy().into())
    }
}

/// `1/4` → 0.25.
fn share(text: &str) -> Option<f64> {
    let (part, whole) = text.split_once('/').unwrap_or((text, "1"));
    let share = part.parse::<f64>().ok()? / whole.parse::<f64>().ok()?;
    (0.0..=1.0).contains(&share).then_some(share)
}

/// The parts of the script's options that are read here.
#[derive(Clone, Default, PartialEq)]
pub struct Script {
    /// `options.ext.loadimpact`, of which only `apm` is read; null without.
    pub ext: Raw,
    /// `options.cloud`, likewise.
    pub cloud: Raw,
}

impl Script {
    /// Where the blocks of [`Self::ext`] are.
    pub const EXT_BLOCKS: &str = "options.ext.loadimpact.apm";
    /// Where those of [`Self::cloud`] are.
    pub const CLOUD_BLOCKS: &str = "options.cloud.apm";
}

impl Document {
    /// Reads the document.
    ///
    /// Not by a derived `Deserialize`, whose errors quote values.
    ///
    /// # Errors
    /// Text that is not JSON of this form, which is an error of the host.
    pub fn parse(text: &[u8]) -> Result<Self, DocumentError> {
        let mut value = Self::parse_json(text)?;
        let document = object("the document", &mut value).and_then(Self::from_fields);
        wipe(&mut value);
        document
    }

    /// Reads any JSON; of the script's options in a document, only the blocks.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_json(text: &[u8]) -> Result<Value, DocumentError> {
        let Ok(parts) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(text) else { return json(text) };
        let mut value = Value::Object(Map::new());
        for (name, part) in parts {
            match if name == "script" { script(part) } else { json(part.get().as_bytes()) } {
                Ok(part) => value[name] = part,
                Err(error) => {
                    wipe(&mut value);
                    return Err(error);
                }
            }
        }
        Ok(value)
    }

    /// Takes the values of a document out of its fields.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_fields(fields: &mut Map<String, Value>) -> Result<Self, DocumentError> {
        let mut document = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "argument" => document.argument = text(name, value)?,
                "environment" => {
                    for (name, value) in object("environment", value)? {
                        let value = text(&format!("environment.{name}"), value)?;
                        document.environment.insert(name.clone(), value);
                    }
                }
                "json" => document.json = mem::take(value).into(),
                "script" => {
                    for (name, value) in object("script", value)? {
                        match name.as_str() {
                            "ext" => document.script.ext = mem::take(value).into(),
                            "cloud" => document.script.cloud = mem::take(value).into(),
                            _ => return Err(DocumentError::Unknown(format!("script.{name}"))),
                        }
                    }
                }
                "run" => document.run = Run::read(object("run", value)?)?,
                _ => return Err(DocumentError::Unknown(name.clone())),
            }
        }
        Ok(document)
    }
}

impl Run {
    fn read(fields: &mut Map<String, Value>) -> Result<Self, DocumentError> {
        let of = |fields| serde_json::from_value::<Self>(Value::Object(fields));
        of(fields.clone()).map_err(|_| {
            let wrong =
                fields.iter().find(|(name, value)| of(Map::from_iter([((*name).clone(), (*value).clone())])).is_err());
            DocumentError::Form(wrong.map_or("run".into(), |(name, _)| format!("run.{name}")))
        })
    }
}

fn json(text: &[u8]) -> Result<Value, DocumentError> {
    serde_json::from_slice(text).map_err(|error| match error.classify() {
        // Says what was expected, and where.
        Category::Syntax | Category::Eof | Category::Io => DocumentError::Syntax(error.to_string()),
        Category::Data => DocumentError::Syntax("a value is out of range".into()),
    })
}

/// Reads the script's options, as far as they concern this output.
fn script(text: &RawValue) -> Result<Value, DocumentError> {
    let Ok(parts) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text.get()) else {
        return json(text.get().as_bytes());
    };
    let options = parts.into_iter().map(|(name, options)| {
        let blocks = if name == "ext" { Script::EXT_BLOCKS } else { Script::CLOUD_BLOCKS };
        Ok((name, apm_blocks::read(blocks, options)?))
    });
    Ok(Value::Object(options.collect::<Result<_, DocumentError>>()?))
}

/// Returns the fields of an object; null has none.
fn object<'a>(field: &str, value: &'a mut Value) -> Result<&'a mut Map<String, Value>, DocumentError> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    let found = kind(value);
    value.as_object_mut().ok_or_else(|| DocumentError::Kind { field: field.into(), wanted: "an object", found })
}

/// Takes a text out of the document; null is an empty one.
fn text(field: &str, value: &mut Value) -> Result<Secret, DocumentError> {
    match value {
        Value::String(text) => Ok(mem::take(text).into()),
        Value::Null => Ok(Secret::default()),
        other => Err(DocumentError::Kind { field: field.into(), wanted: "a text", found: kind(other) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripts_name_is_the_last_part_of_its_url() {
        for (script, name) in [
            ("file:///home/me/my%20tests/log%20in.js", Some("log in.js")),
            ("https://me:hunter2@host/scripts/a.js?token=hunter2#x", Some("a.js")),
            ("file:///-", Some("-")),
            ("file:///gr%C3%B6%C3%9Fe.ts", Some("größe.ts")),
            ("https://host", Some("")),
            ("", None),
            ("script.js", None),
        ] {
            let run = Run { script: script.into(), ..Run::default() };
            assert_eq!(run.script_name().as_deref(), name, "{script}");
        }
    }

    #[test]
    fn an_error_has_no_value_of_the_document() {
        for (document, error) in [
            (r#""hunter2""#, "the document must be an object, not a text"),
            (r#"[{ "argument": "hunter2" }]"#, "the document must be an object, not a list"),
            (r#"{ "argument": ["hunter2"] }"#, "argument must be a text, not a list"),
            (r#"{ "environment": "hunter2" }"#, "environment must be an object, not a text"),
            (r#"{ "environment": { "A": { "b": "hunter2" } } }"#, "environment.A must be a text, not an object"),
            (r#"{ "script": "hunter2" }"#, "script must be an object, not a text"),
            (r#"{ "script": { "apm": "hunter2" } }"#, "unknown field \"script.apm\""),
            (r#"{ "run": "hunter2" }"#, "run must be an object, not a text"),
            (r#"{ "run": { "script": ["hunter2"] } }"#, "run.script is not of the form that the header describes"),
            (
                r#"{ "run": { "tags": { "a": 1 }, "k6Version": "" } }"#,
                "run.tags is not of the form that the header describes",
            ),
            (r#"{ "run": { "x": "hunter2" } }"#, "run.x is not of the form that the header describes"),
            (r#"{ "x": "hunter2" }"#, "unknown field \"x\""),
            (r#"{ "argument": hunter2 }"#, "not JSON: expected value at line 1 column 15"),
            (r#"{ "argument": "hunter2"#, "not JSON: EOF while parsing a string at line 1 column 22"),
            (r#"{ "json": 31337e999 }"#, "not JSON: number out of range at line 1 column 9"),
        ] {
            assert_eq!(
                Document::parse(document.as_bytes()).err().map(|error| error.to_string()).as_deref(),
                Some(error)
            );
        }
    }

    #[test]
    fn instances_of_a_test_stagger_their_requests_over_half_a_window() {
        for (segment, after_ms) in [
            ("", 0),
            ("0:1", 0),
            ("0:1/4", 0),
            ("1/4:1/2", 250),
            ("1/2:3/4", 500),
            ("0.75:1", 750),
            ("499/500:1", 998),
            ("1/0:1", 0),
            ("9:1", 0),
            ("x/y:1", 0),
            ("1/2", 0),
        ] {
            let run = Run { execution_segment: segment.into(), ..Run::default() };
            assert_eq!(run.send_after(Duration::from_secs(2)).as_millis(), after_ms, "{segment}");
        }
    }

    #[test]
    fn run_metadata_has_the_scenarios_in_one_order() {
        let run: Run = serde_json::from_value(serde_json::json!({
            "k6Version": "v2.2.0", "script": "file:///a/s.js", "scenarios": ["b", "a"], "cloudTestRunId": "7",
        }))
        .expect("valid");
        let expected = [
            ("output_version", env!("CARGO_PKG_VERSION")),
            ("k6_version", "v2.2.0"),
            ("script", "s.js"),
            ("scenarios", "a,b"),
            ("test_run_id", "7"),
        ];
        assert_eq!(run.info(), expected.map(|(name, value)| (name.into(), value.into())));
    }
}
