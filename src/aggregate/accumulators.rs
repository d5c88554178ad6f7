//! The accumulators of a destination, those of one type side by side.
//!
//! A test may have more series than fit into the processor's caches; then a sample costs what its accumulator costs to fetch.
//! So accumulators have nothing beside the values, and samples are sorted by type before they are recorded: the processor
//! fetches several accumulators at once, since there is nothing between them that it has to guess.

use super::{Counter, Gauge, Rate, Trend, Trends};
use crate::export::TrendForms;
use crate::k6::{MetricType, ValueType};

const MILLISECONDS_PER_SECOND: f64 = 1000.0;

/// The accumulators of a destination.
#[derive(Debug, Default)]
pub struct Accumulators {
    counters: Vec<Counter>,
    gauges: Vec<Gauge>,
    rates: Vec<Rate>,
    trends: Trends,
}

/// The place of an accumulator, and the unit of its samples. Every sample reads one, so it is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    index: u32,
    kind: Kind,
    /// True if k6's unit is milliseconds: accumulators have Prometheus's units.
    milliseconds: bool,
}

/// The kinds of accumulators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Rate,
    Trend,
}

/// Values to record, sorted by the kind of their accumulators. The memory is reused.
#[derive(Debug, Default)]
pub struct Sorted([Vec<Entry>; 4]);

#[derive(Debug, Clone, Copy)]
struct Entry {
    index: u32,
    value: f64,
    time_ms: i64,
}

impl Slot {
    /// Converts a value of k6's unit to Prometheus's. This is the only conversion of milliseconds to seconds.
    #[inline]
    pub(super) fn convert(self, value: f64) -> f64 {
        value / if self.milliseconds { MILLISECONDS_PER_SECOND } else { 1.0 }
    }

    pub(super) fn kind(self) -> Kind {
        self.kind
    }
}

impl Sorted {
    /// Adds a value in k6's unit, finite except for gauges. `time_ms` only decides which value of a gauge is the latest.
    #[inline]
    pub fn add(&mut self, slot: Slot, value: f64, time_ms: i64) {
        debug_assert!(value.is_finite() || slot.kind == Kind::Gauge);
        self.0[slot.kind as usize].push(Entry { index: slot.index, value: slot.convert(value), time_ms });
    }
}

impl Accumulators {
    /// Adds an accumulator without values, for samples of these types. `forms` are the forms of a trend; they differ from those of
    /// the other trends only in bounds.
    pub fn add(&mut self, metric_type: MetricType, value_type: ValueType, forms: &TrendForms) -> Slot {
        let (kind, index) = match metric_type {
            MetricType::Counter => (Kind::Counter, push_default(&mut self.counters)),
            MetricType::Gauge | MetricType::RunInfo => (Kind::Gauge, push_default(&mut self.gauges)),
            MetricType::Rate => (Kind::Rate, push_default(&mut self.rates)),
            MetricType::Trend => (Kind::Trend, self.trends.add(forms)),
        };
        // So many do not fit into memory.
        Slot { index: index as u32, kind, milliseconds: value_type == ValueType::Time }
    }

    /// Records all of `sorted` and empties it. Those of one accumulator are recorded in the order in which they were added.
    pub fn record(&mut self, sorted: &mut Sorted) {
        let [counters, gauges, rates, trends] = &mut sorted.0;
        for entry in counters.drain(..) {
            self.counters[entry.index as usize].record(entry.value);
        }
        for entry in gauges.drain(..) {
            self.gauges[entry.index as usize].record(entry.value, entry.time_ms);
        }
        for entry in rates.drain(..) {
            self.rates[entry.index as usize].record(entry.value);
        }
        self.trends.record(trends.iter().map(|entry| (entry.index as usize, entry.value)));
        trends.clear();
    }

    /// Returns what the accumulator has recorded.
    pub fn get(&self, slot: Slot) -> Accumulator<'_> {
        let index = slot.index as usize;
        match slot.kind {
            Kind::Counter => Accumulator::Counter(&self.counters[index]),
            Kind::Gauge => Accumulator::Gauge(&self.gauges[index]),
            Kind::Rate => Accumulator::Rate(&self.rates[index]),
            Kind::Trend => Accumulator::Trend(self.trends.get(index)),
        }
    }

    /// Starts the next window of an accumulator. Keeps the values of the run.
    pub fn close_window(&mut self, slot: Slot) {
        let index = slot.index as usize;
        match slot.kind {
            Kind::Counter => {}
            Kind::Gauge => self.gauges[index].close_window(),
            Kind::Rate => self.rates[index].close_window(),
            Kind::Trend => self.trends.close_window(index),
        }
    }

    /// Makes the next value of every gauge its latest, whatever its time: for a clock that went back.
    pub fn forget_gauge_times(&mut self) {
        self.gauges.iter_mut().for_each(Gauge::forget_time);
    }
}

/// Appends an empty accumulator and returns its index.
fn push_default<T: Default>(accumulators: &mut Vec<T>) -> usize {
    accumulators.push(T::default());
    accumulators.len() - 1
}

/// What an accumulator has recorded.
#[derive(Debug, Clone, Copy)]
pub enum Accumulator<'a> {
    /// Sum.
    Counter(&'a Counter),
    /// Latest value.
    Gauge(&'a Gauge),
    /// Counts of zero and non-zero values.
    Rate(&'a Rate),
    /// Distribution.
    Trend(Trend<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Span;

    const FORMS: TrendForms = TrendForms { statistics: Some(Span::Window), native: false, classic: None };

    #[test]
    fn a_slot_takes_eight_bytes() {
        assert_eq!(size_of::<Slot>(), 8);
    }

    #[test]
    fn each_value_is_recorded_in_its_own_accumulator_and_unit() {
        let (mut accumulators, mut sorted) = (Accumulators::default(), Sorted::default());
        let types = [MetricType::Counter, MetricType::Gauge, MetricType::Rate, MetricType::Trend];
        let mut add = |value_type| types.map(|metric_type| accumulators.add(metric_type, value_type, &FORMS));
        let slots = [add(ValueType::Default), add(ValueType::Time)].concat();
        for round in [1000.0, 500.0] {
            for (number, &slot) in slots.iter().enumerate() {
                sorted.add(slot, round * (number + 1) as f64, -(round as i64));
            }
        }
        accumulators.record(&mut sorted);
        accumulators.record(&mut sorted); // is empty now
        let value = |slot: &Slot| match accumulators.get(*slot) {
            Accumulator::Counter(counter) => counter.total(),
            Accumulator::Gauge(gauge) => gauge.latest().expect("has a value"),
            Accumulator::Rate(rate) => rate.nonzero() as f64,
            Accumulator::Trend(trend) => trend.sum().expect("has statistics"),
        };
        let values: Vec<_> = slots.iter().map(value).collect();
        assert_eq!(values, [1500.0, 1000.0, 2.0, 6000.0, 7.5, 3.0, 2.0, 12.0]);
    }
}
