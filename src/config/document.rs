//! The one JSON document that the host hands over: what the user wrote, unread, by where it was written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Raw inputs. All fields may be missing. Holds secrets, and so cannot be shown.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// What follows `--out remote-write=`; empty without.
    pub argument: String,
    /// The environment, at least all of `K6_PROMETHEUS_RW_*`, and of AWS's `AWS_*`.
    pub environment: BTreeMap<String, String>,
    /// k6's JSON configuration of this output, `collectors."remote-write"`.
    pub json: Option<Map<String, Value>>,
    /// What the script's options say.
    pub script: Script,
    /// What k6 says of the run.
    pub run: Run,
    /// Whether another output ships to the script's blocks ([`super::Claim`]). Not the host's to say.
    #[serde(skip)]
    pub blocks_are_taken: bool,
}

/// What k6 says of the run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Run {
    /// The tags of every sample: `--tag` and the script's `options.tags`.
    pub tags: BTreeMap<String, String>,
    /// Which part of the test this process runs, such as `0:1/2`; empty for all of it.
    pub execution_segment: String,
    /// k6's feature flags that are on.
    pub features: Vec<String>,
    /// k6 Cloud's id of this run; empty without.
    pub cloud_test_run_id: String,
}

impl Run {
    /// Whether k6's flag for native histograms is on.
    pub(super) fn native_histograms(&self) -> bool {
        self.features.iter().any(|feature| feature == "native-histograms")
    }

    /// The label that keeps the series of the parts of one test apart, if neither its tags nor `labels` do.
    pub(super) fn instance_label(&self, labels: &[(String, String)]) -> Option<(String, String)> {
        let is_part = !matches!(&*self.execution_segment, "" | "0:1");
        let mut names = self.tags.keys().chain(labels.iter().map(|(name, _)| name));
        let apart = names.any(|name| name == INSTANCE || name == OPERATORS_INSTANCE);
        (is_part && !apart).then(|| (INSTANCE.into(), self.execution_segment.clone()))
    }
}

const INSTANCE: &str = "instance";

/// What k6-operator tags its runners with.
const OPERATORS_INSTANCE: &str = "instance_id";

/// The parts of the script's options that matter here.
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
    /// Text that is not JSON of this form: the host's mistake, or a `collectors."remote-write"` that is no object.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        // By way of a map, since serde would take an array for a struct too.
        let fields: Map<String, Value> = serde_json::from_slice(text)?;
        serde_json::from_value(Value::Object(fields))
    }
}
