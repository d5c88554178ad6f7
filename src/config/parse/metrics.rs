//! The option `metrics`: a list of names, and of objects in the later form of k6 Cloud.

use serde_json::{Map, Value};

use super::names;
use crate::config::error::cut;
use crate::series::is_metric_name;
use crate::series::selector::Selector;

/// The fields of an entry that is an object.
const FIELDS: [&str; 3] = ["sourceMetric", "targetMetric", "keepTags"];

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricEntry {
    /// The k6 series that are meant.
    pub source: Selector,
    /// The name to ship them under.
    pub target: Option<String>,
    /// The tags to keep, if the entry says.
    pub keep_tags: Option<Vec<String>>,
}

impl MetricEntry {
    /// All series of one metric, under its own name.
    pub fn whole(metric: &str) -> Self {
        Self { source: Selector::metric(metric), target: None, keep_tags: None }
    }

    /// Whether it is for all series of this metric, under its own name.
    pub fn is_whole(&self, metric: &str) -> bool {
        self.target.is_none() && self.source == Selector::metric(metric)
    }
}

/// What a text of the option says.
#[derive(Debug, Default, PartialEq)]
pub struct ParsedMetrics {
    pub entries: Vec<MetricEntry>,
    /// Names that no metric can have: left out, as k6 Cloud does.
    pub ignored: Vec<String>,
    /// Where in the text, and what: `[1].keepTags`, `is 7; allowed is …`.
    pub mistakes: Vec<(String, String)>,
}

/// Reads a JSON list, or names with commas between them.
pub fn parse(text: &str) -> ParsedMetrics {
    let mut parsed = ParsedMetrics::default();
    let text = text.trim();
    if !text.starts_with(['[', '{']) {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).for_each(|name| parsed.name(name));
        return parsed;
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(entries)) => {
            entries.iter().enumerate().for_each(|(index, entry)| parsed.entry(&format!("[{index}]"), entry));
        }
        Ok(_) => parsed.mistake("", "is an object; allowed is a list"),
        Err(error) => parsed.mistake("", &format!("is no JSON: {error}")),
    }
    parsed
}

impl ParsedMetrics {
    fn entry(&mut self, at: &str, entry: &Value) {
        match entry {
            Value::String(name) => self.name(name.trim()),
            Value::Object(fields) => self.object(at, fields),
            other => {
                self.mistake(at, &format!("is {other}; allowed is a metric's name, or an object with sourceMetric"));
            }
        }
    }

    fn name(&mut self, name: &str) {
        if is_metric_name(name) {
            self.entries.push(MetricEntry::whole(name));
        } else {
            self.ignored.push(name.into());
        }
    }

    fn object(&mut self, at: &str, fields: &Map<String, Value>) {
        let mistakes = self.mistakes.len();
        let mut source = None;
        let mut target = None;
        let mut keep_tags = None;
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            let shown = cut(&value.to_string());
            match (FIELDS.iter().find(|field| names::is_spelling_of(name, field)), value) {
                (None, _) => self.mistake(&at, &format!("is no field; {}", names::advice("", name, &FIELDS))),
                (Some(_), Value::Null) => {}
                (Some(&"keepTags"), _) => match texts(value) {
                    Some(tags) => keep_tags = Some(tags),
                    None => self.mistake(&at, &format!("is {shown}; allowed is a list of tags' names")),
                },
                (Some(&"targetMetric"), Value::String(name)) if is_metric_name(name) => target = Some(name.clone()),
                (Some(&"targetMetric"), _) => self.mistake(
                    &at,
                    &format!("is {shown}; allowed is a metric's name: letters, digits, _ and :, no digit first"),
                ),
                (Some(_), Value::String(text)) => match Selector::parse(text) {
                    Ok(selector) => source = Some(selector),
                    Err(error) => self.mistake(&at, &format!("is {shown}, which is no selector: {error}")),
                },
                (Some(_), _) => self.mistake(
                    &at,
                    &format!("is {shown}; allowed is a selector, such as http_req_duration{{scenario=\"default\"}}"),
                ),
            }
        }
        match source {
            Some(source) => self.entries.push(MetricEntry { source, target, keep_tags }),
            None if self.mistakes.len() == mistakes => {
                self.mistake(at, "has no sourceMetric; it says which series are meant");
            }
            None => {}
        }
    }

    fn mistake(&mut self, at: &str, problem: &str) {
        self.mistakes.push((cut(at), problem.into()));
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: &str, target: Option<&str>, keep_tags: Option<&[&str]>) -> MetricEntry {
        MetricEntry {
            source: Selector::parse(source).expect("valid"),
            target: target.map(String::from),
            keep_tags: keep_tags.map(|tags| tags.iter().map(|&tag| tag.into()).collect()),
        }
    }

    #[test]
    fn names_and_objects_are_read_in_either_spelling() {
        let parsed = parse(
            r#"["http_reqs", {"sourceMetric": "m{a=\"1\"}", "targetMetric": "t", "keepTags": ["a"]},
                {"source_metric": "m", "target_metric": null, "keep_tags": []}]"#,
        );
        let expected = [
            entry("http_reqs", None, None),
            entry(r#"m{a="1"}"#, Some("t"), Some(&["a"])),
            entry("m", None, Some(&[])),
        ];
        assert_eq!(parsed, ParsedMetrics { entries: expected.into(), ..ParsedMetrics::default() });
    }

    #[test]
    fn names_come_with_commas_between_them() {
        assert_eq!(parse(" a, b,").entries, [entry("a", None, None), entry("b", None, None)]);
        assert_eq!(parse(""), ParsedMetrics::default());
    }

    #[test]
    fn names_that_break_the_rules_are_left_out() {
        let parsed = parse(r#"["fine", "größe", "9", ""]"#);
        assert_eq!((parsed.entries.len(), parsed.ignored), (1, vec!["größe".into(), "9".into(), String::new()]));
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let parsed =
            parse(r#"[7, {"sourceMetrics": "a"}, {"sourceMetric": "m{"}, {}, {"sourceMetric": "m", "keepTags": "x"}]"#);
        let places: Vec<_> = parsed.mistakes.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(places, ["[0]", "[1].sourceMetrics", "[2].sourceMetric", "[3]", "[4].keepTags"]);
    }
}
