//! Remote Write 2.0: the messages, generated from `proto/remote_write_v2.proto`, and how a series looks in them.

#![allow(missing_docs)] // generated: the schema says what there is to say

use std::collections::hash_map::Entry;
use std::ptr;

use foldhash::{HashMap, HashMapExt};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::labels::{PLACES, RawLabel};
use super::protocol::Message;
use super::{EncodedLabel, Labels, Metric, MetricKind, Point};

include!(concat!(env!("OUT_DIR"), "/remote_write.v2.rs"));

const SYMBOLS: u32 = 4;
const LABELS_REFS: u32 = 1;
const METADATA: u32 = 5;

/// A request whose strings stand once in a table, and are referred to by their place in it.
///
/// What a metric and a set of labels refer to is worked out once for the request: the series of a trend have one set.
pub(super) struct Table<'a> {
    symbols: Symbols<'a>,
    metrics: HashMap<*const Metric, MetricRefs>,
    labels: Option<LabelsRefs<'a>>,
}

/// What a metric refers to, encoded.
struct MetricRefs {
    name: Vec<u8>,
    further: Vec<u8>,
    /// Which of the places of a set of labels `further` belongs to.
    further_place: usize,
    metadata: Vec<u8>,
}

/// What a set of labels refers to, encoded, with the places where the name and the metric's own label belong.
struct LabelsRefs<'a> {
    of: &'a Labels,
    refs: Vec<u8>,
    places: [usize; PLACES.len()],
}

impl<'a> Table<'a> {
    pub(super) fn new() -> Self {
        Self { symbols: Symbols::new(), metrics: HashMap::new(), labels: None }
    }
}

impl<'a> Message<'a> for Table<'a> {
    const TIMESERIES: u32 = 5;
    const HISTOGRAMS: u32 = 3;
    const HAS_START: bool = true;

    fn write_labels(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        let (symbols, metric) = (&mut self.symbols, &*point.metric);
        let known = self.labels.take().filter(|known| ptr::eq(known.of, &*point.labels));
        let labels = known.unwrap_or_else(|| LabelsRefs::of(&point.labels, symbols));
        let own = self.metrics.entry(ptr::from_ref(metric)).or_insert_with(|| MetricRefs::of(metric, symbols));
        encode_key(LABELS_REFS, WireType::LengthDelimited, series);
        encode_varint((labels.refs.len() + own.name.len() + own.further.len()) as u64, series);
        // Remote Write 2.0, "Series Labels": sorted by name.
        let (name_at, further_at) = (labels.places[0], labels.places[own.further_place]);
        series.extend_from_slice(&labels.refs[..name_at]);
        series.extend_from_slice(&own.name);
        series.extend_from_slice(&labels.refs[name_at..further_at]);
        series.extend_from_slice(&own.further);
        series.extend_from_slice(&labels.refs[further_at..]);
        self.labels = Some(labels);
    }

    fn write_metadata(&mut self, point: &'a Point, series: &mut Vec<u8>) {
        if let Some(own) = self.metrics.get(&ptr::from_ref(&*point.metric)) {
            series.extend_from_slice(&own.metadata);
        }
    }

    fn preface_len(&self) -> usize {
        self.symbols.encoded.len()
    }

    fn write_preface(&self, _: usize, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.symbols.encoded);
    }
}

impl MetricRefs {
    fn of<'a>(metric: &'a Metric, symbols: &mut Symbols<'a>) -> Self {
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
        let further_place = metric.further.as_ref().map_or(0, EncodedLabel::place);
        let mut refs = Self { name: Vec::new(), further: Vec::new(), further_place, metadata: Vec::new() };
        encode_key(METADATA, WireType::LengthDelimited, &mut refs.metadata);
        encode_varint(metadata.encoded_len() as u64, &mut refs.metadata);
        metadata.encode_raw(&mut refs.metadata);
        for label in metric.encoded_name.labels() {
            symbols.write_label(label, &mut refs.name);
        }
        for label in metric.further.iter().flat_map(EncodedLabel::labels) {
            symbols.write_label(label, &mut refs.further);
        }
        refs
    }
}

impl<'a> LabelsRefs<'a> {
    fn of(labels: &'a Labels, symbols: &mut Symbols<'a>) -> Self {
        let (mut refs, mut places) = (Vec::new(), [0; PLACES.len()]);
        for (number, part) in labels.parts().into_iter().enumerate() {
            part.for_each(|label| symbols.write_label(label, &mut refs));
            if let Some(place) = places.get_mut(number) {
                *place = refs.len();
            }
        }
        Self { of: labels, refs, places }
    }
}

/// The strings of one request (Remote Write 2.0, "Symbols"): each once, the first one empty.
struct Symbols<'a> {
    indexes: HashMap<&'a [u8], u32>,
    /// What labels refer to: most are in many sets, and are looked up once, not as a name and a value.
    labels: HashMap<RawLabel<'a>, [u32; 2]>,
    encoded: Vec<u8>,
}

impl<'a> Symbols<'a> {
    fn new() -> Self {
        let mut symbols = Self { indexes: HashMap::new(), labels: HashMap::new(), encoded: Vec::new() };
        symbols.index(b"");
        symbols
    }

    fn index(&mut self, symbol: &'a [u8]) -> u32 {
        let next = self.indexes.len() as u32;
        match self.indexes.entry(symbol) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                encode_key(SYMBOLS, WireType::LengthDelimited, &mut self.encoded);
                encode_varint(symbol.len() as u64, &mut self.encoded);
                self.encoded.extend_from_slice(symbol);
                *place.insert(next)
            }
        }
    }

    fn write_label(&mut self, label: RawLabel<'a>, refs: &mut Vec<u8>) {
        let known = self.labels.get(&label).copied();
        let indexes = known.unwrap_or_else(|| {
            let (name, value) = label.pair();
            let indexes = [self.index(name), self.index(value)];
            self.labels.insert(label, indexes);
            indexes
        });
        for index in indexes {
            encode_varint(index.into(), refs);
        }
    }
}
