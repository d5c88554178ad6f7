//! One destination: where metrics are sent, and how, as all options together have it.

use std::time::Duration;

use super::auth_options::AuthOptions;
use super::parse::duration;
use super::parse::metrics::MetricEntry;
use super::set_options::SetOptions;
use crate::export::{Mapping, TrendAs};
use crate::http::Endpoint;
use crate::resample::catalog::Rules;
use crate::send;
use crate::series::LabelRules;
use crate::series::view::{DEFAULT_METRICS, Tags, View};

/// One destination. [`Self::default`] has the default of every option; all other groups have none of their own, so that a new
/// option needs nothing but its field and its row.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// The endpoint and its credentials. Its URL has no user and password, and no two headers have one name.
    pub endpoint: Endpoint,
    /// Options of authentication, which make the credentials of [`Self::endpoint`].
    pub auth: AuthOptions,
    /// Windows, and which points they have.
    pub window: WindowOptions,
    /// The metrics that are sent.
    pub metrics: MetricOptions,
    /// How metrics are named and trends are kept.
    pub mapping: Mapping,
    /// How tags become labels.
    pub labels: LabelRules,
    /// The label `test_run_id`.
    pub test_run: TestRunOptions,
    /// Queue, requests, and the end of a run.
    pub delivery: DeliveryOptions,
    /// The options that are set, and where they were written.
    pub set_options: SetOptions,
}

/// Windows, and which points they have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WindowOptions {
    /// The length of a window, at least 100 ms.
    pub rate: Duration,
    /// Whether every series ends with a stale marker.
    pub stale_markers: bool,
    /// Whether the output sends self metrics.
    pub self_metrics: bool,
}

/// The metrics that are sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricOptions {
    /// The metrics that are listed. Without these and [`Self::include_defaults`], all are sent.
    pub entries: Option<Vec<MetricEntry>>,
    /// Whether k6 Cloud's default metrics are sent with them; they are unless this is false.
    pub include_defaults: Option<bool>,
    /// The tags that entries without `keepTags` keep; all without.
    pub kept_tags: Option<Vec<String>>,
    /// The maximum number of series.
    pub max_series: usize,
    /// What a trend becomes, if that is set.
    pub trend_as: Option<TrendAs>,
    /// Whether a trend becomes a native histogram where [`Self::trend_as`] is not set: the switch of k6's own output, and its
    /// feature flag.
    pub native_histograms: Option<bool>,
}

/// The label `test_run_id`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestRunOptions {
    /// Whether every series has it.
    pub include_id: bool,
    /// Its value: while options are read the one that is set, after that the one that series get.
    pub id: Option<String>,
}

/// Queue, requests, and the end of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryOptions {
    /// How batches are sent.
    pub sender: send::Settings,
    /// The capacity of the queue.
    pub queue_bytes: usize,
    /// The maximum number of concurrent requests.
    pub max_shards: usize,
    /// The time limit for sending what is queued when the run ends.
    pub flush_timeout: Duration,
    /// Whether the receiver is checked before the test.
    pub preflight: bool,
}

impl Destination {
    /// The destination of an `apm` block before its fields are read: k6 Cloud sends its default metrics, and no tags.
    pub(super) fn of_block() -> Self {
        let mut destination = Self::default();
        destination.metrics.include_defaults = Some(true);
        destination.metrics.kept_tags = Some(Vec::new());
        destination
    }

    /// Returns what becomes of k6's series here. `test_wide_tags` are the tags that every sample of the test has.
    pub fn rules(&self, test_wide_tags: &[(String, String)]) -> Rules {
        Rules {
            views: self.metrics.views(),
            test_wide_tags: test_wide_tags.iter().map(|(name, _)| name.clone()).collect(),
            mapping: Mapping { trend_as: self.metrics.trend_form(), ..self.mapping.clone() },
            labels: LabelRules { test_run_id: self.test_run.id.clone(), ..self.labels.clone() },
            max_series: self.metrics.max_series,
        }
    }

    /// Returns the URL for people and logs.
    pub fn shown_url(&self) -> String {
        self.endpoint.url.shown()
    }

    /// Returns one line for k6's banner: the URL and the length of a window.
    pub fn description(&self) -> String {
        format!("{}, every {}", self.shown_url(), duration::shown(self.window.rate))
    }
}

impl MetricOptions {
    /// Returns the views that select these metrics.
    pub fn views(&self) -> Vec<View> {
        let entries = self.entries.as_deref().unwrap_or_default();
        if self.entries.is_none() && self.include_defaults.is_none() {
            return vec![View::everything()];
        }
        let mut views: Vec<_> = entries.iter().map(|entry| self.view_of(entry)).collect();
        if self.include_defaults != Some(false) {
            let listed = |metric: &str| entries.iter().any(|entry| entry.is_whole(metric));
            views.extend(
                DEFAULT_METRICS
                    .into_iter()
                    .filter(|metric| !listed(metric))
                    .map(|metric| View { expected: false, ..self.view_of(&MetricEntry::whole(metric)) }),
            );
        }
        views
    }

    fn view_of(&self, entry: &MetricEntry) -> View {
        let kept_tags = entry.keep_tags.as_ref().or(self.kept_tags.as_ref());
        View {
            source: entry.source.clone(),
            target: entry.target.clone(),
            tags: kept_tags.map_or(Tags::All, |tags| Tags::Only(tags.clone())),
            expected: true,
        }
    }

    fn trend_form(&self) -> TrendAs {
        let native = self.native_histograms == Some(true);
        self.trend_as.unwrap_or(if native { TrendAs::NATIVE } else { TrendAs::GAUGES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(metrics: &MetricOptions) -> Vec<String> {
        let shown = |view: &View| format!("{} {:?}", view.source, view.tags).replace("Only", "");
        metrics.views().iter().map(shown).collect()
    }

    fn block(entries: Vec<MetricEntry>) -> MetricOptions {
        MetricOptions { entries: Some(entries), ..Destination::of_block().metrics }
    }

    #[test]
    fn without_a_list_all_metrics_are_sent() {
        assert_eq!(Destination::default().metrics.views(), [View::everything()]);
    }

    #[test]
    fn a_list_comes_with_the_default_metrics_unless_it_should_not() {
        let entries = vec![MetricEntry::whole("vus_max"), MetricEntry::whole("vus")];
        let expected = ["vus_max", "vus", "data_sent", "data_received", "http_req_duration", "http_reqs", "iterations"];
        assert_eq!(views(&block(entries.clone())), expected.map(|metric| format!("{metric} ([])")));
        let alone = MetricOptions { entries: Some(entries), include_defaults: Some(false), ..MetricOptions::default() };
        assert_eq!(views(&alone), ["vus_max All", "vus All"]);
    }

    #[test]
    fn a_default_metric_that_is_listed_with_tags_is_not_sent_without_them_too() {
        let entry = MetricEntry { keep_tags: Some(vec!["name".into()]), ..MetricEntry::whole("http_reqs") };
        let of_requests =
            |entry: MetricEntry| views(&block(vec![entry])).iter().filter(|view| view.starts_with("http_reqs")).count();
        assert_eq!(of_requests(entry.clone()), 1);
        // Under another name it is another metric.
        assert_eq!(of_requests(MetricEntry { target: Some("requests".into()), ..entry }), 2);
    }
}
