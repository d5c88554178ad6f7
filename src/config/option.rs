//! The table of options: names, what is allowed, and how a value is taken.

use std::time::Duration;

use url::Url;

use super::Destination;
use super::duration;
use crate::series::is_metric_name;
use crate::wire::Protocol;

/// The shortest window.
const SHORTEST_RATE: Duration = Duration::from_millis(100);

/// Prometheus and others refuse larger requests.
const MOST_BYTES_PER_SEND: usize = 32 << 20;

/// As many as Prometheus's own sender has at most.
const MOST_SHARDS: usize = 50;

/// One option, in all its spellings.
pub struct OptionSpec {
    /// In JSON.
    pub name: &'static str,
    /// In the environment.
    pub variable: &'static str,
    /// What it takes, as part of a sentence: "allowed is ...".
    pub allowed: &'static str,
    /// The default, as one would write it.
    pub default: &'static str,
    /// Takes a value from its text; `None` if it is not allowed.
    pub(super) set: fn(&mut Destination, &str) -> Option<()>,
}

/// All options, in the order of the documentation.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "url",
        variable: "K6_PROMETHEUS_RW_SERVER_URL",
        allowed: "an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write",
        default: "http://localhost:9090/api/v1/write",
        set: |to, text| url(text).map(|url| to.url = url),
    },
    OptionSpec {
        name: RESAMPLE_RATE,
        variable: "K6_PROMETHEUS_RW_RESAMPLE_RATE",
        allowed: "an integer from 1 to 10, in seconds",
        default: "3",
        set: |to, text| {
            let seconds = text.parse().ok().filter(|seconds| (1..=10).contains(seconds))?;
            to.rate = Duration::from_secs(seconds);
            Some(())
        },
    },
    OptionSpec {
        name: PUSH_INTERVAL,
        variable: "K6_PROMETHEUS_RW_PUSH_INTERVAL",
        allowed: "a duration from 100ms on, such as 500ms or 5s",
        default: "3s",
        set: |to, text| {
            to.rate = duration::parse(text).filter(|&rate| rate >= SHORTEST_RATE)?;
            Some(())
        },
    },
    OptionSpec {
        name: "timeout",
        variable: "K6_PROMETHEUS_RW_TIMEOUT",
        allowed: "a duration above 0, such as 5s",
        default: "5s",
        set: |to, text| {
            to.timeout = duration::parse(text).filter(|timeout| !timeout.is_zero())?;
            Some(())
        },
    },
    OptionSpec {
        name: "flushTimeout",
        variable: "K6_PROMETHEUS_RW_FLUSH_TIMEOUT",
        allowed: "a duration, such as 30s",
        default: "30s",
        set: |to, text| duration::parse(text).map(|timeout| to.flush_timeout = timeout),
    },
    OptionSpec {
        name: "queueBytes",
        variable: "K6_PROMETHEUS_RW_QUEUE_BYTES",
        allowed: "a number of bytes from 1 on",
        default: "67108864",
        set: |to, text| positive(text).map(|bytes| to.queue_bytes = bytes),
    },
    OptionSpec {
        name: "protocol",
        variable: "K6_PROMETHEUS_RW_PROTOCOL",
        allowed: "auto, 1.0 or 2.0",
        default: "auto",
        set: |to, text| {
            to.protocol = match text {
                "auto" => None,
                "1.0" => Some(Protocol::V1),
                "2.0" => Some(Protocol::V2),
                _ => return None,
            };
            Some(())
        },
    },
    OptionSpec {
        name: "maxSamplesPerSend",
        variable: "K6_PROMETHEUS_RW_MAX_SAMPLES_PER_SEND",
        allowed: "a number from 1 on",
        default: "10000",
        set: |to, text| positive(text).map(|number| to.max_samples_per_send = number),
    },
    OptionSpec {
        name: "maxBytesPerSend",
        variable: "K6_PROMETHEUS_RW_MAX_BYTES_PER_SEND",
        allowed: "a number of bytes from 1 to 33554432",
        default: "8388608",
        set: |to, text| {
            to.max_bytes_per_send = positive(text).filter(|&bytes| bytes <= MOST_BYTES_PER_SEND)?;
            Some(())
        },
    },
    OptionSpec {
        name: "maxShards",
        variable: "K6_PROMETHEUS_RW_MAX_SHARDS",
        allowed: "a number from 1 to 50",
        default: "4",
        set: |to, text| {
            to.max_shards = positive(text).filter(|&shards| shards <= MOST_SHARDS)?;
            Some(())
        },
    },
    OptionSpec {
        name: "leftoverFolder",
        variable: "K6_PROMETHEUS_RW_LEFTOVER_FOLDER",
        allowed: "a folder; or nothing, for no file",
        default: ".",
        set: |to, text| {
            to.leftover_folder = (!text.is_empty()).then(|| text.into());
            Some(())
        },
    },
    OptionSpec {
        name: "abortOnFailure",
        variable: "K6_PROMETHEUS_RW_ABORT_ON_FAILURE",
        allowed: "a duration after which a test whose metrics do not get through is stopped, such as 1m; or 0s for never",
        default: "0s",
        set: |to, text| {
            let limit = duration::parse(text)?;
            to.abort_on_failure = (!limit.is_zero()).then_some(limit);
            Some(())
        },
    },
    OptionSpec {
        name: "selfMetrics",
        variable: "K6_PROMETHEUS_RW_SELF_METRICS",
        allowed: "true or false",
        default: "true",
        set: |to, text| boolean(text).map(|on| to.self_metrics = on),
    },
    OptionSpec {
        name: "staleMarkers",
        variable: "K6_PROMETHEUS_RW_STALE_MARKERS",
        allowed: "true or false",
        default: "true",
        set: |to, text| boolean(text).map(|on| to.stale_markers = on),
    },
    OptionSpec {
        name: "metricPrefix",
        variable: "K6_PROMETHEUS_RW_METRIC_PREFIX",
        allowed: "what a metric's name may begin with: letters, digits, _ and :, no digit first; or nothing",
        default: "k6_",
        set: |to, text| (text.is_empty() || is_metric_name(text)).then(|| to.metric_prefix = text.into()),
    },
];

/// The two options that set the length of a window: the built-in's, and k6 Cloud's.
pub(super) const PUSH_INTERVAL: &str = "pushInterval";
pub(super) const RESAMPLE_RATE: &str = "resampleRate";

pub(super) fn by_name(name: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.name == name)
}

fn url(text: &str) -> Option<Url> {
    let text = text.trim();
    // The URL standard reads `http:host` and `http:///host` as `http://host`; nobody means that.
    let (_, rest) = text.split_once("://")?;
    let url = Url::parse(text).ok().filter(|_| !rest.starts_with('/'))?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn positive(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&number| number > 0)
}

/// The spellings that Go's `strconv.ParseBool` takes, and so k6.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
