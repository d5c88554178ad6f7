//! Lists and pairs as users write them: `a,b` or `a=1,b=2`, or JSON.

use serde_json::{Map, Value};

/// Reads `a,b` or `["a", "b"]`; numbers need no quotes. An empty text is an empty list. `None` for what is not a list.
pub fn list(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str::<Vec<Value>>(text).ok()?.into_iter().map(plain).collect();
    }
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|entry| Some(entry.trim().to_string()).filter(|entry| !entry.is_empty())).collect()
}

/// Reads `a=1,b=2` or `{"a": "1", "b": "2"}`. An empty text has no pairs. `None` for other texts, and for a name that is
/// empty or there twice.
pub fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let text = text.trim();
    let mut pairs: Vec<(String, String)> = if text.starts_with('{') {
        let object: Map<String, Value> = serde_json::from_str(text).ok()?;
        object.into_iter().map(|(name, value)| Some((name, plain(value)?))).collect::<Option<_>>()?
    } else {
        list(text)?.iter().map(|pair| pair.split_once('=').map(trimmed)).collect::<Option<_>>()?
    };
    pairs.sort();
    let valid = pairs.iter().all(|(name, _)| !name.is_empty()) && pairs.windows(2).all(|pair| pair[0].0 != pair[1].0);
    valid.then_some(pairs)
}

fn trimmed((name, value): (&str, &str)) -> (String, String) {
    (name.trim().into(), value.trim().into())
}

fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_with_commas_and_as_json() {
        for (text, entries) in [
            ("a", &["a"][..]),
            (" a , b ", &["a", "b"]),
            (r#"["a","b,c"]"#, &["a", "b,c"]),
            ("[1, 2.5]", &["1", "2.5"]),
            ("", &[]),
            ("[]", &[]),
        ] {
            assert_eq!(
                list(text).as_deref(),
                Some(&*entries.iter().map(|&e| e.to_string()).collect::<Vec<_>>()),
                "{text}"
            );
        }
        for text in ["a,,b", ",", "[", "[null]", r#"[["a"]]"#] {
            assert_eq!(list(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_read_with_equal_signs_and_as_json() {
        let owned =
            |pairs: &[(&str, &str)]| pairs.iter().map(|&(n, v)| (n.to_string(), v.to_string())).collect::<Vec<_>>();
        for (text, expected) in [
            ("b=2, a = x=y ", owned(&[("a", "x=y"), ("b", "2")])),
            (r#"{"a": "1,2", "b": 3}"#, owned(&[("a", "1,2"), ("b", "3")])),
            ("", vec![]),
            ("{}", vec![]),
        ] {
            assert_eq!(pairs(text), Some(expected), "{text}");
        }
        for text in ["a", "=1", "a=1,a=2", "{", r#"{"a": []}"#] {
            assert_eq!(pairs(text), None, "{text}");
        }
    }
}
