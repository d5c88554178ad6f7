//! The table of options: names, what is allowed, and how a value is taken.

use std::time::Duration;

use url::Url;

use super::Destination;
use super::duration;
use crate::series::is_metric_name;

/// The shortest window.
const SHORTEST_RATE: Duration = Duration::from_millis(100);

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
        set: |to, text| {
            to.queue_bytes = text.parse().ok().filter(|&bytes| bytes > 0)?;
            Some(())
        },
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

/// The spellings that Go's `strconv.ParseBool` takes, and so k6.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
