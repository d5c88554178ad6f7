//! Accumulators of k6's Trends: the distribution of the values of each, in each form that is exported.

use std::sync::Arc;

use super::values::Values;
use super::{ClassicHistogram, CompensatedSum, Histogram, Resolution};
use crate::export::{Span, TrendForms};

/// The trends of a destination, which all have the same forms. Each form is a list with an entry for each trend: recording in a
/// form reads nothing of the others.
#[derive(Debug, Default)]
pub struct Trends {
    /// The time that statistics cover; `None` without this form.
    span: Option<Span>,
    /// The values of the open window or of the run.
    values: Vec<Values>,
    /// What statistics need besides them.
    closed: Vec<Closed>,
    /// The native histograms of the run.
    native: Vec<Histogram>,
    /// The classic histograms of the run.
    classic: Vec<ClassicHistogram>,
}

/// What the statistics of a trend need besides [`Trends::values`].
#[derive(Debug, Default)]
struct Closed {
    /// The number of values of the run when the last window closed.
    count: u64,
    /// The sum of the closed windows that `values` does not contain.
    sum: CompensatedSum,
}

impl Trends {
    /// Adds a trend without values and returns its index. `forms` differ from those of the others only in bounds.
    pub fn add(&mut self, forms: &TrendForms) -> usize {
        let index = self.values.len().max(self.native.len()).max(self.classic.len());
        if let Some(span) = forms.statistics {
            self.span = Some(span);
            self.values.push(Values::default());
            self.closed.push(Closed::default());
        }
        if forms.native {
            self.native.push(Histogram::new(Resolution::NATIVE));
        }
        if let Some(bounds) = &forms.classic {
            self.classic.push(ClassicHistogram::new(Arc::clone(bounds)));
        }
        index
    }

    /// Records finite values, each of the trend with this index.
    #[inline]
    pub fn record(&mut self, values: impl Iterator<Item = (usize, f64)> + Clone) {
        if self.span.is_some() {
            values.clone().for_each(|(index, value)| self.values[index].record(value));
        }
        if !self.native.is_empty() {
            values.clone().for_each(|(index, value)| self.native[index].record(value));
        }
        if !self.classic.is_empty() {
            values.for_each(|(index, value)| self.classic[index].record(value));
        }
    }

    /// Returns what trend `index` has recorded.
    pub fn get(&self, index: usize) -> Trend<'_> {
        Trend { trends: self, index }
    }

    /// Starts the next window of trend `index`. Keeps the values of the run.
    pub fn close_window(&mut self, index: usize) {
        let Some(span) = self.span else { return };
        let (values, closed) = (&mut self.values[index], &mut self.closed[index]);
        match span {
            Span::Run => closed.count = values.count(),
            // Most series of a large run have no values in most windows: nothing to clear.
            Span::Window if values.count() > 0 => {
                closed.count += values.count();
                closed.sum.merge(&values.sum());
                values.reset();
            }
            Span::Window => {}
        }
    }
}

/// A trend: what it has recorded.
#[derive(Debug, Clone, Copy)]
pub struct Trend<'a> {
    trends: &'a Trends,
    index: usize,
}

impl<'a> Trend<'a> {
    /// Returns the values of the window or of the run so far, if statistics are a form and the window has values.
    pub fn values(self) -> Option<&'a Values> {
        let values = self.trends.values.get(self.index)?;
        let closed = match self.trends.span? {
            Span::Window => 0,
            Span::Run => self.trends.closed[self.index].count,
        };
        (values.count() > closed).then_some(values)
    }

    /// Returns the number of values of the run, if statistics are a form.
    pub fn count(self) -> Option<u64> {
        let values = self.trends.values.get(self.index)?.count();
        Some(match self.trends.span? {
            Span::Window => self.trends.closed[self.index].count + values,
            Span::Run => values,
        })
    }

    /// Returns the sum of the values of the run, if statistics are a form.
    pub fn sum(self) -> Option<f64> {
        let mut sum = self.trends.closed.get(self.index)?.sum;
        sum.merge(&self.trends.values[self.index].sum());
        Some(sum.value())
    }

    /// Returns the native histogram of the run, if this is a form.
    pub fn native(self) -> Option<&'a Histogram> {
        self.trends.native.get(self.index)
    }

    /// Returns the classic histogram of the run, if this is a form.
    pub fn classic(self) -> Option<&'a ClassicHistogram> {
        self.trends.classic.get(self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trend with statistics, after another one that has values of its own.
    fn trends(span: Span) -> (Trends, usize) {
        let (mut trends, forms) = (Trends::default(), TrendForms { statistics: Some(span), ..TrendForms::default() });
        let (other, index) = (trends.add(&forms), trends.add(&forms));
        trends.record([(other, 1000.0)].into_iter());
        (trends, index)
    }

    fn record(trends: &mut Trends, index: usize, values: &[f64]) {
        trends.record(values.iter().map(|&value| (index, value)));
    }

    /// Returns count, sum and maximum.
    fn numbers(trends: &Trends, index: usize) -> (Option<u64>, Option<f64>, Option<f64>) {
        let trend = trends.get(index);
        (trend.count(), trend.sum(), trend.values().and_then(Values::max))
    }

    #[test]
    fn count_and_sum_are_of_the_run_and_percentiles_of_the_window() {
        // Listed and counted values.
        for repeated in [1, 20] {
            let (mut trends, index) = trends(Span::Window);
            record(&mut trends, index, &[1.0, 3.0].repeat(repeated));
            let count = 2 * repeated as u64;
            assert_eq!(numbers(&trends, index), (Some(count), Some(2.0 * count as f64), Some(3.0)));
            trends.close_window(index);
            assert_eq!(numbers(&trends, index), (Some(count), Some(2.0 * count as f64), None));
            record(&mut trends, index, &[2.0]);
            assert_eq!(numbers(&trends, index), (Some(count + 1), Some(2.0 * count as f64 + 2.0), Some(2.0)));
        }
    }

    #[test]
    fn statistics_of_the_run_are_returned_for_windows_with_values_only() {
        for repeated in [1, 20] {
            let (mut trends, index) = trends(Span::Run);
            record(&mut trends, index, &[1.0, 3.0].repeat(repeated));
            trends.close_window(index);
            let count = 2 * repeated as u64;
            assert_eq!(numbers(&trends, index), (Some(count), Some(2.0 * count as f64), None));
            record(&mut trends, index, &[2.0]);
            assert_eq!(numbers(&trends, index), (Some(count + 1), Some(2.0 * count as f64 + 2.0), Some(3.0)));
        }
    }

    #[test]
    fn histograms_are_of_the_run() {
        let forms = TrendForms { statistics: None, native: true, classic: Some([2.0].into()) };
        let mut trends = Trends::default();
        let indices = [trends.add(&forms), trends.add(&forms)];
        for value in [1.0, 3.0] {
            record(&mut trends, indices[1], &[value]);
            indices.into_iter().for_each(|index| trends.close_window(index));
        }
        let trend = trends.get(indices[1]);
        assert_eq!(numbers(&trends, indices[1]), (None, None, None));
        assert_eq!(trend.native().map(Histogram::count), Some(2));
        assert_eq!(trend.classic().map(|classic| classic.cumulative().collect()), Some(vec![1, 2]));
        assert_eq!(trends.get(indices[0]).native().map(Histogram::count), Some(0));
    }
}
