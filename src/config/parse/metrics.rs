//! The option `metrics`: a list of names, and of objects in the later form of k6 Cloud.

use serde_json::{Map, Value};

use super::names;
use crate::config::error::{ConfigError, NO_SIMILAR, Source, cut};
use crate::series::is_metric_name;
use crate::series::selector::Selector;

const TARGET_METRIC: &str = "targetMetric";
const KEEP_TAGS: &str = "keepTags";

/// The number of errors beyond which no similar names are looked for.
const MAX_SEARCHED: usize = 20;

/// The fields of an entry that is an object.
const FIELDS: [&str; 3] = ["sourceMetric", TARGET_METRIC, KEEP_TAGS];

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricEntry {
    /// The k6 series that it selects.
    pub source: Selector,
    /// The name to send them under.
    pub target: Option<String>,
    /// The tags to keep, if the entry has them.
    pub keep_tags: Option<Vec<String>>,
}

impl MetricEntry {
    /// All series of one metric, under its own name.
    pub fn whole(metric: &str) -> Self {
        Self { source: Selector::metric(metric), target: None, keep_tags: None }
    }

    /// Reports whether it is for all series of this metric, under its own name.
    pub fn is_whole(&self, metric: &str) -> bool {
        self.target.is_none() && self.source == Selector::metric(metric)
    }
}

/// The result of [`parse`].
#[derive(Debug, Default, PartialEq)]
pub struct ParsedMetrics {
    pub entries: Vec<MetricEntry>,
    /// Names that no metric can have: left out, as k6 Cloud does.
    pub ignored: Vec<String>,
    pub errors: Vec<ConfigError>,
}

/// Reads a JSON list, or names with commas between them. `source` is where the text was written.
pub fn parse(text: &str, source: &Source) -> ParsedMetrics {
    let mut parsed = ParsedMetrics::default();
    let text = text.trim();
    if !text.starts_with(['[', '{']) {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).for_each(|name| parsed.name(name));
        return parsed;
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(entries)) => {
            for (index, entry) in entries.iter().enumerate() {
                parsed.entry(&source.part(&format!("[{index}]")), entry);
            }
        }
        Ok(_) => parsed.reject("metrics", &cut(text), source, "must be a list"),
        Err(error) => {
            let expected = format!("must be a list in JSON: {error}");
            parsed.reject("metrics", &format!("{:?}", cut(text)), source, &expected);
        }
    }
    parsed
}

impl ParsedMetrics {
    fn entry(&mut self, source: &Source, entry: &Value) {
        match entry {
            Value::String(name) => self.name(name.trim()),
            Value::Object(fields) => self.object(source, fields),
            other => {
                let expected = "must be a metric name, or an object with sourceMetric";
                self.reject("metric", &cut(&other.to_string()), source, expected);
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

    fn object(&mut self, source: &Source, fields: &Map<String, Value>) {
        let errors = self.errors.len();
        let mut entry = None;
        let mut target = None;
        let mut keep_tags = None;
        for (name, value) in fields {
            let Some(field) = FIELDS.into_iter().find(|field| names::is_spelling_of(name, field)) else {
                let is_searched = self.errors.len() < MAX_SEARCHED;
                let advice = if is_searched { names::advice(name, &FIELDS) } else { NO_SIMILAR.into() };
                let name = cut(name);
                self.errors.push(ConfigError::Unknown { kind: "field", name, source: source.clone(), advice });
                continue;
            };
            let (source, shown) = (source.field(name), cut(&value.to_string()));
            match (field, value) {
                (_, Value::Null) => {}
                (KEEP_TAGS, _) => match texts(value) {
                    Some(tags) => keep_tags = Some(tags),
                    None => self.reject(field, &shown, &source, "must be a list of tag names"),
                },
                (TARGET_METRIC, Value::String(name)) if is_metric_name(name) => target = Some(name.clone()),
                (TARGET_METRIC, _) => {
                    let expected = "must be a metric name: letters, digits, _ and :, not a digit first";
                    self.reject(field, &shown, &source, expected);
                }
                (_, Value::String(text)) => match Selector::parse(text) {
                    Ok(selector) => entry = Some(selector),
                    Err(error) => self.reject(field, &shown, &source, &format!("must be a selector: {error}")),
                },
                _ => {
                    let expected = "must be a selector, such as http_req_duration{scenario=\"default\"}";
                    self.reject(field, &shown, &source, expected);
                }
            }
        }
        match entry {
            Some(source) => self.entries.push(MetricEntry { source, target, keep_tags }),
            None if self.errors.len() == errors => {
                let message = "sourceMetric is missing; must be the selector of the series".into();
                self.errors.push(ConfigError::Invalid { source: source.clone(), message });
            }
            None => {}
        }
    }

    fn reject(&mut self, option: &'static str, value: &str, source: &Source, expected: &str) {
        let (value, expected) = (value.into(), expected.into());
        self.errors.push(ConfigError::InvalidValue { option, value, source: source.clone(), expected });
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ParsedMetrics {
        super::parse(text, &Source::new("metrics", "JSON"))
    }

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
    fn every_mistake_is_reported_with_its_source() {
        let parsed =
            parse(r#"[7, {"sourceMetrics": "a"}, {"sourceMetric": "m{"}, {}, {"sourceMetric": "m", "keepTags": "x"}]"#);
        let sources = ["[0]", "[1]", "[2].sourceMetric", "[3]", "[4].keepTags"];
        assert_eq!(parsed.errors.len(), sources.len());
        for (error, source) in parsed.errors.iter().zip(sources) {
            assert!(error.to_string().contains(&format!("metrics{source} (JSON)")), "{error}");
        }
    }
}
