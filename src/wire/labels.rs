//! Labels in wire form, encoded once and copied into every request.

use prost::encoding::{WireType, decode_varint, encode_key, encode_varint, encoded_len_varint};

use super::v1;
use crate::series::{CONDITION, Label};

/// The metric's name as a label.
const NAME: &str = "__name__";

/// The field number of `TimeSeries.labels`.
const LABELS_FIELD: u32 = 1;

/// One label as a field of a `TimeSeries`.
#[derive(Debug, Clone)]
pub struct EncodedLabel(Box<[u8]>);

impl EncodedLabel {
    /// The label that names the metric.
    pub fn metric_name(name: &str) -> Self {
        Self::new(NAME, name)
    }

    /// The label that tells a rate's counters apart.
    pub fn condition(value: &str) -> Self {
        Self::new(CONDITION, value)
    }

    fn new(name: &str, value: &str) -> Self {
        let mut bytes = Vec::new();
        encode_label(name, value, &mut bytes);
        Self(bytes.into())
    }

    /// It alone, to be read.
    pub fn labels(&self) -> RawLabels<'_> {
        RawLabels(&self.0)
    }
}

/// The labels that all series of one tag set share, sorted, with the places where its name and a `condition` belong.
#[derive(Debug, PartialEq, Eq)]
pub struct Labels {
    bytes: Box<[u8]>,
    name_at: usize,
    condition_at: usize,
}

impl Labels {
    /// Encodes labels, which must be sorted by name and contain neither `__name__` nor, for a series that is told apart
    /// by it, `condition` ([`crate::series::SeriesDefinition::labels`] sees to both).
    pub fn encode(labels: &[Label]) -> Self {
        let mut bytes = Vec::new();
        let (mut name_at, mut condition_at) = (0, 0);
        for label in labels {
            encode_label(&label.name, &label.value, &mut bytes);
            // Remote Write 1.0, "Labels": sorted by name, byte by byte.
            if label.name.as_str() < NAME {
                name_at = bytes.len();
            }
            if label.name.as_str() < CONDITION {
                condition_at = bytes.len();
            }
        }
        Self { bytes: bytes.into(), name_at, condition_at }
    }

    /// The encoding without name and condition: equal for equal labels.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The labels before the name, those between it and a `condition`, and the others.
    pub fn parts(&self) -> [RawLabels<'_>; 3] {
        let (before_name, rest) = self.bytes.split_at(self.name_at);
        let (before_condition, rest) = rest.split_at(self.condition_at - self.name_at);
        [RawLabels(before_name), RawLabels(before_condition), RawLabels(rest)]
    }

    /// Writes all labels of one series, in order.
    pub fn write(&self, name: &EncodedLabel, condition: Option<&EncodedLabel>, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.bytes[..self.name_at]);
        body.extend_from_slice(&name.0);
        if let Some(condition) = condition {
            body.extend_from_slice(&self.bytes[self.name_at..self.condition_at]);
            body.extend_from_slice(&condition.0);
            body.extend_from_slice(&self.bytes[self.condition_at..]);
        } else {
            body.extend_from_slice(&self.bytes[self.name_at..]);
        }
    }
}

/// Reads encoded labels one by one.
#[derive(Debug, Clone)]
pub struct RawLabels<'a>(&'a [u8]);

/// One encoded label. Equal to another if both are the same label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawLabel<'a>(&'a [u8]);

impl<'a> Iterator for RawLabels<'a> {
    type Item = RawLabel<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        take_field(&mut self.0).map(RawLabel)
    }
}

impl<'a> RawLabel<'a> {
    /// Its name and its value.
    pub fn pair(self) -> (&'a [u8], &'a [u8]) {
        let mut fields = self.0;
        let mut next = || take_field(&mut fields).unwrap_or_default();
        (next(), next())
    }
}

/// Takes the next field's contents; keys are a byte here, and every field has a length.
fn take_field<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    *bytes = bytes.get(1..)?;
    let len = decode_varint(bytes).ok()? as usize;
    let (contents, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(contents)
}

fn encode_label(name: &str, value: &str, bytes: &mut Vec<u8>) {
    let label = v1::Label { name: name.into(), value: value.into() };
    let len = prost::Message::encoded_len(&label);
    bytes.reserve(1 + encoded_len_varint(len as u64) + len);
    encode_key(LABELS_FIELD, WireType::LengthDelimited, bytes);
    encode_varint(len as u64, bytes);
    prost::Message::encode_raw(&label, bytes);
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn decoded(labels: &[(&str, &str)], condition: Option<&str>) -> Vec<(String, String)> {
        let labels: Vec<_> =
            labels.iter().map(|&(name, value)| Label { name: name.into(), value: value.into() }).collect();
        let condition = condition.map(EncodedLabel::condition);
        let name = EncodedLabel::metric_name("k6_m");
        let labels = Labels::encode(&labels);
        let mut body = Vec::new();
        labels.write(&name, condition.as_ref(), &mut body);
        let series = v1::TimeSeries::decode(&*body).expect("valid");
        series.labels.into_iter().map(|label| (label.name, label.value)).collect()
    }

    fn names(labels: &[(String, String)]) -> Vec<&str> {
        labels.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn name_and_condition_stand_where_they_sort() {
        let labels = decoded(&[("Zone", "eu"), ("_a", "1"), ("a", "2"), ("method", "GET")], Some("zero"));
        assert_eq!(names(&labels), ["Zone", "__name__", "_a", "a", "condition", "method"]);
        assert_eq!(labels[1].1, "k6_m");
        assert_eq!(labels[4].1, "zero");
        assert_eq!(names(&decoded(&[("a", "1")], None)), ["__name__", "a"]);
        assert_eq!(names(&decoded(&[("A", "1")], Some("zero"))), ["A", "__name__", "condition"]);
        assert_eq!(names(&decoded(&[], Some("zero"))), ["__name__", "condition"]);
    }

    #[test]
    fn a_value_of_64_kib_survives() {
        let long = "x".repeat(1 << 16);
        assert_eq!(decoded(&[("a", &long)], None)[1].1, long);
    }
}
