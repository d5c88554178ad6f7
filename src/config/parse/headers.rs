//! HTTP headers as users write them.

use http::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::config::raw::{Raw, wipe};
use crate::secret::Secret;

/// Headers of the protocol or of HTTP itself, which k6's own output does not let users set either.
const RESERVED: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-prometheus-remote-write-version",
];

/// Reads `key1:value1,key2:value2`, or a JSON object. `None` for what is neither, or not an HTTP header.
pub fn parse(text: &str) -> Option<Vec<(String, Secret)>> {
    let text = text.trim();
    if text.starts_with('{') {
        let object = Raw::from(serde_json::from_str::<Value>(text).ok()?);
        return object.expose().as_object()?.iter().map(|(name, value)| header(name, value.as_str()?)).collect();
    }
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    pairs.map(|pair| pair.split_once(':').and_then(|(name, value)| header(name, value))).collect()
}

/// Writes one header as the JSON object that [`parse`] reads.
pub fn as_text(name: &str, value: &str) -> Secret {
    let mut object = Value::Object(Map::from_iter([(name.into(), value.into())]));
    let text = object.to_string();
    wipe(&mut object);
    text.into()
}

/// Adds a header; a later one of the same name replaces an earlier one.
pub fn put(headers: &mut Vec<(String, Secret)>, name: String, value: Secret) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
    headers.push((name, value));
}

/// Reports whether users cannot set this header.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Reports whether this can be a header's value.
pub fn is_value(text: &str) -> bool {
    HeaderValue::from_str(text).is_ok()
}

fn header(name: &str, value: &str) -> Option<(String, Secret)> {
    let (name, value) = (name.trim(), value.trim());
    (HeaderName::from_bytes(name.as_bytes()).is_ok() && is_value(value)).then(|| (name.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Vec<(String, String)>> {
        Some(parse(text)?.into_iter().map(|(name, value)| (name, value.expose().into())).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect())
    }

    #[test]
    fn headers_come_as_a_list_or_as_json() {
        assert_eq!(parsed("a:1, B : 2 ,"), pairs(&[("a", "1"), ("B", "2")]));
        assert_eq!(parsed("Referer:http://x"), pairs(&[("Referer", "http://x")]));
        assert_eq!(parsed(r#"{"X-Scope-OrgID": "a,b"}"#), pairs(&[("X-Scope-OrgID", "a,b")]));
        assert_eq!(parsed(as_text("n", "\"v\"").expose()), pairs(&[("n", "\"v\"")]));
        assert_eq!(parsed(""), pairs(&[]));
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in ["a", "a b:1", ":1", "a:1\n2", r#"{"a": 1}"#, r#"{"a": "#, "ä:1", r#"{"": "x"}"#] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_the_same_in_any_case() {
        let mut headers = vec![];
        put(&mut headers, "X-A".into(), "1".into());
        put(&mut headers, "x-a".into(), "2".into());
        assert_eq!(headers, [("x-a".to_string(), "2".into())]);
        assert!(is_reserved("Content-Type") && !is_reserved("X-Scope-OrgID"));
    }
}
