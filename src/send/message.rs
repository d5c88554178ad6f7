//! What a receiver's message says apart from the values that it quotes: those come from the test, and decide nothing.

/// Length from which a word of hexadecimal digits is an id.
const MIN_ID_CHARS: usize = 8;

/// Returns a message without quoted text and label sets.
///
/// A message may be cut: what is not closed extends to its end.
pub(super) fn unquoted(message: &str) -> String {
    let chars: Vec<char> = if is_json(message) { json_text(message) } else { message.chars().collect() };
    let (mut text, mut index) = (String::new(), 0);
    while let Some(&c) = chars.get(index) {
        if opens(&chars, index) {
            index = after_quote(&chars, index).unwrap_or(chars.len());
            text.push(' ');
        } else {
            text.push(c);
            index += 1;
        }
    }
    text
}

/// Returns what all messages of a cause have in common: no quoted text and label sets, no values, numbers, times, ids and metric
/// names.
pub(super) fn cause(message: &str) -> String {
    let text = unquoted(message).to_lowercase();
    let words = text.split_whitespace().filter_map(|word| {
        let word = word.split('=').next().unwrap_or_default().trim_matches(|c: char| !c.is_alphanumeric());
        let is_id = word.len() >= MIN_ID_CHARS && word.chars().all(|c| c.is_ascii_hexdigit());
        let is_value = is_id || word.is_empty() || word.contains(|c: char| c.is_numeric() || c == '_');
        (!is_value).then_some(word)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Reports whether `chars[index]` opens a quote or a label set. An apostrophe within a word does not.
fn opens(chars: &[char], index: usize) -> bool {
    match chars[index] {
        '"' | '`' | '“' | '{' => true,
        '\'' => index == 0 || !chars[index - 1].is_alphanumeric(),
        _ => false,
    }
}

/// Returns the index after the quote or label set that starts at `start`, if it is closed.
fn after_quote(chars: &[char], start: usize) -> Option<usize> {
    let open = chars[start];
    let close = match open {
        '“' => '”',
        '{' => '}',
        quote => quote,
    };
    let mut index = start + 1;
    while let Some(&c) = chars.get(index) {
        let nested = match open {
            '{' => opens(chars, index),
            '\'' => c == '"',
            _ => false,
        };
        let in_word = c == '\'' && chars.get(index + 1).is_some_and(|next| next.is_alphanumeric());
        if c == close && !in_word {
            return Some(index + 1);
        }
        index = match c {
            '\\' => index + 2,
            _ if nested => after_quote(chars, index).unwrap_or(index + 1),
            _ => index + 1,
        };
    }
    None
}

/// Reports whether a message is a JSON object or a list of them, which may be cut, or one string.
fn is_json(message: &str) -> bool {
    let start = message.trim_start_matches(['[', ' ']);
    let key = start.strip_prefix('{').and_then(|message| message.trim_start().strip_prefix('"'));
    let is_object = key.and_then(|key| key.split_once('"')).is_some_and(|(_, rest)| rest.trim_start().starts_with(':'));
    let chars: Vec<char> = message.chars().collect();
    is_object || chars.first() == Some(&'"') && after_quote(&chars, 0) == Some(chars.len())
}

/// Returns the strings of JSON, with what they quote.
fn json_text(message: &str) -> Vec<char> {
    let (mut text, mut in_string, mut chars) = (Vec::new(), false, message.chars());
    while let Some(c) = chars.next() {
        text.push(match c {
            '"' => {
                in_string = !in_string;
                ' '
            }
            '\\' => chars.next().filter(|escaped| matches!(escaped, '"' | '\\' | '/')).unwrap_or(' '),
            c if in_string => c,
            _ => ' ',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(message: &str) -> String {
        unquoted(message).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn quoted_text_and_label_sets_are_left_out() {
        for (message, rest) in [
            (r#"invalid label "too large" of k6_a{b="}", c="\"}"}: rejected"#, "invalid label of k6_a : rejected"),
            ("series: 'k6_a{b=\"it's ' too large\"}' (err-mimir-x)", "series: (err-mimir-x)"),
            ("too big; mustn't exceed `-max=5` bytes, its' size", "too big; mustn't exceed bytes, its' size"),
            (r#"metric "k6_a{b=\"too large\"}" value: "x""#, "metric value:"),
            ("label “too large” is wrong", "label is wrong"),
            // Cut by the receiver, or here.
            ("series: 'k6_a{b=\"too large' (truncated)", "series: (truncated)"),
            ("series {a=\"too large", "series"),
            ("series 'too large…", "series"),
            ("", ""),
        ] {
            assert_eq!(words(message), rest, "{message}");
        }
    }

    #[test]
    fn json_is_read_as_what_its_strings_say() {
        for (message, rest) in [
            (r#"{"status":"error","error":"body too large"}"#, "status error error body too large"),
            (r#"[{"message": "too old: {a=\"too \\\"large\"}", "code": 3}]"#, "message too old: code"),
            (r#"{ "error" : "too old: \u00e4 'x', to be"#, "error too old: 00e4 , to be"),
            (r#""request \"a\" too large""#, "request too large"),
            (r#"{"k6.a", b="too large"} rejected"#, "rejected"),
        ] {
            assert_eq!(words(message), rest, "{message}");
        }
    }

    #[test]
    fn a_cause_has_no_values() {
        let message =
            "too old: timestamp=2026-01-02T03:04:05Z, series=k6_a{b=\"c\"}, 17 of 20 samples after 3.5s, id deadbeef";
        assert_eq!(cause(message), "too old timestamp series of samples after id");
        for other in [
            "Too old: timestamp=2027-11-12T13:14:15Z, series=k6_b{}, 4 of 6 samples after 1h, id 6f1ed002ab55",
            "too old: timestamp=0, series=k6_long_name, 1 of 1 samples after 12ms, id 018f3f2e-aaaa-7bbb-8ccc-123456789abc",
        ] {
            assert_eq!(cause(other), cause(message));
        }
        assert_ne!(cause("out of order sample"), cause("too old sample"));
    }

    proptest! {
        #[test]
        fn any_message_is_read_without_a_panic(message in r#"("|'|`|\\|\{|\}|\[|:|“|”|=| |[a-z]|ä|1)*"#) {
            unquoted(&message);
            cause(&message);
        }
    }
}
