//! Labels in wire form, encoded once and copied into every request.

use prost::encoding::{WireType, decode_varint, encode_key, encode_varint, encoded_len_varint};

use super::proto::v1;

/// A Prometheus label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Matches `[a-zA-Z_][a-zA-Z0-9_]*` and has no `__` prefix.
    pub name: String,
    /// Any text but the empty one, which Prometheus takes for no label.
    pub value: String,
}

/// The metric's name as a label.
const NAME: &str = "__name__";

/// The label that tells a rate's two counters apart.
pub const CONDITION: &str = "condition";

/// The label that tells the buckets of a trend's classic histogram apart.
pub const LE: &str = "le";

/// The field number of `TimeSeries.labels`.
const LABELS_FIELD: u32 = 1;

/// The labels that tell the series of one tag set apart, in the order in which they sort.
pub(super) const PLACES: [&str; 3] = [NAME, CONDITION, LE];

/// One label as a field of a `TimeSeries`.
#[derive(Debug, Clone)]
pub struct EncodedLabel {
    bytes: Box<[u8]>,
    /// Index into [`PLACES`].
    place: usize,
}

impl EncodedLabel {
    /// The label that names the metric.
    pub fn metric_name(name: &str) -> Self {
        Self::new(0, name)
    }

    /// The label that tells a rate's counters apart.
    pub fn condition(value: &str) -> Self {
        Self::new(1, value)
    }

    /// The label that tells the buckets of a classic histogram apart.
    pub fn bound(value: &str) -> Self {
        Self::new(2, value)
    }

    fn new(place: usize, value: &str) -> Self {
        let mut bytes = Vec::new();
        encode_label(PLACES[place], value, &mut bytes);
        Self { bytes: bytes.into(), place }
    }

    /// It alone, to be read.
    pub fn labels(&self) -> RawLabels<'_> {
        RawLabels(&self.bytes)
    }

    /// Which of the places of [`Labels::parts`] it belongs to: the number of the part that it follows.
    pub(super) fn place(&self) -> usize {
        self.place
    }
}

/// The labels that all series of one tag set share, sorted, with the places where its name and a extra label belong.
#[derive(Debug, PartialEq, Eq)]
pub struct Labels {
    bytes: Box<[u8]>,
    /// Where in `bytes` each of [`PLACES`] belongs.
    places: [usize; PLACES.len()],
}

impl Labels {
    /// Encodes labels, which must be sorted by name and contain none of [`PLACES`] that their series are told apart by
    /// ([`crate::series::SeriesDefinition::labels`] sees to it).
    pub fn encode(labels: &[Label]) -> Self {
        let mut bytes = Vec::new();
        let mut places = [0; PLACES.len()];
        for label in labels {
            encode_label(&label.name, &label.value, &mut bytes);
            for (place, name) in places.iter_mut().zip(PLACES) {
                // Remote Write 1.0, "Labels": sorted by name, byte by byte.
                if label.name.as_str() < name {
                    *place = bytes.len();
                }
            }
        }
        Self { bytes: bytes.into(), places }
    }

    /// The encoding without name and extra label: equal for equal labels.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The labels again.
    pub fn decode(&self) -> Vec<Label> {
        let series: v1::TimeSeries = prost::Message::decode(&*self.bytes).unwrap_or_default();
        series.labels.into_iter().map(|label| Label { name: label.name, value: label.value }).collect()
    }

    /// The labels between the places where others may belong: before the name, from there to a `condition`, to an `le`, and the rest.
    pub fn parts(&self) -> [RawLabels<'_>; PLACES.len() + 1] {
        let mut begin = 0;
        let mut next = |end: usize| RawLabels(&self.bytes[std::mem::replace(&mut begin, end)..end]);
        let [name, condition, bound] = self.places;
        [next(name), next(condition), next(bound), next(self.bytes.len())]
    }

    /// Writes all labels of one series, in order.
    pub fn write(&self, name: &EncodedLabel, extra_label: Option<&EncodedLabel>, body: &mut Vec<u8>) {
        let name_at = self.places[name.place];
        body.extend_from_slice(&self.bytes[..name_at]);
        body.extend_from_slice(&name.bytes);
        if let Some(extra_label) = extra_label {
            let extra_label_at = self.places[extra_label.place];
            body.extend_from_slice(&self.bytes[name_at..extra_label_at]);
            body.extend_from_slice(&extra_label.bytes);
            body.extend_from_slice(&self.bytes[extra_label_at..]);
        } else {
            body.extend_from_slice(&self.bytes[name_at..]);
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
    fn name_condition_and_bound_stand_where_they_sort() {
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
    fn labels_come_back_as_they_were() {
        let labels =
            [("Zone", "eu"), ("größe", "ä")].map(|(name, value)| Label { name: name.into(), value: value.into() });
        assert_eq!(Labels::encode(&labels).decode(), labels);
    }

    #[test]
    fn a_value_of_64_kib_survives() {
        let long = "x".repeat(1 << 16);
        assert_eq!(decoded(&[("a", &long)], None)[1].1, long);
    }
}
