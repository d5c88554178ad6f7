//! Remote Write 2.0: strings stand once in a table of symbols, and a series refers to them.

use std::hash::BuildHasher;
use std::ops::Range;
use std::ptr;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::labels::{PLACES, RawLabel};
use super::proto::v2::{Metadata, metadata};
use super::protocol::Message;
use super::{EncodedLabel, Labels, Metric, MetricKind, Point};

const SYMBOLS: u32 = 4;
const LABELS_REFS: u32 = 1;
const METADATA: u32 = 5;

/// A request whose strings stand once in a table, and are referred to by their place in it.
///
/// What a metric and a set of labels refer to is worked out once for the request: the series of a trend have one set.
pub(super) struct Table<'a> {
    symbols: &'a mut Symbols,
    metrics: HashMap<*const Metric, MetricRefs>,
    labels: LabelsRefs<'a>,
}

/// What a metric refers to, encoded.
struct MetricRefs {
    name: Vec<u8>,
    extra_label: Vec<u8>,
    /// Which of the places of a set of labels `extra_label` belongs to.
    extra_label_offset: usize,
    metadata: Vec<u8>,
}

/// What the latest set of labels refers to, encoded, with the places where the name and the metric's own label belong.
#[derive(Default)]
struct LabelsRefs<'a> {
    of: Option<&'a Labels>,
    refs: Vec<u8>,
    places: [usize; PLACES.len()],
    /// Its labels in order, each with what refers to it: the next set has most of them again at the same places, and they are not
    /// looked up.
    labels: Vec<(RawLabel<'a>, [u32; 2])>,
}

impl<'a> Table<'a> {
    /// Begins a request; what `symbols` has of the one before is cleared.
    pub(super) fn new(symbols: &'a mut Symbols) -> Self {
        symbols.clear();
        Self { symbols, metrics: HashMap::new(), labels: LabelsRefs::default() }
    }
}

impl<'a> Message<'a> for Table<'a> {
    const TIMESERIES: u32 = 5;
    const HISTOGRAMS: u32 = 3;
    const HAS_START: bool = true;

    fn write_labels(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        let Self { symbols, metrics, labels } = self;
        labels.become_of(&point.labels, symbols);
        let metric = &*point.metric;
        let own = metrics.entry(ptr::from_ref(metric)).or_insert_with(|| MetricRefs::of(metric, symbols));
        encode_key(LABELS_REFS, WireType::LengthDelimited, series);
        encode_varint((labels.refs.len() + own.name.len() + own.extra_label.len()) as u64, series);
        // Remote Write 2.0, "Series Labels": sorted by name.
        let (name_at, extra_label_at) = (labels.places[0], labels.places[own.extra_label_offset]);
        series.extend_from_slice(&labels.refs[..name_at]);
        series.extend_from_slice(&own.name);
        series.extend_from_slice(&labels.refs[name_at..extra_label_at]);
        series.extend_from_slice(&own.extra_label);
        series.extend_from_slice(&labels.refs[extra_label_at..]);
    }

    fn write_metadata(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        if let Some(own) = self.metrics.get(&ptr::from_ref(&*point.metric)) {
            series.extend_from_slice(&own.metadata);
        }
    }

    fn preface_len(&self) -> usize {
        self.symbols.strings.encoded.len()
    }

    fn write_preface(&self, _: usize, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.symbols.strings.encoded);
    }
}

impl MetricRefs {
    fn of(metric: &Metric, symbols: &mut Symbols) -> Self {
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
        let extra_label_offset = metric.extra_label.as_ref().map_or(0, EncodedLabel::place);
        let mut refs = Self { name: Vec::new(), extra_label: Vec::new(), extra_label_offset, metadata: Vec::new() };
        encode_key(METADATA, WireType::LengthDelimited, &mut refs.metadata);
        encode_varint(metadata.encoded_len() as u64, &mut refs.metadata);
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

impl<'a> LabelsRefs<'a> {
    fn become_of(&mut self, labels: &'a Labels, symbols: &mut Symbols) {
        if self.of.is_some_and(|known| ptr::eq(known, labels)) {
            return;
        }
        self.of = Some(labels);
        self.refs.clear();
        let mut count = 0;
        for (number, part) in labels.parts().into_iter().enumerate() {
            for label in part {
                self.write(count, label, symbols);
                count += 1;
            }
            if let Some(place) = self.places.get_mut(number) {
                *place = self.refs.len();
            }
        }
        self.labels.truncate(count);
    }

    fn write(&mut self, at: usize, label: RawLabel<'a>, symbols: &mut Symbols) {
        if self.labels.get(at).is_none_or(|&(known, _)| known != label) {
            let refs = symbols.label(label);
            match self.labels.get_mut(at) {
                Some(known) => *known = (label, refs),
                None => self.labels.push((label, refs)),
            }
        }
        write_refs(self.labels[at].1, &mut self.refs);
    }
}

/// The strings of one request (Remote Write 2.0, "Symbols"): each once, the first one empty. Its memory serves the next request.
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
        self.strings.places.clear();
        self.index(b"");
    }

    fn index(&mut self, symbol: &[u8]) -> u32 {
        let Self { hasher, indexes, strings, .. } = self;
        let hash_of = |string: &[u8]| hasher.hash_one(string);
        match indexes.entry(hash_of(symbol), |&at| strings.get(at) == symbol, |&at| hash_of(strings.get(at))) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => *place.insert(strings.push(symbol)).get(),
        }
    }

    fn label(&mut self, label: RawLabel<'_>) -> [u32; 2] {
        let (name, value) = label.pair();
        [self.index(name), self.index(value)]
    }
}

fn write_refs(indexes: [u32; 2], refs: &mut Vec<u8>) {
    for index in indexes {
        encode_varint(index.into(), refs);
    }
}

/// Strings by their index, as they stand in the request.
#[derive(Default)]
struct Strings {
    encoded: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Strings {
    fn get(&self, index: u32) -> &[u8] {
        &self.encoded[self.places[index as usize].clone()]
    }

    /// Adds one that is not there yet.
    fn push(&mut self, string: &[u8]) -> u32 {
        encode_key(SYMBOLS, WireType::LengthDelimited, &mut self.encoded);
        encode_varint(string.len() as u64, &mut self.encoded);
        let begin = self.encoded.len();
        self.encoded.extend_from_slice(string);
        self.places.push(begin..self.encoded.len());
        self.places.len() as u32 - 1
    }
}
