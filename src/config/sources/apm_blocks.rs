//! The `apm` blocks among a script's options, whatever else these options are.
//!
//! Only what this output reads is parsed. The rest is k6's, or k6 Cloud's, and may be what this library cannot represent: text that
//! is not Unicode (JavaScript allows half of a surrogate pair), or values that are nested deeply.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::document::DocumentError;
use super::script::{APM, PROMETHEUS, PROVIDER};

/// Returns these options with their blocks alone, and of a block for another provider nothing else than its name. `path` is where
/// the blocks are.
///
/// # Errors
/// A block for this output that cannot be represented.
pub fn read(path: &str, options: &RawValue) -> Result<Value, DocumentError> {
    let Some(apm) = field(options, APM) else { return Ok(json!({})) };
    let Ok(raw) = serde_json::from_str::<Vec<&RawValue>>(apm.get()) else {
        // The reader of blocks reports what it is instead of a list.
        return Ok(json!({ APM: serde_json::from_str::<Value>(apm.get()).unwrap_or_else(|_| json!({})) }));
    };
    let blocks = raw.iter().enumerate().map(|(index, raw)| {
        block(raw).map_err(|error| DocumentError::Block { path: format!("{path}[{index}]"), reason: error.to_string() })
    });
    Ok(json!({ APM: Value::Array(blocks.collect::<Result<_, _>>()?) }))
}

fn block(raw: &RawValue) -> Result<Value, serde_json::Error> {
    if !raw.get().starts_with('{') {
        return Ok(serde_json::from_str(raw.get()).unwrap_or_default());
    }
    // A name that cannot be represented is the name of another.
    let provider = field(raw, PROVIDER).map(|name| serde_json::from_str(name.get()).unwrap_or(json!("\u{fffd}")));
    match provider {
        Some(name) if name == PROMETHEUS => serde_json::from_str(raw.get()),
        provider => Ok(Value::Object(Map::from_iter(provider.map(|name| (PROVIDER.into(), name))))),
    }
}

/// Returns a field of an object. The last one of a name counts, as in JavaScript.
fn field<'a>(object: &'a RawValue, name: &'static str) -> Option<&'a RawValue> {
    let Fields(fields) = serde_json::from_str(object.get()).ok()?;
    fields.into_iter().rev().find(|(Name(written), _)| written == name.as_bytes()).map(|(_, value)| value)
}

/// The fields of an object, neither of whose parts is parsed.
struct Fields<'a>(Vec<(Name, &'a RawValue)>);

/// A name, which need not be Unicode.
struct Name(Vec<u8>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfObject;

        impl<'de> Visitor<'de> for OfObject {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(OfObject)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfBytes;

        impl Visitor<'_> for OfBytes {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Name, E> {
                Ok(Name(bytes.into()))
            }
        }
        deserializer.deserialize_bytes(OfBytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Result<Value, String> {
        let raw: Box<RawValue> = serde_json::from_str(options).expect("JSON");
        super::read("apm", &raw).map_err(|error| error.to_string())
    }

    #[test]
    fn only_blocks_for_this_output_are_read() {
        let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
        let surrogate = r#""\ud800""#;
        for odd in [&*deep, surrogate, "{}", "null", "1e999"] {
            let others = format!(
                r#"{{"other": {odd}, "\udfff": {odd}, "apm": [{{"provider": "datadog", "key": {odd}, "\ud800": 1}},
                    {{"provider": "prometheus", "a": [1]}}, {{"key": {odd}}}]}}"#
            );
            let expected = json!({ "apm": [{ "provider": "datadog" }, { "provider": "prometheus", "a": [1] }, {}] });
            assert_eq!(read(&others), Ok(expected), "{odd}");
            assert_eq!(read(odd), Ok(json!({})), "{odd}");
        }
        assert_eq!(
            read(r#"{"apm": [{"provider": "\ud800"}, 7]}"#),
            Ok(json!({ "apm": [{ "provider": "\u{fffd}" }, 7] }))
        );
        assert_eq!(read(r#"{"apm": "x"}"#), Ok(json!({ "apm": "x" })));
    }

    #[test]
    fn a_block_for_this_output_that_cannot_be_represented_is_an_error_with_its_place() {
        let error = read(r#"{"apm": [{}, {"provider": "prometheus", "x": "hunter2\ud800"}]}"#).expect_err("odd");
        assert!(error.starts_with("apm[1] cannot be read: ") && !error.contains("hunter2"), "{error}");
    }
}
