//! Accumulators → named points.
//!
//! In comes a target series' accumulator at the end of a window, out go its series to [`crate::deliver`]. The table of names is
//! that of k6's own Prometheus output, so dashboards stay as they are:
//!
//! | k6 type | series |
//! |---|---|
//! | Counter | `_total`, cumulative |
//! | Gauge | the name itself |
//! | Rate | `_rate`, the window's share; `_total{condition="nonzero"}` and `{condition="zero"}`, cumulative |
//! | Trend | `_avg _min _med _max _p90 _p95 _p99` of the window; `_count` and `_sum`, cumulative |
//!
//! Times become seconds here, and nowhere else.

use std::sync::Arc;

use crate::accumulate::Accumulator;
use crate::deliver::{Batcher, Role};
use crate::series::{Contents, MetricType};
use crate::window::Window;
use crate::wire::{EncodedLabel, Labels, Metric, MetricKind, Point, STALE_MARKER, Value};

/// The percentiles of a trend that are shipped, besides its median.
const PERCENTILES: [f64; 3] = [90.0, 95.0, 99.0];

const MILLISECONDS_PER_SECOND: f64 = 1000.0;

/// What a series tells of its accumulator.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Statistic {
    Total,
    Latest,
    Share,
    Nonzero,
    Zero,
    Mean,
    Min,
    Max,
    Percentile(f64),
    Count,
    Sum,
}

impl Statistic {
    /// All that metrics of this type have, each with its suffix and what to say of it.
    fn all(metric_type: MetricType) -> Vec<(Self, String, String)> {
        let of = |statistic, suffix: &str, help: &str| (statistic, suffix.to_string(), help.to_string());
        match metric_type {
            MetricType::Counter => vec![of(Self::Total, "_total", "sum of the run so far")],
            MetricType::Gauge => vec![of(Self::Latest, "", "latest value")],
            MetricType::Rate => {
                let counts = "values of the run so far, by whether they were zero";
                vec![
                    of(Self::Share, "_rate", "share of values in the window that were not zero"),
                    of(Self::Nonzero, "_total", counts),
                    of(Self::Zero, "_total", counts),
                ]
            }
            MetricType::Trend => {
                let mut all = vec![
                    of(Self::Mean, "_avg", "mean of the window"),
                    of(Self::Min, "_min", "smallest value of the window"),
                    of(Self::Percentile(50.0), "_med", "median of the window"),
                    of(Self::Max, "_max", "largest value of the window"),
                ];
                all.extend(
                    PERCENTILES
                        .map(|p| (Self::Percentile(p), percentile_suffix(p), format!("percentile {p} of the window"))),
                );
                all.push(of(Self::Count, "_count", "number of values of the run so far"));
                all.push(of(Self::Sum, "_sum", "sum of the run so far"));
                all
            }
        }
    }

    /// Whether the value grows from 0 over the run, so that the series starts with an explicit 0 and is shipped in
    /// every window.
    fn is_cumulative(self) -> bool {
        matches!(self, Self::Total | Self::Nonzero | Self::Zero | Self::Count | Self::Sum)
    }

    /// Whether the value has the unit of the metric; the others are counts and ratios.
    fn has_unit(self) -> bool {
        !matches!(self, Self::Share | Self::Nonzero | Self::Zero | Self::Count)
    }

    fn condition(self) -> Option<EncodedLabel> {
        match self {
            Self::Nonzero => Some(EncodedLabel::condition("nonzero")),
            Self::Zero => Some(EncodedLabel::condition("zero")),
            _ => None,
        }
    }

    /// The value in k6's unit, or `None` when the window has nothing to tell.
    fn value(self, accumulator: &Accumulator) -> Option<f64> {
        match (accumulator, self) {
            (Accumulator::Counter(counter), _) => Some(counter.total()),
            (Accumulator::Gauge(gauge), _) => gauge.latest(),
            (Accumulator::Rate(rate), Self::Nonzero) => Some(rate.nonzero() as f64),
            (Accumulator::Rate(rate), Self::Zero) => Some(rate.zero() as f64),
            (Accumulator::Rate(rate), _) => rate.window_share(),
            (Accumulator::Trend(trend), Self::Count) => Some(trend.count() as f64),
            (Accumulator::Trend(trend), Self::Sum) => Some(trend.sum()),
            (Accumulator::Trend(trend), Self::Mean) => trend.window().mean(),
            (Accumulator::Trend(trend), Self::Min) => trend.window().min(),
            (Accumulator::Trend(trend), Self::Max) => trend.window().max(),
            (Accumulator::Trend(trend), Self::Percentile(p)) => trend.window().percentile(p),
            (Accumulator::Trend(_), _) => None,
        }
    }
}

/// `p(99.9)` → `_p999`, as k6's own output has it.
fn percentile_suffix(percentile: f64) -> String {
    format!("_p{}", percentile.to_string().replace('.', ""))
}

/// What the names of a metric's series are made of.
#[derive(Debug, Clone, Copy)]
pub enum Naming<'a> {
    /// This prefix, k6's name, and a suffix by type.
    Prefix(&'a str),
    /// This name alone; only where a type makes several series do their suffixes follow it.
    Exact(&'a str),
}

/// All series that one k6 metric becomes, their names encoded once.
#[derive(Debug)]
pub struct Family {
    series: Vec<FamilySeries>,
    divisor: f64,
}

#[derive(Debug)]
struct FamilySeries {
    statistic: Statistic,
    metric: Arc<Metric>,
}

/// What of a target series has been shipped so far, and so needs an end.
#[derive(Debug, Default, Clone, Copy)]
pub struct Shipped {
    /// When the cumulative ones started, once they have.
    started_ms: Option<i64>,
    values: bool,
    /// One bit for each series of the family that belongs to another metric and is not shipped.
    muted: u32,
}

impl Shipped {
    /// Leaves out the series `index` of the family from now on.
    pub fn mute(&mut self, index: usize) {
        self.muted |= 1 << index;
    }
}

impl Family {
    /// The series of the k6 metric `metric`.
    pub fn new(naming: Naming<'_>, metric: &str, metric_type: MetricType, contents: Contents) -> Self {
        let (divisor, unit) = match contents {
            Contents::Plain => (1.0, ""),
            Contents::Time => (MILLISECONDS_PER_SECOND, "seconds"),
            Contents::Data => (1.0, "bytes"),
        };
        let name_with = |suffix: &str| match naming {
            Naming::Prefix(prefix) => format!("{prefix}{metric}{suffix}"),
            Naming::Exact(name) if metric_type == MetricType::Counter => name.into(),
            Naming::Exact(name) => format!("{name}{suffix}"),
        };
        let series = Statistic::all(metric_type)
            .into_iter()
            .map(|(statistic, suffix, help)| {
                let name = name_with(&suffix);
                let metric = Metric {
                    encoded_name: EncodedLabel::metric_name(&name),
                    name,
                    condition: statistic.condition(),
                    kind: if statistic.is_cumulative() { MetricKind::Counter } else { MetricKind::Gauge },
                    help: format!("k6 {metric}: {help}"),
                    unit: if statistic.has_unit() { unit } else { "" },
                };
                FamilySeries { statistic, metric: Arc::new(metric) }
            })
            .collect();
        Self { series, divisor }
    }

    /// The names of the family's series, in a fixed order. Two of a rate have one name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|series| series.metric.name.as_str())
    }

    /// Series `index` of [`Self::names`] with these labels, in a form that is equal for equal series only.
    pub fn identity(&self, index: usize, labels: &Labels) -> Vec<u8> {
        let metric = &self.series[index].metric;
        let mut identity = Vec::new();
        labels.write(&metric.encoded_name, metric.condition.as_ref(), &mut identity);
        identity
    }

    /// Tells the receiver type, help and unit of each series.
    pub fn announce(&self, batcher: &mut Batcher) {
        let mut announced = "";
        for FamilySeries { metric, .. } in &self.series {
            if metric.name != announced {
                batcher.announce(metric);
            }
            announced = &metric.name;
        }
    }

    /// Ships what `accumulator` holds at the end of `window`. A cumulative series starts with a 0 where the window
    /// began. With `stale_markers`, the last window ends all series that were ever shipped.
    pub fn ship(
        &self,
        accumulator: &Accumulator,
        labels: &Arc<Labels>,
        shipped: &mut Shipped,
        window: &Window,
        stale_markers: bool,
        batcher: &mut Batcher,
    ) {
        let before = *shipped;
        for (index, FamilySeries { statistic, metric }) in self.series.iter().enumerate() {
            if shipped.muted & (1 << index) != 0 {
                continue;
            }
            let cumulative = statistic.is_cumulative();
            let start_ms = if cumulative { before.started_ms.unwrap_or(window.previous_end_ms) } else { 0 };
            let mut point = |role, time_ms, value| {
                let (metric, labels) = (Arc::clone(metric), Arc::clone(labels));
                batcher.point(role, Point { metric, labels, time_ms, start_ms, value: Value::Float(value) });
            };
            let started = if cumulative { before.started_ms.is_some() } else { before.values };
            let value = statistic.value(accumulator);
            if let Some(value) = value {
                if cumulative && !started {
                    point(Role::Start, start_ms, 0.0);
                }
                let value = if statistic.has_unit() { value / self.divisor } else { value };
                point(Role::Value, window.end_ms, value);
                if cumulative {
                    shipped.started_ms = Some(start_ms);
                } else {
                    shipped.values = true;
                }
            }
            if window.last && stale_markers && (started || value.is_some()) {
                // After the run's last point, also for a series that ended earlier: a marker as old as that point could be
                // too old for the receiver, and cost its whole batch.
                point(Role::End, window.end_ms + 1, STALE_MARKER);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(metric_type: MetricType) -> Vec<String> {
        names_of(Naming::Prefix("k6_"), metric_type)
    }

    fn names_of(naming: Naming<'_>, metric_type: MetricType) -> Vec<String> {
        Family::new(naming, "m", metric_type, Contents::Plain).names().map(String::from).collect()
    }

    #[test]
    fn names_are_those_of_k6s_own_output() {
        assert_eq!(names(MetricType::Counter), ["k6_m_total"]);
        assert_eq!(names(MetricType::Gauge), ["k6_m"]);
        assert_eq!(names(MetricType::Rate), ["k6_m_rate", "k6_m_total", "k6_m_total"]);
        assert_eq!(
            names(MetricType::Trend),
            [
                "k6_m_avg",
                "k6_m_min",
                "k6_m_med",
                "k6_m_max",
                "k6_m_p90",
                "k6_m_p95",
                "k6_m_p99",
                "k6_m_count",
                "k6_m_sum"
            ]
        );
        assert_eq!(percentile_suffix(99.9), "_p999");
    }

    #[test]
    fn an_exact_name_gets_suffixes_only_where_there_are_several_series() {
        assert_eq!(names_of(Naming::Exact("x"), MetricType::Counter), ["x"]);
        assert_eq!(names_of(Naming::Exact("x"), MetricType::Gauge), ["x"]);
        assert_eq!(names_of(Naming::Exact("x"), MetricType::Rate), ["x_rate", "x_total", "x_total"]);
        assert_eq!(names_of(Naming::Exact("x"), MetricType::Trend)[0], "x_avg");
    }

    #[test]
    fn units_and_types_are_told_once_for_each_name() {
        let family = Family::new(Naming::Prefix("k6_"), "m", MetricType::Trend, Contents::Time);
        let unit = |name: &str| {
            let series = family.series.iter().find(|series| series.metric.name == name).expect("exists");
            (series.metric.unit, series.metric.kind)
        };
        assert_eq!(unit("k6_m_p95"), ("seconds", MetricKind::Gauge));
        assert_eq!(unit("k6_m_sum"), ("seconds", MetricKind::Counter));
        assert_eq!(unit("k6_m_count"), ("", MetricKind::Counter));
    }
}
