//! Raw inputs → a validated [`Config`].
//!
//! In comes the JSON document of [`Document`], which the host fills with what the user wrote and where; out goes one
//! [`Config`], or every mistake at once. Whoever opens an output reads it: [`crate::output`].

mod document;
mod duration;
mod error;
mod list;
mod option;
mod source;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub use document::Document;
pub use error::{ConfigError, ConfigErrors};
pub use option::{OPTIONS, OptionSpec};
use source::Source;

use crate::accumulate::Span;
use crate::map::{Mapping, TrendAs, TrendStat};
use crate::registry::Rules;
use crate::series::{LabelNames, LabelRules};
use crate::wire::Protocol;

/// All that the user wrote, valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where metrics go; at least one place.
    pub destinations: Vec<Destination>,
    /// The tags that every sample of the test has.
    pub tags: Vec<(String, String)>,
    /// What the user should know but need not change.
    pub warnings: Vec<String>,
}

/// One place where metrics go, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// The receiver's remote-write endpoint: http or https, with a host.
    pub url: Url,
    /// The length of a window, at least 100 ms.
    pub rate: Duration,
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
    pub leftover_folder: Option<PathBuf>,
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
    pub trend_as_native_histogram: bool,
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
}

impl Default for Destination {
    fn default() -> Self {
        let (mapping, labels) = (Mapping::default(), LabelRules::default());
        Self {
            url: Url::parse("http://localhost:9090/api/v1/write").expect("a valid constant"),
            rate: Duration::from_secs(3),
            timeout: Duration::from_secs(5),
            flush_timeout: Duration::from_secs(30),
            queue_bytes: 64 << 20,
            protocol: None,
            max_samples_per_send: 10_000,
            max_bytes_per_send: 8 << 20,
            max_shards: 4,
            leftover_folder: Some(".".into()),
            abort_on_failure: None,
            self_metrics: true,
            stale_markers: true,
            metric_prefix: mapping.metric_prefix,
            trend_as: None,
            trend_as_native_histogram: false,
            trend_stats: mapping.trend_stats,
            trend_window: mapping.trend_window,
            trend_buckets: mapping.trend_buckets,
            label_names: labels.names,
            labels: labels.constant,
            drop_tags: labels.drop_tags,
            max_label_value_bytes: labels.max_value_bytes,
            max_series: 200_000,
        }
    }
}

impl Config {
    /// Reads the document: the argument of `--out` over the environment over JSON, over the defaults.
    ///
    /// # Errors
    /// All mistakes of all sources, each with its option, source, value, and what is allowed.
    pub fn read(document: &Document) -> Result<Self, ConfigErrors> {
        let mut destination =
            Destination { trend_as_native_histogram: document.run.native_histograms(), ..Destination::default() };
        let mut findings = Findings::default();
        // The lowest precedence first: each source overwrites what the ones before it said.
        for source in [Source::Json, Source::Environment, Source::Argument] {
            source.apply(document, &mut destination, &mut findings);
        }
        destination.labels.extend(document.run.instance_label(&destination.labels));
        findings.warnings.extend(document.script_warning());
        if findings.errors.is_empty() {
            let tags = document.run.tags.clone().into_iter().collect();
            Ok(Self { destinations: vec![destination], tags, warnings: findings.warnings })
        } else {
            Err(ConfigErrors(findings.errors))
        }
    }

    /// One line for k6's banner: where to, and how often.
    pub fn description(&self) -> String {
        self.destinations.iter().map(Destination::description).collect::<Vec<_>>().join("; ")
    }
}

impl Destination {
    /// The URL without its password, for people and logs.
    pub fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        if url.password().is_some() {
            // Fails only for URLs that cannot have one.
            let _ = url.set_password(Some("***"));
        }
        url.to_string()
    }

    /// What becomes of k6's series here.
    pub fn rules(&self) -> Rules {
        let default_form = if self.trend_as_native_histogram { TrendAs::NATIVE } else { TrendAs::GAUGES };
        Rules {
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

    fn description(&self) -> String {
        format!("{}, every {}", self.shown_url(), duration::shown(self.rate))
    }
}

/// What reading a source found beside values.
#[derive(Debug, Default)]
struct Findings {
    errors: Vec<ConfigError>,
    warnings: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<Config, String> {
        let document = Document::parse(document.as_bytes()).map_err(|error| error.to_string())?;
        Config::read(&document).map_err(|errors| errors.to_string())
    }

    /// The one destination of a document without mistakes.
    fn destination(document: &str) -> Result<Destination, String> {
        let mut config = read(document)?;
        assert_eq!((config.destinations.len(), &config.warnings[..]), (1, &[][..]));
        Ok(config.destinations.remove(0))
    }

    #[test]
    fn nothing_set_means_the_defaults() {
        let config = read("{}").expect("valid");
        assert_eq!(config, Config { destinations: vec![Destination::default()], tags: vec![], warnings: vec![] });
        assert_eq!(config.description(), "http://localhost:9090/api/v1/write, every 3s");
    }

    #[test]
    fn the_argument_wins_over_the_environment_over_json() {
        let json = r#""json": {"url": "http://json/w", "pushInterval": "1s", "staleMarkers": false}"#;
        let environment =
            r#""environment": {"K6_PROMETHEUS_RW_SERVER_URL": "http://env/w", "K6_PROMETHEUS_RW_PUSH_INTERVAL": "2s"}"#;
        let argument = r#""argument": "http://argument/w""#;
        for (document, url, seconds) in [
            (format!("{{{json}}}"), "http://json/w", 1),
            (format!("{{{json}, {environment}}}"), "http://env/w", 2),
            (format!("{{{json}, {environment}, {argument}}}"), "http://argument/w", 2),
        ] {
            let destination = destination(&document).expect("valid");
            assert_eq!((destination.url.as_str(), destination.rate.as_secs()), (url, seconds));
            assert!(!destination.stale_markers);
        }
    }

    #[test]
    fn a_rate_in_either_spelling_overwrites_the_other_of_a_lower_source() {
        let document = r#"{"json": {"pushInterval": "500ms"}, "environment": {"K6_PROMETHEUS_RW_RESAMPLE_RATE": "7"}}"#;
        assert_eq!(destination(document).map(|destination| destination.rate), Ok(Duration::from_secs(7)));
    }

    #[test]
    fn every_option_is_read_from_json_and_from_the_environment() {
        let expected = Destination {
            url: Url::parse("https://u@[::1]:9/w?x=1").expect("valid"),
            rate: Duration::from_millis(1500),
            timeout: Duration::from_secs(70),
            flush_timeout: Duration::ZERO,
            queue_bytes: 1 << 20,
            protocol: Some(Protocol::V2),
            max_samples_per_send: 2000,
            max_bytes_per_send: 1 << 16,
            max_shards: 7,
            leftover_folder: Some("/tmp/left".into()),
            abort_on_failure: Some(Duration::from_secs(60)),
            self_metrics: false,
            stale_markers: false,
            metric_prefix: "load_".into(),
            trend_as: Some(TrendAs { gauges: false, native: true, classic: true }),
            trend_as_native_histogram: true,
            trend_stats: vec![TrendStat::Percentile(99.9), TrendStat::Count],
            trend_window: Span::Run,
            trend_buckets: Some([0.1, 2.5].into()),
            label_names: LabelNames::Utf8,
            labels: vec![("a".into(), "1".into()), ("b".into(), "2".into())],
            drop_tags: vec!["url".into(), "vu".into()],
            max_label_value_bytes: 64,
            max_series: 7,
        };
        let json = r#"{"json": {"url": " https://u@[::1]:9/w?x=1 ", "pushInterval": "1.5s", "timeout": "1m10s", "flushTimeout": 0,
            "queueBytes": 1048576, "protocol": "2.0", "maxSamplesPerSend": 2000, "maxBytesPerSend": 65536, "maxShards": 7,
            "leftoverFolder": "/tmp/left", "abortOnFailure": "1m", "selfMetrics": false, "staleMarkers": false, "metricPrefix": "load_", "trendAs": ["native", "classic"],
            "trendAsNativeHistogram": true, "trendStats": ["p(99.9)", "count"], "trendWindow": "run", "trendBuckets": [0.1, 2.5],
            "labelNames": "utf8", "labels": {"a": "1", "b": "2"}, "dropTags": ["url", "vu"], "maxLabelValueBytes": 64, "maxSeries": 7}}"#;
        assert_eq!(destination(json).as_ref(), Ok(&expected));
        let environment = r#"{"environment": {"K6_PROMETHEUS_RW_SERVER_URL": "https://u@[::1]:9/w?x=1",
            "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1500", "K6_PROMETHEUS_RW_TIMEOUT": "70s",
            "K6_PROMETHEUS_RW_FLUSH_TIMEOUT": "0s", "K6_PROMETHEUS_RW_QUEUE_BYTES": "1048576",
            "K6_PROMETHEUS_RW_PROTOCOL": "2.0", "K6_PROMETHEUS_RW_MAX_SAMPLES_PER_SEND": "2000",
            "K6_PROMETHEUS_RW_MAX_BYTES_PER_SEND": "65536", "K6_PROMETHEUS_RW_MAX_SHARDS": "7",
            "K6_PROMETHEUS_RW_LEFTOVER_FOLDER": "/tmp/left", "K6_PROMETHEUS_RW_ABORT_ON_FAILURE": "60s",
            "K6_PROMETHEUS_RW_SELF_METRICS": "false",
            "K6_PROMETHEUS_RW_STALE_MARKERS": "false", "K6_PROMETHEUS_RW_METRIC_PREFIX": "load_",
            "K6_PROMETHEUS_RW_TREND_AS": "native,classic", "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM": "true",
            "K6_PROMETHEUS_RW_TREND_STATS": "p(99.9),count", "K6_PROMETHEUS_RW_TREND_WINDOW": "run",
            "K6_PROMETHEUS_RW_TREND_BUCKETS": "0.1, 2.5", "K6_PROMETHEUS_RW_LABEL_NAMES": "utf8",
            "K6_PROMETHEUS_RW_LABELS": "b=2,a=1", "K6_PROMETHEUS_RW_DROP_TAGS": "url,vu",
            "K6_PROMETHEUS_RW_MAX_LABEL_VALUE_BYTES": "64", "K6_PROMETHEUS_RW_MAX_SERIES": "7"}}"#;
        assert_eq!(destination(environment).as_ref(), Ok(&expected));
    }

    #[test]
    fn options_of_delivery_have_bounds_and_an_off() {
        for (option, value) in [
            ("protocol", r#""3.0""#),
            ("maxSamplesPerSend", "0"),
            ("maxBytesPerSend", "33554433"),
            ("maxShards", "51"),
            ("maxShards", "0"),
            ("abortOnFailure", r#""soon""#),
        ] {
            let error = read(&format!(r#"{{"json": {{"{option}": {value}}}}}"#)).expect_err(option);
            assert!(error.contains(option), "{error}");
        }
        let off = destination(r#"{"json": {"leftoverFolder": "", "abortOnFailure": 0, "protocol": "auto"}}"#);
        let expected = Destination { leftover_folder: None, ..Destination::default() };
        assert_eq!(off, Ok(expected));
    }

    #[test]
    fn the_tests_own_tags_are_handed_on() {
        let config = read(r#"{"run": {"tags": {"testid": "a"}}}"#).expect("valid");
        assert_eq!(config.tags, [("testid".into(), "a".into())]);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let errors = read(
            r#"{"argument": "ftp://x/y", "environment": {"K6_PROMETHEUS_RW_PUSH_INTERVAL": "1ms"}, "json": {"resampleRate": 11, "ulr": "x"}}"#,
        )
        .expect_err("invalid");
        let expected = [
            r#"resampleRate in collectors."remote-write".resampleRate (JSON) is 11; allowed is an integer from 1 to 10, in seconds"#,
            r#"collectors."remote-write".ulr (JSON) is no option; allowed are url, resampleRate, pushInterval, timeout, flushTimeout, queueBytes, protocol, maxSamplesPerSend, maxBytesPerSend, maxShards, leftoverFolder, abortOnFailure, selfMetrics, staleMarkers, metricPrefix, trendAs, trendAsNativeHistogram, trendStats, trendWindow, trendBuckets, labelNames, labels, dropTags, maxLabelValueBytes, maxSeries"#,
            r#"pushInterval in K6_PROMETHEUS_RW_PUSH_INTERVAL (environment) is "1ms"; allowed is a duration from 100ms on, such as 500ms or 5s"#,
            r#"url in the argument of --out is "ftp://x/y"; allowed is an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write"#,
        ];
        assert_eq!(errors, format!("invalid configuration: {}", expected.join("; ")));
    }

    #[test]
    fn what_trends_labels_and_series_do_not_take_is_told() {
        for (name, values) in [
            ("trendAs", &[r#""""#, r#"[]"#, r#""summary""#, r#"["gauges", 1]"#, "true"][..]),
            ("trendStats", &[r#""""#, r#""p(101)""#, r#""avg,avg""#, r#""p(99.9),p(9.99)""#, r#""avg,""#]),
            ("trendWindow", &[r#""minute""#, "1"]),
            ("trendBuckets", &["[2, 1]", "[1, 1]", r#""1,x""#, r#"["NaN"]"#, r#"["inf"]"#]),
            ("labelNames", &[r#""utf-16""#]),
            ("labels", &[r#""a""#, r#"{"__name__": "x"}"#, r#"{"a": ""}"#, r#""=b""#, r#"["a"]"#]),
            ("dropTags", &[r#""a,,b""#, r#"[{}]"#]),
            ("maxLabelValueBytes", &["15", r#""1k""#]),
            ("maxSeries", &["0", "-1", "1.5"]),
        ] {
            for value in values {
                let error = read(&format!(r#"{{"json": {{"{name}": {value}}}}}"#)).expect_err(value);
                assert!(error.contains(&format!("{name} in ")) && error.contains("allowed is"), "{value}: {error}");
            }
        }
    }

    #[test]
    fn the_native_switch_and_feature_hold_where_the_form_is_not_said() {
        let form = |document: &str| destination(document).expect("valid").rules().mapping.trend_as;
        let environment =
            |value: &str| format!(r#""environment": {{"K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM": "{value}"}}"#);
        let feature = r#""run": {"features": ["freeze-env", "native-histograms"]}"#;
        assert_eq!(form("{}"), TrendAs::GAUGES);
        assert_eq!(form(&format!("{{{}}}", environment("true"))), TrendAs::NATIVE);
        assert_eq!(form(&format!("{{{feature}}}")), TrendAs::NATIVE);
        assert_eq!(form(&format!("{{{feature}, {}}}", environment("false"))), TrendAs::GAUGES);
        assert_eq!(form(&format!(r#"{{{feature}, "json": {{"trendAs": "gauges"}}}}"#)), TrendAs::GAUGES);
    }

    #[test]
    fn a_segment_of_a_run_is_told_apart_unless_its_tags_or_labels_do() {
        let labels = |run: &str, rest: &str| {
            destination(&format!(r#"{{"run": {run}{rest}}}"#)).expect("valid").rules().labels.constant
        };
        let instance = |value: &str| vec![("instance".to_string(), value.to_string())];
        assert_eq!(labels(r#"{"executionSegment": "1/2:1"}"#, ""), instance("1/2:1"));
        assert_eq!(labels(r#"{"executionSegment": "0:1"}"#, ""), vec![], "the whole run");
        assert_eq!(labels("{}", ""), vec![]);
        for tag in ["instance", "instance_id"] {
            assert_eq!(labels(&format!(r#"{{"executionSegment": "1/2:1", "tags": {{"{tag}": "7"}}}}"#), ""), vec![]);
        }
        let own = r#", "json": {"labels": "instance=mine"}"#;
        assert_eq!(labels(r#"{"executionSegment": "1/2:1"}"#, own), instance("mine"));
    }

    #[test]
    fn a_wrong_url_is_told_by_its_source() {
        for url in
            ["localhost:9090", "http://", "/api/v1/write", "http:///x", "http://a b/", "unix:/x", "http://h:99999/"]
        {
            let error = read(&format!(r#"{{"argument": "{url}"}}"#)).expect_err(url);
            assert!(error.contains("url in the argument of --out") && error.contains("http or https"), "{error}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_never_shown() {
        let config = read(r#"{"argument": "http://me:hunter2@host/w"}"#).expect("valid");
        assert_eq!(config.description(), "http://me:***@host/w, every 3s");
        let error = read(r#"{"argument": "ftp://me:hunter2@host/w"}"#).expect_err("invalid");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_not_read_yet_is_warned_of() {
        let config = read(
            r#"{"environment": {"K6_PROMETHEUS_RW_USERNAME": "me"}, "script": {"ext": {"apm": [{"provider": "prometheus"}]}}}"#,
        )
        .expect("valid");
        assert_eq!(config.warnings.len(), 2);
        assert!(config.warnings[0].contains("K6_PROMETHEUS_RW_USERNAME"));
        assert!(config.warnings[1].contains("apm"));
    }
}
