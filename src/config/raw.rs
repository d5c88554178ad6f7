//! Values as their authors wrote them.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;

use serde_json::Value;
use zeroize::Zeroize;

use crate::secret::Secret;

/// The values of variables, by name.
pub type Variables = BTreeMap<String, Secret>;

/// A JSON value from outside, which may be or contain a secret, wherever its author put it. A message has its kind, never the
/// value: it has neither `Display` nor a `Debug` that shows it, and is wiped from memory when it is dropped.
#[derive(Clone, Default, PartialEq)]
pub struct Raw(Value);

impl Raw {
    /// Returns the value, to be read. Must not become part of a message.
    pub fn expose(&self) -> &Value {
        &self.0
    }

    /// Returns the kind of the value: all that a message may say of it.
    pub fn kind(&self) -> &'static str {
        kind(&self.0)
    }
}

impl From<Value> for Raw {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Returns the kind of a JSON value for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Overwrites every text of a value, names of fields included.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => {
            for (mut name, mut value) in mem::take(fields) {
                name.zeroize();
                wipe(&mut value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_raw_value_is_shown_by_its_kind() {
        for (value, kind) in [
            (json!("hunter2"), "a text"),
            (json!(["hunter2"]), "a list"),
            (json!({ "hunter2": "hunter2" }), "an object"),
            (json!(31_337), "a number"),
            (json!(true), "a boolean"),
            (json!(null), "null"),
        ] {
            let raw = Raw::from(value);
            assert_eq!((raw.kind(), format!("{raw:?}")), (kind, kind.into()));
        }
    }

    #[test]
    fn wiping_leaves_no_text() {
        let mut value = json!({ "hunter2": [{ "a": "hunter2" }, "hunter2"] });
        wipe(&mut value);
        assert_eq!(value, json!({}));
        let mut value = json!(["hunter2", ["hunter2"]]);
        wipe(&mut value);
        assert_eq!(value, json!(["", [""]]));
    }
}
