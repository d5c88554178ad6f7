//! The JSON document from the host: what the user wrote in each source, not yet parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::series::{INSTANCE, InstanceLabel, OPERATORS_INSTANCE};

/// Raw inputs. All fields may be missing. Holds secrets, and so has no `Debug`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// The text after `--out remote-write=`; empty without one.
    pub argument: String,
    /// The environment, at least all of `K6_PROMETHEUS_RW_*` and `AWS_*`.
    pub environment: BTreeMap<String, String>,
    /// k6's JSON configuration of this output, `collectors."remote-write"`.
    pub json: Option<Map<String, Value>>,
    /// The script's options.
    pub script: Script,
    /// What k6 knows of the run.
    pub run: Run,
    /// Whether another output sends to the script's blocks ([`super::ApmBlockLease`]). The host cannot set it.
    #[serde(skip)]
    pub blocks_are_leased: bool,
}

/// What k6 knows of the run.
#[derive(Debug, Default, Deserialize)]
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
}

impl Run {
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
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// `options.ext.loadimpact`.
    pub ext: Option<Value>,
    /// `options.cloud`.
    pub cloud: Option<Value>,
}

impl Document {
    /// Reads the document.
    ///
    /// # Errors
    /// Text that is not JSON of this form: an error of the host, or a `collectors."remote-write"` that is not an object.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        // Through a map, since serde would read an array as a struct too.
        Self::from_fields(serde_json::from_slice(text)?)
    }

    /// Reads the fields of a document.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_fields(fields: Map<String, Value>) -> Result<Self, serde_json::Error> {
        serde_json::from_value(Value::Object(fields))
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
