//! Exemplars: which samples of a window stand for the others.
//!
//! Of a trend the largest one, and one that all others are equally likely to be; of a counter the latest; of a rate the latest that
//! is not zero, and the latest zero: a failure to look for is a one of `http_req_failed`, and a zero of `checks`. A gauge is a sample
//! itself. They are kept by target series, and only of those with samples that have metadata: most runs have none, and
//! accumulators have nothing for them.

use std::cmp::Ordering;
use std::sync::Arc;

use hashbrown::HashMap;

use super::accumulators::{Kind, Slot};
use crate::k6::Sample;
use crate::wire::{Exemplar, Labels};

/// The exemplars of the open window, by target series. Memory for each series that ever had one: two exemplars.
#[derive(Debug, Default)]
pub struct Exemplars {
    series: HashMap<Slot, Candidates>,
    random: fastrand::Rng,
}

/// The candidates of a target series.
#[derive(Debug, Default)]
struct Candidates {
    /// The largest of a trend, the latest of a counter, the latest of a rate that is not zero.
    first: Option<Exemplar>,
    /// One of the others of a trend, the latest zero of a rate.
    other: Option<Exemplar>,
    /// The number of others that there were.
    others: u64,
    /// Time and value of the last exemplar of the windows before.
    exported: Option<(i64, f64)>,
}

impl Exemplars {
    /// Offers a sample of a series, whose value must be finite. `labels` returns its labels; it is called only if the sample is a candidate.
    pub fn offer(&mut self, slot: Slot, sample: &Sample, labels: impl FnOnce() -> Arc<Labels>) {
        let (kind, value, time_ms) = (slot.kind(), slot.convert(sample.value), sample.time_ms);
        if kind == Kind::Gauge {
            return;
        }
        let candidates = self.series.entry(slot).or_default();
        let exemplar = || Exemplar { labels: labels(), value, time_ms };
        match kind {
            Kind::Trend => candidates.keep_largest(value, &mut self.random, exemplar),
            Kind::Rate if value == 0.0 => keep_latest(&mut candidates.other, time_ms, exemplar),
            _ => keep_latest(&mut candidates.first, time_ms, exemplar),
        }
    }

    /// Ends the window of a series and returns its exemplars, in the order in which receivers accept them. No two have the same
    /// time and value. One from before the last exported exemplar gets a time after it, since k6 hands over a sample late when it
    /// is short of CPU, as when a request is slow.
    pub fn close_window(&mut self, slot: Slot) -> Vec<Exemplar> {
        let Some(candidates) = self.series.get_mut(&slot) else { return Vec::new() };
        candidates.others = 0;
        let exported = candidates.exported;
        let in_order = |exemplar: Exemplar| match exported {
            Some(last) if order((exemplar.time_ms, exemplar.value), last).is_le() => {
                Exemplar { time_ms: last.0.saturating_add(1), ..exemplar }
            }
            _ => exemplar,
        };
        let chosen = candidates.first.take().into_iter().chain(candidates.other.take());
        let mut exemplars: Vec<_> = chosen.map(in_order).collect();
        exemplars.sort_by(Exemplar::order);
        exemplars.dedup_by(|next, kept| next.order(kept).is_eq());
        if let Some(last) = exemplars.last() {
            candidates.exported = Some((last.time_ms, last.value));
        }
        exemplars
    }

    /// Returns true if no series ever had a candidate.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Accepts samples of all times again: for a clock that went back.
    pub fn forget_times(&mut self) {
        self.series.values_mut().for_each(|candidates| candidates.exported = None);
    }
}

impl Candidates {
    /// Keeps the largest sample of a trend, and one of the others.
    fn keep_largest(&mut self, value: f64, random: &mut fastrand::Rng, exemplar: impl FnOnce() -> Exemplar) {
        let Some(largest) = &self.first else {
            self.first = Some(exemplar());
            return;
        };
        let is_larger = value > largest.value;
        self.others += 1;
        // Each sample is offered once: a former largest one when it is replaced.
        let is_chosen = random.u64(..self.others) == 0;
        match (is_larger, is_chosen) {
            (true, true) => self.other = self.first.replace(exemplar()),
            (true, false) => self.first = Some(exemplar()),
            (false, true) => self.other = Some(exemplar()),
            (false, false) => {}
        }
    }
}

fn keep_latest(kept: &mut Option<Exemplar>, time_ms: i64, exemplar: impl FnOnce() -> Exemplar) {
    if kept.as_ref().is_none_or(|latest| time_ms >= latest.time_ms) {
        *kept = Some(exemplar());
    }
}

/// The order of [`Exemplar::order`].
fn order(a: (i64, f64), b: (i64, f64)) -> Ordering {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Accumulators;
    use super::*;
    use crate::export::{Span, TrendForms};
    use crate::k6::{MetricType, ValueType};

    fn slot(metric_type: MetricType) -> Slot {
        let forms = TrendForms { statistics: Some(Span::Window), native: false, classic: None };
        Accumulators::default().add(metric_type, ValueType::Time, &forms)
    }

    fn exemplars(seed: u64) -> Exemplars {
        Exemplars { random: fastrand::Rng::with_seed(seed), ..Exemplars::default() }
    }

    /// Offers samples with these times and values.
    fn offer(exemplars: &mut Exemplars, slot: Slot, samples: &[(i64, f64)]) {
        let labels = Arc::new(Labels::encode(&[]));
        for &(time_ms, value) in samples {
            exemplars.offer(slot, &Sample { series: 1, time_ms, value }, || Arc::clone(&labels));
        }
    }

    /// Ends the window and returns times and values.
    fn close(exemplars: &mut Exemplars, slot: Slot) -> Vec<(i64, f64)> {
        exemplars.close_window(slot).iter().map(|exemplar| (exemplar.time_ms, exemplar.value)).collect()
    }

    #[test]
    fn a_trend_has_its_largest_sample_and_another_in_seconds() {
        let (mut exemplars, trend) = (exemplars(1), slot(MetricType::Trend));
        offer(&mut exemplars, trend, &[(5, 1000.0)]);
        assert_eq!(close(&mut exemplars, trend), [(5, 1.0)]);
        offer(&mut exemplars, trend, &[(6, 1000.0), (8, 3000.0), (7, 2000.0)]);
        let of_window = close(&mut exemplars, trend);
        assert_eq!((of_window.len(), of_window[1]), (2, (8, 3.0)), "{of_window:?}");
        assert_eq!(close(&mut exemplars, trend), []);
    }

    #[test]
    fn a_counter_has_its_latest_sample_and_a_rate_its_latest_of_each_condition() {
        let mut exemplars = exemplars(1);
        for (metric_type, latest) in
            [(MetricType::Counter, &[(9, 0.0)][..]), (MetricType::Rate, &[(7, 0.001), (9, 0.0)])]
        {
            let slot = slot(metric_type);
            offer(&mut exemplars, slot, &[(5, 2.0), (7, 1.0), (9, 0.0), (6, 3.0), (8, 0.0)]);
            assert_eq!(close(&mut exemplars, slot), latest, "{metric_type:?}");
        }
        let gauge = slot(MetricType::Gauge);
        offer(&mut exemplars, gauge, &[(5, 2.0)]);
        assert_eq!(close(&mut exemplars, gauge), []);
    }

    #[test]
    fn a_sample_from_before_the_last_exemplar_gets_a_time_after_it() {
        let (mut exemplars, trend) = (exemplars(1), slot(MetricType::Trend));
        offer(&mut exemplars, trend, &[(5, 1000.0)]);
        assert_eq!(close(&mut exemplars, trend), [(5, 1.0)]);
        offer(&mut exemplars, trend, &[(5, 1001.0)]);
        assert_eq!(close(&mut exemplars, trend), [(5, 1.001)]);
        for late in [(4, 9000.0), (5, 999.0), (5, 1001.0)] {
            exemplars.forget_times();
            offer(&mut exemplars, trend, &[(5, 1001.0)]);
            assert_eq!(close(&mut exemplars, trend), [(5, 1.001)]);
            offer(&mut exemplars, trend, &[late]);
            assert_eq!(close(&mut exemplars, trend), [(6, late.1 / 1000.0)]);
        }
        exemplars.forget_times();
        offer(&mut exemplars, trend, &[(4, 9000.0)]);
        assert_eq!(close(&mut exemplars, trend), [(4, 9.0)]);
    }

    #[test]
    fn two_samples_with_one_time_and_value_are_one_exemplar() {
        let (mut exemplars, trend) = (exemplars(1), slot(MetricType::Trend));
        offer(&mut exemplars, trend, &[(5, 1000.0), (5, 1000.0)]);
        assert_eq!(close(&mut exemplars, trend), [(5, 1.0)]);
    }

    #[test]
    fn every_sample_but_the_largest_is_equally_likely_to_be_the_other() {
        const SAMPLES: usize = 8;
        const WINDOWS: usize = 8000;
        let trend = slot(MetricType::Trend);
        // In each place the largest one, which is never the other.
        for largest in 0..SAMPLES {
            let mut exemplars = exemplars(largest as u64);
            let mut chosen = [0; SAMPLES];
            for window in 0..WINDOWS {
                let time = |place: usize| (window * SAMPLES + place) as i64;
                let value = |place: usize| if place == largest { 9000.0 } else { (place * 1000) as f64 };
                let samples = [0, 1, 2, 3, 4, 5, 6, 7].map(|place| (time(place), value(place)));
                offer(&mut exemplars, trend, &samples);
                let of_window = close(&mut exemplars, trend);
                let is_largest = |sample: &&(i64, f64)| sample.1 == 9.0;
                let (first, others): (Vec<(i64, f64)>, Vec<_>) = of_window.iter().partition(is_largest);
                assert_eq!((first.len(), others.len()), (1, 1), "{of_window:?}");
                chosen[(others[0].0 % SAMPLES as i64) as usize] += 1;
            }
            assert_eq!(chosen[largest], 0);
            let expected = WINDOWS / (SAMPLES - 1);
            // Four standard deviations of a binomial distribution are 125.
            let is_even = |(place, &count): (usize, &usize)| place == largest || count.abs_diff(expected) < 125;
            assert!(chosen.iter().enumerate().all(is_even), "{chosen:?}");
        }
    }

    proptest! {
        #[test]
        fn exemplars_are_samples_of_their_window_in_an_order_that_receivers_accept(
            windows in prop::collection::vec(prop::collection::vec((0_i64..40, 0_i32..5), 0..12), 1..8),
            seed in any::<u64>(),
        ) {
            let (mut exemplars, trend) = (exemplars(seed), slot(MetricType::Trend));
            let mut exported: Option<(i64, f64)> = None;
            for window in windows {
                let samples: Vec<_> = window.iter().map(|&(time_ms, value)| (time_ms, f64::from(value))).collect();
                offer(&mut exemplars, trend, &samples);
                let of_window = close(&mut exemplars, trend);
                let seconds = |&(time_ms, value): &(i64, f64)| (time_ms, value / 1000.0);
                let measured: Vec<_> = samples.iter().map(seconds).collect();
                let after = exported.map(|(time_ms, _)| time_ms + 1);
                let is_measured = |&(time_ms, value): &(i64, f64)| measured.iter().any(|sample| {
                    sample.1 == value && (sample.0 == time_ms || after == Some(time_ms) && sample.0 < time_ms)
                });
                prop_assert!(of_window.iter().all(is_measured));
                let largest = |samples: &[(i64, f64)]| samples.iter().map(|sample| sample.1).reduce(f64::max);
                prop_assert_eq!(largest(&of_window), largest(&measured));
                prop_assert!(of_window.len() <= 2);
                for &exemplar in &of_window {
                    prop_assert!(exported.is_none_or(|before| order(before, exemplar).is_lt()));
                    exported = Some(exemplar);
                }
            }
        }

        /// So it does not matter whether series were merged before their samples were recorded or not.
        #[test]
        fn the_largest_sample_does_not_depend_on_the_order(
            values in prop::collection::vec(0_i32..1000, 1..12),
            rotation in any::<prop::sample::Index>(),
        ) {
            let trend = slot(MetricType::Trend);
            let mut samples: Vec<_> = (0..).zip(values).map(|(time_ms, value)| (time_ms, f64::from(value))).collect();
            let mut largest = || {
                let mut exemplars = exemplars(1);
                offer(&mut exemplars, trend, &samples);
                let by_rotation = rotation.index(samples.len());
                samples.rotate_left(by_rotation);
                close(&mut exemplars, trend).iter().map(|exemplar| exemplar.1).reduce(f64::max)
            };
            prop_assert_eq!(largest(), largest());
        }
    }
}
