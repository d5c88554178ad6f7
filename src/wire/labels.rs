//! Labels in wire format: encoded once, copied into every request.

use prost::encoding::{WireType, decode_varint, encoded_len_varint};

use super::fields::{write_key, write_varint};
use super::proto::v1;

/// A Prometheus label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The name, valid and without the prefix `__` ([`crate::series::SeriesDefinition::labels`]).
    pub name: String,
    /// The value. Not empty: to Prometheus an empty value means that the label is missing.
    pub value: String,
}

/// The label with the name of the metric.
pub(super) const NAME: &str = "__name__";

/// The label that distinguishes the two counters of a rate.
pub const CONDITION: &str = "condition";

/// The label that distinguishes the buckets of a trend's classic histogram.
pub const LE: &str = "le";

/// The field numbers of `TimeSeries.labels`, `Label.name` and `Label.value`.
const LABELS_FIELD: u32 = 1;
const NAME_FIELD: u32 = 1;
const VALUE_FIELD: u32 = 2;

/// The names of the labels that are inserted between those of the tags, sorted: name and extra label of the metric.
pub(super) const INSERTED_NAMES: [&str; 3] = [NAME, CONDITION, LE];

/// One label as a field of a `TimeSeries`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EncodedLabel {
    bytes: Box<[u8]>,
    /// Index into [`INSERTED_NAMES`].
    index: usize,
}

impl EncodedLabel {
    /// Encodes the label with the name of the metric.
    pub fn metric_name(name: &str) -> Self {
        Self::new(0, name)
    }

    /// Encodes the label that distinguishes the counters of a rate.
    pub fn condition(value: &str) -> Self {
        Self::new(1, value)
    }

    /// Encodes the label that distinguishes the buckets of a classic histogram.
    pub fn bound(value: &str) -> Self {
        Self::new(2, value)
    }

    fn new(index: usize, value: &str) -> Self {
        let mut bytes = Vec::new();
        encode_label(INSERTED_NAMES[index], value, &mut bytes);
        Self { bytes: bytes.into(), index }
    }

    /// Returns an iterator over this one label.
    pub fn labels(&self) -> RawLabels<'_> {
        RawLabels(&self.bytes)
    }

    /// Returns its index in [`INSERTED_NAMES`], which is that of the part of [`Labels::parts`] that it follows.
    pub(super) fn index(&self) -> usize {
        self.index
    }
}

/// The sorted labels of one tag set, which several series share, with the offsets of name and extra label.
#[derive(Debug, PartialEq, Eq)]
pub struct Labels {
    bytes: Box<[u8]>,
    /// The offset in `bytes` at which each of [`INSERTED_NAMES`] is inserted.
    offsets: [usize; INSERTED_NAMES.len()],
}

impl Labels {
    /// Encodes labels. They must be sorted by name, and must not have the name of an extra label of their series
    /// ([`crate::series::SeriesDefinition::labels`] ensures both).
    pub fn encode(labels: &[Label]) -> Self {
        // Exactly as much as it takes: with many series, the pieces that growing leaves scatter them.
        let len = labels.iter().map(|label| encoded_label_len(&label.name, &label.value)).sum();
        let mut bytes = Vec::with_capacity(len);
        let mut offsets = [0; INSERTED_NAMES.len()];
        for label in labels {
            encode_label(&label.name, &label.value, &mut bytes);
            for (offset, name) in offsets.iter_mut().zip(INSERTED_NAMES) {
                // Remote Write 1.0, "Labels": sorted by name, byte by byte.
                if label.name.as_str() < name {
                    *offset = bytes.len();
                }
            }
        }
        Self { bytes: bytes.into(), offsets }
    }

    /// Returns the encoding without name and extra label. It is equal for equal labels.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Decodes the labels.
    pub fn decode(&self) -> Vec<Label> {
        let series: v1::TimeSeries = prost::Message::decode(&*self.bytes).unwrap_or_default();
        series.labels.into_iter().map(|label| Label { name: label.name, value: label.value }).collect()
    }

    /// Returns the labels in four parts: those before the name, from there to a `condition`, from there to an `le`, and the rest.
    pub fn parts(&self) -> [RawLabels<'_>; INSERTED_NAMES.len() + 1] {
        let mut begin = 0;
        let mut next = |end: usize| RawLabels(&self.bytes[std::mem::replace(&mut begin, end)..end]);
        let [name, condition, bound] = self.offsets;
        [next(name), next(condition), next(bound), next(self.bytes.len())]
    }

    /// Writes all labels of one series, in order.
    pub fn write(&self, name: &EncodedLabel, extra_label: Option<&EncodedLabel>, body: &mut Vec<u8>) {
        let name_offset = self.offsets[name.index];
        body.extend_from_slice(&self.bytes[..name_offset]);
        body.extend_from_slice(&name.bytes);
        if let Some(extra_label) = extra_label {
            let extra_offset = self.offsets[extra_label.index];
            body.extend_from_slice(&self.bytes[name_offset..extra_offset]);
            body.extend_from_slice(&extra_label.bytes);
            body.extend_from_slice(&self.bytes[extra_offset..]);
        } else {
            body.extend_from_slice(&self.bytes[name_offset..]);
        }
    }
}

/// Iterator over encoded labels.
#[derive(Debug, Clone)]
pub struct RawLabels<'a>(&'a [u8]);

/// One encoded label. Equal labels have equal encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawLabel<'a>(&'a [u8]);

impl<'a> Iterator for RawLabels<'a> {
    type Item = RawLabel<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        split_field(&mut self.0).map(RawLabel)
    }
}

impl<'a> RawLabel<'a> {
    /// Returns the name and the value.
    pub fn pair(self) -> (&'a [u8], &'a [u8]) {
        let mut fields = self.0;
        let mut next = || split_field(&mut fields).unwrap_or_default();
        (next(), next())
    }
}

/// Splits the contents of the next field off. Every key is one byte here, and every field is length-delimited.
fn split_field<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    *bytes = bytes.get(1..)?;
    let len = decode_varint(bytes).ok()? as usize;
    let (contents, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(contents)
}

fn encode_label(name: &str, value: &str, bytes: &mut Vec<u8>) {
    bytes.reserve(encoded_label_len(name, value));
    write_key(LABELS_FIELD, WireType::LengthDelimited, bytes);
    write_varint((string_len(name) + string_len(value)) as u64, bytes);
    encode_string(NAME_FIELD, name, bytes);
    encode_string(VALUE_FIELD, value, bytes);
}

fn encoded_label_len(name: &str, value: &str) -> usize {
    let len = string_len(name) + string_len(value);
    1 + encoded_len_varint(len as u64) + len
}

/// Writes a string as proto3 does: nothing if it is empty.
fn encode_string(field: u32, text: &str, bytes: &mut Vec<u8>) {
    if !text.is_empty() {
        write_key(field, WireType::LengthDelimited, bytes);
        write_varint(text.len() as u64, bytes);
        bytes.extend_from_slice(text.as_bytes());
    }
}

fn string_len(text: &str) -> usize {
    if text.is_empty() { 0 } else { 1 + encoded_len_varint(text.len() as u64) + text.len() }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn decoded(labels: &[(&str, &str)], extra_label: Option<EncodedLabel>) -> Vec<(String, String)> {
        let labels: Vec<_> =
            labels.iter().map(|&(name, value)| Label { name: name.into(), value: value.into() }).collect();
        let name = EncodedLabel::metric_name("k6_m");
        let labels = Labels::encode(&labels);
        let mut body = Vec::new();
        labels.write(&name, extra_label.as_ref(), &mut body);
        let series = v1::TimeSeries::decode(&*body).expect("valid");
        series.labels.into_iter().map(|label| (label.name, label.value)).collect()
    }

    fn names(labels: &[(String, String)]) -> Vec<&str> {
        labels.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn name_condition_and_bound_are_inserted_in_sorted_order() {
        let labels = decoded(
            &[("Zone", "eu"), ("_a", "1"), ("a", "2"), ("method", "GET")],
            Some(EncodedLabel::condition("zero")),
        );
        assert_eq!(names(&labels), ["Zone", "__name__", "_a", "a", "condition", "method"]);
        assert_eq!(labels[1].1, "k6_m");
        assert_eq!(labels[4].1, "zero");
        assert_eq!(names(&decoded(&[("a", "1")], None)), ["__name__", "a"]);
        assert_eq!(
            names(&decoded(&[("A", "1")], Some(EncodedLabel::condition("zero")))),
            ["A", "__name__", "condition"]
        );
        assert_eq!(names(&decoded(&[], Some(EncodedLabel::condition("zero")))), ["__name__", "condition"]);
        let labels = decoded(&[("a", "1"), ("name", "2")], Some(EncodedLabel::bound("0.5")));
        assert_eq!(names(&labels), ["__name__", "a", "le", "name"]);
    }

    #[test]
    fn decoding_returns_the_labels() {
        let labels =
            [("Zone", "eu"), ("größe", "ä")].map(|(name, value)| Label { name: name.into(), value: value.into() });
        assert_eq!(Labels::encode(&labels).decode(), labels);
    }

    #[test]
    fn labels_are_encoded_as_by_prost_in_exactly_their_size() {
        for (name, value) in [("a", "b"), ("größe", "ä"), ("", "x"), ("x", ""), ("long", &"v".repeat(300))] {
            let label = v1::Label { name: name.into(), value: value.into() };
            let expected = v1::TimeSeries { labels: vec![label], ..v1::TimeSeries::default() }.encode_to_vec();
            let mut bytes = Vec::new();
            encode_label(name, value, &mut bytes);
            assert_eq!((&bytes, encoded_label_len(name, value)), (&expected, expected.len()));
        }
    }

    #[test]
    fn a_value_of_64_kib_is_encoded() {
        let long = "x".repeat(1 << 16);
        assert_eq!(decoded(&[("a", &long)], None)[1].1, long);
    }
}
