//! One place where metrics go, and how: what all options together say.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::auth_options::{AuthOptions, SigV4Options};
use super::parse::duration;
use super::parse::metrics::MetricEntry;
use crate::export::Span;
use crate::export::{Mapping, TrendAs, TrendStat};
use crate::http::{Endpoint, Proxy, Tls};
use crate::resample::registry::Rules;
use crate::secret::{MASK, Secret};
use crate::series::view::{DEFAULT_METRICS, Tags, View};
use crate::series::{LabelNames, LabelRules};
use crate::wire::Protocol;

/// One place where metrics go, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// The receiver's remote-write endpoint: http or https, with a host, without user and password.
    pub url: Url,
    /// Who ships.
    pub credentials: AuthOptions,
    /// Further headers of every request. No two have one name.
    pub headers: Vec<(String, Secret)>,
    /// How https is spoken.
    pub tls: Tls,
    /// The way there.
    pub proxy: Proxy,
    /// How to sign requests for AWS.
    pub sigv4: SigV4Options,
    /// The length of a window, at least 100 ms.
    pub rate: Duration,
    /// How long after a window's end its points are sent, so that the parts of one test do not send at one moment.
    pub send_after: Duration,
    /// How long one request may take, with its answer.
    pub timeout: Duration,
    /// How long the end of a run may take to send what is queued.
    pub flush_timeout: Duration,
    /// The most bytes of points that wait for the receiver.
    pub queue_bytes: usize,
    /// The version of the protocol; without one it is found out.
    pub protocol: Option<Protocol>,
    /// The most points of one request.
    pub max_samples_per_send: usize,
    /// The bytes, before compression, from which on a request takes no further series.
    pub max_bytes_per_send: usize,
    /// The most requests that are under way at once.
    pub max_shards: usize,
    /// Where what could not be sent is written to.
    pub unsent_directory: Option<PathBuf>,
    /// Whether the receiver is asked for before the test, which does not start if it takes no metrics.
    pub preflight: bool,
    /// After how long without a success the test is stopped.
    pub abort_on_failure: Option<Duration>,
    /// Whether the output ships metrics of its own.
    pub self_metrics: bool,
    /// Whether every series ends with a stale marker.
    pub stale_markers: bool,
    /// What every metric's name begins with.
    pub metric_prefix: String,
    /// What a trend becomes, if that was said.
    pub trend_as: Option<TrendAs>,
    /// Whether a trend becomes a native histogram when it was not: the switch of k6's own output, and its feature flag.
    pub trend_as_native_histogram: Option<bool>,
    /// The statistics of a trend as gauges.
    pub trend_stats: Vec<TrendStat>,
    /// What these, and the share of a rate, are of.
    pub trend_window: Span,
    /// The bounds of classic histograms; without, those that fit the unit.
    pub trend_buckets: Option<Arc<[f64]>>,
    /// Which characters the names of labels may have.
    pub label_names: LabelNames,
    /// Labels that every series gets, unless a tag has their name.
    pub labels: Vec<(String, String)>,
    /// Tags that become no labels.
    pub drop_tags: Vec<String>,
    /// Where longer values of labels are cut.
    pub max_label_value_bytes: usize,
    /// The most series there may be.
    pub max_series: usize,
    /// The metrics that were asked for one by one. Without this and [`Self::include_default_metrics`], all are shipped.
    pub metrics: Option<Vec<MetricEntry>>,
    /// Whether k6 Cloud's default metrics are shipped with them; they are unless it says no.
    pub include_default_metrics: Option<bool>,
    /// What entries of [`Self::metrics`] keep that do not say.
    pub kept_tags: Tags,
    /// Whether every series gets the run's id.
    pub include_test_run_id: bool,
    /// The run's id: while options are read the one that was given, after that the one that series get.
    pub test_run_id: Option<String>,
}

impl Default for Destination {
    fn default() -> Self {
        let (mapping, labels) = (Mapping::default(), LabelRules::default());
        Self {
            url: Url::parse("http://localhost:9090/api/v1/write").expect("a valid constant"),
            credentials: AuthOptions::default(),
            headers: Vec::new(),
            tls: Tls::default(),
            proxy: Proxy::default(),
            sigv4: SigV4Options::default(),
            rate: Duration::from_secs(3),
            send_after: Duration::ZERO,
            timeout: Duration::from_secs(5),
            flush_timeout: Duration::from_secs(30),
            queue_bytes: 64 << 20,
            protocol: None,
            max_samples_per_send: 10_000,
            max_bytes_per_send: 8 << 20,
            max_shards: 4,
            unsent_directory: Some(".".into()),
            preflight: false,
            abort_on_failure: None,
            self_metrics: true,
            stale_markers: true,
            metric_prefix: mapping.metric_prefix,
            trend_as: None,
            trend_as_native_histogram: None,
            trend_stats: mapping.trend_stats,
            trend_window: mapping.trend_window,
            trend_buckets: mapping.trend_buckets,
            label_names: labels.names,
            labels: labels.constant,
            drop_tags: labels.drop_tags,
            max_label_value_bytes: labels.max_value_bytes,
            max_series: 200_000,
            metrics: None,
            include_default_metrics: None,
            kept_tags: Tags::All,
            include_test_run_id: false,
            test_run_id: None,
        }
    }
}

impl Destination {
    /// What an `apm` block is before its fields are read: k6 Cloud ships its default metrics, and no tags.
    pub(super) fn of_block() -> Self {
        Self { include_default_metrics: Some(true), kept_tags: Tags::Only(Vec::new()), ..Self::default() }
    }

    /// What becomes of k6's series here. `test_wide_tags` are the tags that every sample of the test has.
    pub fn rules(&self, test_wide_tags: &[(String, String)]) -> Rules {
        let native = self.trend_as_native_histogram == Some(true);
        let default_form = if native { TrendAs::NATIVE } else { TrendAs::GAUGES };
        Rules {
            views: self.views(),
            test_wide_tags: test_wide_tags.iter().map(|(name, _)| name.clone()).collect(),
            test_run_id: self.test_run_id.clone(),
            mapping: Mapping {
                metric_prefix: self.metric_prefix.clone(),
                trend_as: self.trend_as.unwrap_or(default_form),
                trend_stats: self.trend_stats.clone(),
                trend_window: self.trend_window,
                trend_buckets: self.trend_buckets.clone(),
            },
            labels: LabelRules {
                names: self.label_names,
                constant: self.labels.clone(),
                drop_tags: self.drop_tags.clone(),
                max_value_bytes: self.max_label_value_bytes,
            },
            max_series: self.max_series,
        }
    }

    /// What it wants of the metrics.
    pub fn views(&self) -> Vec<View> {
        let entries = self.metrics.as_deref().unwrap_or_default();
        if self.metrics.is_none() && self.include_default_metrics.is_none() {
            return vec![View::everything()];
        }
        let mut views: Vec<_> = entries.iter().map(|entry| self.view_of(entry)).collect();
        if self.include_default_metrics != Some(false) {
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
        View {
            source: entry.source.clone(),
            target: entry.target.clone(),
            tags: entry.keep_tags.clone().map_or_else(|| self.kept_tags.clone(), Tags::Only),
            expected: true,
        }
    }

    /// What its requests need.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            url: self.url.clone(),
            timeout: self.timeout,
            credentials: self.credentials.sent(&self.sigv4, &self.headers),
            headers: self.headers.clone(),
            tls: self.tls.clone(),
            proxy: self.proxy.clone(),
        }
    }

    /// The URL for people and logs. Values of its query may be keys.
    pub fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        if let Some(query) = self.url.query() {
            let names = query.split('&').map(|pair| match pair.split_once('=') {
                Some((name, _)) => format!("{name}={MASK}"),
                None => MASK.into(),
            });
            url.set_query(Some(&names.collect::<Vec<_>>().join("&")));
        }
        url.to_string()
    }

    /// One line for k6's banner: where to, and how often.
    pub fn description(&self) -> String {
        format!("{}, every {}", self.shown_url(), duration::shown(self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(destination: &Destination) -> Vec<String> {
        let shown = |view: &View| format!("{} {:?}", view.source, view.tags).replace("Only", "");
        destination.views().iter().map(shown).collect()
    }

    #[test]
    fn without_a_list_everything_is_shipped() {
        assert_eq!(Destination::default().views(), [View::everything()]);
    }

    #[test]
    fn a_list_comes_with_the_default_metrics_unless_it_should_not() {
        let metrics = Some(vec![MetricEntry::whole("vus_max"), MetricEntry::whole("vus")]);
        let block = Destination { metrics: metrics.clone(), ..Destination::of_block() };
        let expected = ["vus_max", "vus", "data_sent", "data_received", "http_req_duration", "http_reqs", "iterations"];
        assert_eq!(views(&block), expected.map(|metric| format!("{metric} ([])")));
        let alone = Destination { metrics, include_default_metrics: Some(false), ..Destination::default() };
        assert_eq!(views(&alone), ["vus_max All", "vus All"]);
    }

    #[test]
    fn a_default_metric_that_is_listed_with_tags_is_not_shipped_without_them_too() {
        let entry = MetricEntry { keep_tags: Some(vec!["name".into()]), ..MetricEntry::whole("http_reqs") };
        let block = Destination { metrics: Some(vec![entry.clone()]), ..Destination::of_block() };
        assert_eq!(views(&block).iter().filter(|view| view.starts_with("http_reqs")).count(), 1);
        // Under a name of its own it is another thing.
        let renamed = MetricEntry { target: Some("requests".into()), ..entry };
        let block = Destination { metrics: Some(vec![renamed]), ..Destination::of_block() };
        assert_eq!(views(&block).iter().filter(|view| view.starts_with("http_reqs")).count(), 2);
    }

    #[test]
    fn what_is_in_a_query_is_not_shown() {
        let url = Url::parse("https://host/w?db=k6&api_key=hunter2&flag").expect("valid");
        let destination = Destination { url, ..Destination::default() };
        assert_eq!(destination.shown_url(), "https://host/w?db=***&api_key=***&***");
    }
}
