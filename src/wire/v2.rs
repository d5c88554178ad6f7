//! Remote Write 2.0: a request has a table of symbols, and its series refer to them by index.

use std::hash::BuildHasher;
use std::ops::Range;
use std::ptr;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use prost::Message as _;
use prost::encoding::{WireType, uint32};

use super::fields::{write_key, write_varint};
use super::labels::{INSERTED_NAMES, RawLabel};
use super::proto::v2::{Metadata, metadata};
use super::protocol::Message;
use super::{EncodedLabel, Labels, Metric, MetricKind, Point};

const SYMBOLS: u32 = 4;
const LABELS_REFS: u32 = 1;
const METADATA: u32 = 5;

/// A request with a table of symbols.
///
/// The references of a metric are encoded once a request, and those of a set of labels once for adjacent points: all series of a
/// trend have one set.
pub(super) struct Request<'a> {
    symbols: &'a mut Symbols,
    metrics: Metrics,
    labels: LabelRefs<'a>,
}

/// The metrics of the points so far.
#[derive(Default)]
struct Metrics {
    known: Vec<(*const Metric, MetricRefs)>,
    /// The index of each in `known`.
    indexes: HashMap<*const Metric, usize>,
    /// The index of the metric of the latest point.
    current: usize,
}

/// The references of a metric, encoded.
struct MetricRefs {
    name: Vec<u8>,
    extra_label: Vec<u8>,
    /// Index of the extra label in [`INSERTED_NAMES`].
    extra_label_index: usize,
    metadata: Vec<u8>,
}

/// The references of the latest set of labels, encoded, with the offsets of the metric's name and extra label.
#[derive(Default)]
struct LabelRefs<'a> {
    source: Option<&'a Labels>,
    refs: Vec<u8>,
    offsets: [usize; INSERTED_NAMES.len()],
    /// The labels, each with its references. Most labels of the next set are the same at the same index: they are not looked up.
    labels: Vec<(RawLabel<'a>, [u32; 2])>,
}

impl<'a> Request<'a> {
    /// Starts a request. Clears the symbols of the previous request.
    pub(super) fn new(symbols: &'a mut Symbols) -> Self {
        symbols.clear();
        Self { symbols, metrics: Metrics::default(), labels: LabelRefs::default() }
    }
}

impl<'a> Message<'a> for Request<'a> {
    const TIMESERIES: u32 = 5;
    const HISTOGRAMS: u32 = 3;
    const EXEMPLARS: u32 = 4;
    const HAS_START: bool = true;

    fn write_labels(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        let Self { symbols, metrics, labels } = self;
        labels.set(&point.labels, symbols);
        let refs = metrics.set(point.metric, symbols);
        write_key(LABELS_REFS, WireType::LengthDelimited, series);
        write_varint((labels.refs.len() + refs.name.len() + refs.extra_label.len()) as u64, series);
        // Remote Write 2.0, "Series Labels": sorted by name.
        let (name_offset, extra_offset) = (labels.offsets[0], labels.offsets[refs.extra_label_index]);
        series.extend_from_slice(&labels.refs[..name_offset]);
        series.extend_from_slice(&refs.name);
        if refs.extra_label.is_empty() {
            series.extend_from_slice(&labels.refs[name_offset..]);
        } else {
            series.extend_from_slice(&labels.refs[name_offset..extra_offset]);
            series.extend_from_slice(&refs.extra_label);
            series.extend_from_slice(&labels.refs[extra_offset..]);
        }
    }

    fn write_exemplar_labels(&mut self, labels: &Labels, exemplar: &mut Vec<u8>) {
        let indexes: Vec<u32> =
            labels.parts().into_iter().flatten().flat_map(|label| self.symbols.label(label)).collect();
        // As in a series, and packed, too.
        uint32::encode_packed(LABELS_REFS, &indexes, exemplar);
    }

    fn write_metadata(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        series.extend_from_slice(&self.metrics.set(point.metric, self.symbols).metadata);
    }

    fn preface_len(&self) -> usize {
        self.symbols.strings.encoded.len()
    }

    fn add_metadata(&mut self, _: usize) {}

    fn truncate_preface(&mut self, len: usize) {
        // The indexes of these symbols stay until the next request clears them: nothing is looked up before that.
        self.symbols.strings.encoded.truncate(len);
    }

    fn write_preface(&self, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.symbols.strings.encoded);
    }
}

impl Metrics {
    /// Returns the references of a metric, which are encoded if it is new.
    fn set(&mut self, metric: &'static Metric, symbols: &mut Symbols) -> &MetricRefs {
        let metric_at = |index: usize| self.known.get(index).is_some_and(|&(known, _)| ptr::eq(known, metric));
        // The metrics of one target series after the other come in the same order.
        let next = if self.current + 1 < self.known.len() { self.current + 1 } else { 0 };
        if metric_at(next) {
            self.current = next;
        } else if !metric_at(self.current) {
            self.current = *self.indexes.entry(metric).or_insert_with(|| {
                self.known.push((metric, MetricRefs::encode(metric, symbols)));
                self.known.len() - 1
            });
        }
        &self.known[self.current].1
    }
}

impl MetricRefs {
    fn encode(metric: &Metric, symbols: &mut Symbols) -> Self {
        let kind = match metric.kind {
            MetricKind::Counter => metadata::MetricType::Counter,
            MetricKind::Histogram => metadata::MetricType::Histogram,
            MetricKind::Gauge => metadata::MetricType::Gauge,
        };
        let metadata = Metadata {
            r#type: kind.into(),
            help_ref: symbols.index(metric.help.as_bytes()),
            unit_ref: symbols.index(metric.unit.as_bytes()),
        };
        let extra_label_index = metric.extra_label.as_ref().map_or(0, EncodedLabel::index);
        let mut refs = Self { name: Vec::new(), extra_label: Vec::new(), extra_label_index, metadata: Vec::new() };
        write_key(METADATA, WireType::LengthDelimited, &mut refs.metadata);
        write_varint(metadata.encoded_len() as u64, &mut refs.metadata);
        metadata.encode_raw(&mut refs.metadata);
        for label in metric.encoded_name.labels() {
            write_refs(symbols.label(label), &mut refs.name);
        }
        for label in metric.extra_label.iter().flat_map(EncodedLabel::labels) {
            write_refs(symbols.label(label), &mut refs.extra_label);
        }
        refs
    }
}

impl<'a> LabelRefs<'a> {
    fn set(&mut self, labels: &'a Labels, symbols: &mut Symbols) {
        if self.source.is_some_and(|known| ptr::eq(known, labels)) {
            return;
        }
        self.source = Some(labels);
        self.refs.clear();
        let mut count = 0;
        for (index, part) in labels.parts().into_iter().enumerate() {
            for label in part {
                self.write(count, label, symbols);
                count += 1;
            }
            if let Some(offset) = self.offsets.get_mut(index) {
                *offset = self.refs.len();
            }
        }
        self.labels.truncate(count);
    }

    fn write(&mut self, index: usize, label: RawLabel<'a>, symbols: &mut Symbols) {
        if self.labels.get(index).is_none_or(|&(known, _)| known != label) {
            let refs = symbols.label(label);
            match self.labels.get_mut(index) {
                Some(known) => *known = (label, refs),
                None => self.labels.push((label, refs)),
            }
        }
        write_refs(self.labels[index].1, &mut self.refs);
    }
}

/// The symbols of one request (Remote Write 2.0, "Symbols"): each string once, the first one empty. The next request reuses the
/// memory.
#[derive(Default)]
pub(super) struct Symbols {
    hasher: DefaultHashBuilder,
    indexes: HashTable<u32>,
    strings: Strings,
}

impl Symbols {
    fn clear(&mut self) {
        self.indexes.clear();
        self.strings.encoded.clear();
        self.strings.ranges.clear();
        self.index(b"");
    }

    /// Returns the index of a symbol, which is added if it is new.
    fn index(&mut self, symbol: &[u8]) -> u32 {
        let Self { hasher, indexes, strings, .. } = self;
        let hash_of = |string: &[u8]| hasher.hash_one(string);
        match indexes.entry(
            hash_of(symbol),
            |&index| strings.get(index) == symbol,
            |&index| hash_of(strings.get(index)),
        ) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => *vacant.insert(strings.push(symbol)).get(),
        }
    }

    fn label(&mut self, label: RawLabel<'_>) -> [u32; 2] {
        let (name, value) = label.pair();
        [self.index(name), self.index(value)]
    }
}

fn write_refs(indexes: [u32; 2], refs: &mut Vec<u8>) {
    for index in indexes {
        write_varint(index.into(), refs);
    }
}

/// The strings by their index, encoded as fields of the request.
#[derive(Default)]
struct Strings {
    encoded: Vec<u8>,
    /// For each index the range of its string in `encoded`.
    ranges: Vec<Range<usize>>,
}

impl Strings {
    fn get(&self, index: u32) -> &[u8] {
        &self.encoded[self.ranges[index as usize].clone()]
    }

    /// Adds a new string and returns its index.
    fn push(&mut self, string: &[u8]) -> u32 {
        write_key(SYMBOLS, WireType::LengthDelimited, &mut self.encoded);
        write_varint(string.len() as u64, &mut self.encoded);
        let begin = self.encoded.len();
        self.encoded.extend_from_slice(string);
        self.ranges.push(begin..self.encoded.len());
        self.ranges.len() as u32 - 1
    }
}
