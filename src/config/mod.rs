//! Raw inputs → a validated [`Config`].
//!
//! In comes the JSON document of [`Document`], which the host fills with what the user wrote and where; out goes one
//! [`Config`], or every mistake at once. Whoever opens an output reads it: [`crate::output`].

mod document;
mod duration;
mod error;
mod option;
mod source;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

pub use document::Document;
pub use error::{ConfigError, ConfigErrors};
pub use option::{OPTIONS, OptionSpec};
use source::Source;

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
}

impl Default for Destination {
    fn default() -> Self {
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
            metric_prefix: "k6_".into(),
        }
    }
}

impl Config {
    /// Reads the document: the argument of `--out` over the environment over JSON, over the defaults.
    ///
    /// # Errors
    /// All mistakes of all sources, each with its option, source, value, and what is allowed.
    pub fn read(document: &Document) -> Result<Self, ConfigErrors> {
        let mut destination = Destination::default();
        let mut findings = Findings::default();
        // The lowest precedence first: each source overwrites what the ones before it said.
        for source in [Source::Json, Source::Environment, Source::Argument] {
            source.apply(document, &mut destination, &mut findings);
        }
        findings.warnings.extend(document.script_warning());
        if findings.errors.is_empty() {
            let tags = document.tags.clone().into_iter().collect();
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
        };
        let json = r#"{"json": {"url": " https://u@[::1]:9/w?x=1 ", "pushInterval": "1.5s", "timeout": "1m10s", "flushTimeout": 0,
            "queueBytes": 1048576, "protocol": "2.0", "maxSamplesPerSend": 2000, "maxBytesPerSend": 65536, "maxShards": 7,
            "leftoverFolder": "/tmp/left", "abortOnFailure": "1m", "selfMetrics": false, "staleMarkers": false, "metricPrefix": "load_"}}"#;
        assert_eq!(destination(json).as_ref(), Ok(&expected));
        let environment = r#"{"environment": {"K6_PROMETHEUS_RW_SERVER_URL": "https://u@[::1]:9/w?x=1",
            "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1500", "K6_PROMETHEUS_RW_TIMEOUT": "70s",
            "K6_PROMETHEUS_RW_FLUSH_TIMEOUT": "0s", "K6_PROMETHEUS_RW_QUEUE_BYTES": "1048576",
            "K6_PROMETHEUS_RW_PROTOCOL": "2.0", "K6_PROMETHEUS_RW_MAX_SAMPLES_PER_SEND": "2000",
            "K6_PROMETHEUS_RW_MAX_BYTES_PER_SEND": "65536", "K6_PROMETHEUS_RW_MAX_SHARDS": "7",
            "K6_PROMETHEUS_RW_LEFTOVER_FOLDER": "/tmp/left", "K6_PROMETHEUS_RW_ABORT_ON_FAILURE": "60s",
            "K6_PROMETHEUS_RW_SELF_METRICS": "false", "K6_PROMETHEUS_RW_STALE_MARKERS": "false", "K6_PROMETHEUS_RW_METRIC_PREFIX": "load_"}}"#;
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
        let config = read(r#"{"tags": {"testid": "a"}}"#).expect("valid");
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
            r#"collectors."remote-write".ulr (JSON) is no option; allowed are url, resampleRate, pushInterval, timeout, flushTimeout, queueBytes, protocol, maxSamplesPerSend, maxBytesPerSend, maxShards, leftoverFolder, abortOnFailure, selfMetrics, staleMarkers, metricPrefix"#,
            r#"pushInterval in K6_PROMETHEUS_RW_PUSH_INTERVAL (environment) is "1ms"; allowed is a duration from 100ms on, such as 500ms or 5s"#,
            r#"url in the argument of --out is "ftp://x/y"; allowed is an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write"#,
        ];
        assert_eq!(errors, format!("invalid configuration: {}", expected.join("; ")));
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
