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
    /// The environment, at least all of `K6_PROMETHEUS_RW_*`.
    pub environment: BTreeMap<String, String>,
    /// k6's JSON configuration of this output, `collectors."remote-write"`.
    pub json: Option<Map<String, Value>>,
    /// The tags that every sample of the test has: `--tag`, `options.tags`.
    pub tags: BTreeMap<String, String>,
    /// What the script's options say.
    pub script: Script,
    /// k6 Cloud's id of this run; empty without.
    pub cloud_test_run_id: String,
    /// Whether another output ships to the script's blocks ([`super::Claim`]). Not the host's to say.
    #[serde(skip)]
    pub blocks_are_taken: bool,
}

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
