//! Accumulator of k6's Trend: the distribution of its values, in each form that is exported.

use std::sync::Arc;

use super::{ClassicHistogram, CompensatedSum, Histogram, Resolution};
use crate::export::{Span, TrendForms};

/// A distribution of values.
#[derive(Debug)]
pub struct Trend {
    statistics: Option<Statistics>,
    native: Option<Box<Histogram>>,
    classic: Option<Box<ClassicHistogram>>,
}

impl Trend {
    /// Creates an empty distribution in these forms.
    pub fn new(forms: &TrendForms) -> Self {
        Self {
            statistics: forms.statistics.map(Statistics::new),
            native: forms.native.then(|| Box::new(Histogram::new(Resolution::NATIVE))),
            classic: forms.classic.as_ref().map(|bounds| Box::new(ClassicHistogram::new(Arc::clone(bounds)))),
        }
    }

    /// Records one finite value.
    #[inline]
    pub fn record(&mut self, value: f64) {
        if let Some(statistics) = &mut self.statistics {
            statistics.values.record(value);
            statistics.has_values = true;
        }
        if let Some(native) = &mut self.native {
            native.record(value);
        }
        if let Some(classic) = &mut self.classic {
            classic.record(value);
        }
    }

    /// Returns the statistics, if the trend has this form.
    pub fn statistics(&self) -> Option<&Statistics> {
        self.statistics.as_ref()
    }

    /// Returns the native histogram of the run, if the trend has this form.
    pub fn native(&self) -> Option<&Histogram> {
        self.native.as_deref()
    }

    /// Returns the classic histogram of the run, if the trend has this form.
    pub fn classic(&self) -> Option<&ClassicHistogram> {
        self.classic.as_deref()
    }

    /// Starts the next window.
    pub fn close_window(&mut self) {
        if let Some(statistics) = &mut self.statistics {
            statistics.close_window();
        }
    }
}

/// The statistics of a trend: percentiles, mean and extremes of the window or of the run; count and sum always of the run.
#[derive(Debug)]
pub struct Statistics {
    values: Histogram,
    span: Span,
    /// True if the open window has values.
    has_values: bool,
    /// Count and sum of closed windows that `values` does not contain.
    closed_count: u64,
    closed_sum: CompensatedSum,
}

impl Statistics {
    fn new(span: Span) -> Self {
        Self {
            values: Histogram::new(Resolution::FINE),
            span,
            has_values: false,
            closed_count: 0,
            closed_sum: CompensatedSum::default(),
        }
    }

    /// Returns the values of the window or of the run so far, or `None` if the window has no values.
    pub fn values(&self) -> Option<&Histogram> {
        self.has_values.then_some(&self.values)
    }

    /// Returns the number of values of the run.
    pub fn count(&self) -> u64 {
        self.closed_count + self.values.count()
    }

    /// Returns the sum of the values of the run.
    pub fn sum(&self) -> f64 {
        let mut sum = self.closed_sum;
        sum.merge(self.values.sum());
        sum.value()
    }

    fn close_window(&mut self) {
        // Most series of a large run have no values in most windows: nothing to clear.
        if std::mem::take(&mut self.has_values) && self.span == Span::Window {
            self.closed_count += self.values.count();
            self.closed_sum.merge(self.values.sum());
            self.values.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(span: Span) -> Trend {
        Trend::new(&TrendForms { statistics: Some(span), ..TrendForms::default() })
    }

    /// Returns count, sum and maximum.
    fn numbers(trend: &Trend) -> (u64, f64, Option<f64>) {
        let statistics = trend.statistics().expect("has statistics");
        (statistics.count(), statistics.sum(), statistics.values().and_then(Histogram::max))
    }

    #[test]
    fn count_and_sum_are_of_the_run_and_percentiles_of_the_window() {
        let mut trend = trend(Span::Window);
        [1.0, 3.0].into_iter().for_each(|value| trend.record(value));
        assert_eq!(numbers(&trend), (2, 4.0, Some(3.0)));
        trend.close_window();
        assert_eq!(numbers(&trend), (2, 4.0, None));
        trend.record(2.0);
        assert_eq!(numbers(&trend), (3, 6.0, Some(2.0)));
    }

    #[test]
    fn statistics_of_the_run_are_returned_for_windows_with_values_only() {
        let mut trend = trend(Span::Run);
        [1.0, 3.0].into_iter().for_each(|value| trend.record(value));
        trend.close_window();
        assert_eq!(numbers(&trend), (2, 4.0, None));
        trend.record(2.0);
        assert_eq!(numbers(&trend), (3, 6.0, Some(3.0)));
    }

    #[test]
    fn histograms_are_of_the_run() {
        let forms = TrendForms { statistics: None, native: true, classic: Some([2.0].into()) };
        let mut trend = Trend::new(&forms);
        for value in [1.0, 3.0] {
            trend.record(value);
            trend.close_window();
        }
        assert!(trend.statistics().is_none());
        assert_eq!(trend.native().map(Histogram::count), Some(2));
        assert_eq!(trend.classic().map(|classic| classic.cumulative().collect()), Some(vec![1, 2]));
    }
}
