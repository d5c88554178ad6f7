//! k6's Trend: the distribution of its values, in each form that is shipped.

use std::sync::Arc;

use super::{ClassicHistogram, CompensatedSum, Histogram, Resolution};
use crate::export::{Span, TrendForms};

/// A distribution.
#[derive(Debug)]
pub struct Trend {
    statistics: Option<Statistics>,
    native: Option<Box<Histogram>>,
    classic: Option<Box<ClassicHistogram>>,
}

impl Trend {
    /// An empty distribution in these forms.
    pub fn new(forms: &TrendForms) -> Self {
        Self {
            statistics: forms.statistics.map(Statistics::new),
            native: forms.native.then(|| Box::new(Histogram::new(Resolution::NATIVE))),
            classic: forms.classic.as_ref().map(|bounds| Box::new(ClassicHistogram::new(Arc::clone(bounds)))),
        }
    }

    /// Takes one finite value.
    #[inline]
    pub fn record(&mut self, value: f64) {
        if let Some(statistics) = &mut self.statistics {
            statistics.values.record(value);
            statistics.has_news = true;
        }
        if let Some(native) = &mut self.native {
            native.record(value);
        }
        if let Some(classic) = &mut self.classic {
            classic.record(value);
        }
    }

    /// The values, if the trend is kept for its statistics.
    pub fn statistics(&self) -> Option<&Statistics> {
        self.statistics.as_ref()
    }

    /// The run's values in exponential buckets, if the trend is kept so.
    pub fn native(&self) -> Option<&Histogram> {
        self.native.as_deref()
    }

    /// The run's values between given bounds, if the trend is kept so.
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

/// What percentiles, mean and extremes are made of; and count and sum, which are the run's in any case.
#[derive(Debug)]
pub struct Statistics {
    values: Histogram,
    span: Span,
    /// Whether the open window has values.
    has_news: bool,
    /// What `values` has forgotten.
    earlier_count: u64,
    earlier_sum: CompensatedSum,
}

impl Statistics {
    fn new(span: Span) -> Self {
        Self {
            values: Histogram::new(Resolution::FINE),
            span,
            has_news: false,
            earlier_count: 0,
            earlier_sum: CompensatedSum::default(),
        }
    }

    /// The values of the window or of the run so far; `None` if the window has none.
    pub fn values(&self) -> Option<&Histogram> {
        self.has_news.then_some(&self.values)
    }

    /// How many values the run has had.
    pub fn count(&self) -> u64 {
        self.earlier_count + self.values.count()
    }

    /// The sum of the run's values.
    pub fn sum(&self) -> f64 {
        let mut sum = self.earlier_sum;
        sum.merge(self.values.sum());
        sum.value()
    }

    fn close_window(&mut self) {
        // A window without values has nothing to clear, and most series of a large run are silent in most windows.
        if std::mem::take(&mut self.has_news) && self.span == Span::Window {
            self.earlier_count += self.values.count();
            self.earlier_sum.merge(self.values.sum());
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

    /// Count, sum and maximum.
    fn numbers(trend: &Trend) -> (u64, f64, Option<f64>) {
        let statistics = trend.statistics().expect("kept");
        (statistics.count(), statistics.sum(), statistics.values().and_then(Histogram::max))
    }

    #[test]
    fn count_and_sum_are_the_runs_and_percentiles_the_windows() {
        let mut trend = trend(Span::Window);
        [1.0, 3.0].into_iter().for_each(|value| trend.record(value));
        assert_eq!(numbers(&trend), (2, 4.0, Some(3.0)));
        trend.close_window();
        assert_eq!(numbers(&trend), (2, 4.0, None));
        trend.record(2.0);
        assert_eq!(numbers(&trend), (3, 6.0, Some(2.0)));
    }

    #[test]
    fn statistics_of_the_run_forget_nothing_but_are_there_for_windows_with_values_only() {
        let mut trend = trend(Span::Run);
        [1.0, 3.0].into_iter().for_each(|value| trend.record(value));
        trend.close_window();
        assert_eq!(numbers(&trend), (2, 4.0, None));
        trend.record(2.0);
        assert_eq!(numbers(&trend), (3, 6.0, Some(3.0)));
    }

    #[test]
    fn histograms_are_the_runs() {
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
