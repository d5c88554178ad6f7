//! The table of options: names, what is allowed, and how a value is taken.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::destination::Destination;
use super::parse::list::{list, pairs};
use super::parse::{duration, headers, metrics};
use crate::export::Span;
use crate::export::{TrendAs, TrendStat};
use crate::http::{Proxy, SecretSource, TlsVersion};
use crate::series::{LabelNames, is_metric_name};
use crate::wire::Protocol;

/// The most statistics of one trend, and the most bounds of a classic histogram: each is a series of its own.
const MAX_TREND_STATS: usize = 50;
const MAX_TREND_BUCKETS: usize = 100;

/// The shortest window.
const MIN_RATE: Duration = Duration::from_millis(100);

/// Prometheus and others refuse larger requests.
const MAX_BYTES_PER_SEND: usize = 32 << 20;

/// As many as Prometheus's own sender has at most.
const MAX_SHARDS: usize = 50;

/// One option, in all its spellings.
pub struct OptionSpec {
    /// In JSON.
    pub name: &'static str,
    /// In the environment.
    pub variable: &'static str,
    /// What it takes, as part of a sentence: "allowed is ...".
    pub allowed: &'static str,
    /// The default, as one would write it; empty for none.
    pub default: &'static str,
    /// Takes a value from its text; `None` if it is not allowed. Lists and objects of JSON come as their JSON.
    pub(super) set: fn(&mut Destination, &str) -> Option<()>,
}

/// All options, in the order of the documentation.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: URL,
        variable: "K6_PROMETHEUS_RW_SERVER_URL",
        allowed: "an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write",
        default: "http://localhost:9090/api/v1/write",
        set: |to, text| url(text).map(|url| to.url = url),
    },
    OptionSpec {
        name: USERNAME,
        variable: "K6_PROMETHEUS_RW_USERNAME",
        allowed: "a text without a colon",
        default: "",
        set: |to, text| (!text.contains(':')).then(|| to.credentials.username = given(text).map(SecretSource::from)),
    },
    OptionSpec {
        name: USERNAME_FILE,
        variable: "K6_PROMETHEUS_RW_USERNAME_FILE",
        allowed: "the path of a file, which is read again for every request",
        default: "",
        set: |to, text| {
            to.credentials.username = in_file(text);
            Some(())
        },
    },
    OptionSpec {
        name: PASSWORD,
        variable: "K6_PROMETHEUS_RW_PASSWORD",
        allowed: "a text",
        default: "",
        set: |to, text| {
            to.credentials.password = given(text).map(SecretSource::from);
            Some(())
        },
    },
    OptionSpec {
        name: PASSWORD_FILE,
        variable: "K6_PROMETHEUS_RW_PASSWORD_FILE",
        allowed: "the path of a file, which is read again for every request",
        default: "",
        set: |to, text| {
            to.credentials.password = in_file(text);
            Some(())
        },
    },
    OptionSpec {
        name: BEARER_TOKEN,
        variable: "K6_PROMETHEUS_RW_BEARER_TOKEN",
        allowed: "a token alone, without the word Bearer and without line breaks",
        default: "",
        set: |to, text| {
            let token = text.trim();
            let alone = !token.to_ascii_lowercase().starts_with("bearer ") && headers::is_value(token);
            alone.then(|| to.credentials.bearer_token = given(token).map(SecretSource::from))
        },
    },
    OptionSpec {
        name: BEARER_TOKEN_FILE,
        variable: "K6_PROMETHEUS_RW_BEARER_TOKEN_FILE",
        allowed: "the path of a file, which is read again for every request",
        default: "",
        set: |to, text| {
            to.credentials.bearer_token = in_file(text);
            Some(())
        },
    },
    OptionSpec {
        name: HEADERS,
        variable: "K6_PROMETHEUS_RW_HTTP_HEADERS",
        allowed: "HTTP headers: key1:value1,key2:value2, or a JSON object of texts",
        default: "",
        set: |to, text| {
            headers::parse(text)?.into_iter().for_each(|(name, value)| headers::put(&mut to.headers, name, value));
            Some(())
        },
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
            to.rate = duration::parse(text).filter(|&rate| rate >= MIN_RATE)?;
            Some(())
        },
    },
    OptionSpec {
        name: METRICS,
        variable: "K6_PROMETHEUS_RW_METRICS",
        allowed: "a list of metric names, and of objects with sourceMetric, targetMetric and keepTags",
        default: "",
        set: |to, text| {
            let parsed = metrics::parse(text);
            parsed.mistakes.is_empty().then(|| to.metrics = Some(parsed.entries))
        },
    },
    OptionSpec {
        name: INCLUDE_DEFAULT_METRICS,
        variable: "K6_PROMETHEUS_RW_INCLUDE_DEFAULT_METRICS",
        allowed: "true or false",
        default: "true",
        set: |to, text| boolean(text).map(|on| to.include_default_metrics = Some(on)),
    },
    OptionSpec {
        name: INCLUDE_TEST_RUN_ID,
        variable: "K6_PROMETHEUS_RW_INCLUDE_TEST_RUN_ID",
        allowed: "true or false",
        default: "false",
        set: |to, text| boolean(text).map(|on| to.include_test_run_id = on),
    },
    OptionSpec {
        name: TEST_RUN_ID,
        variable: "K6_PROMETHEUS_RW_TEST_RUN_ID",
        allowed: "a text",
        default: "",
        set: |to, text| {
            to.test_run_id = given(text);
            Some(())
        },
    },
    OptionSpec {
        name: METRIC_PREFIX,
        variable: "K6_PROMETHEUS_RW_METRIC_PREFIX",
        allowed: "what a metric's name may begin with: letters, digits, _ and :, no digit first; or nothing",
        default: "k6_",
        set: |to, text| (text.is_empty() || is_metric_name(text)).then(|| to.metric_prefix = text.into()),
    },
    OptionSpec {
        name: "trendAs",
        variable: "K6_PROMETHEUS_RW_TREND_AS",
        allowed: "one or more of gauges, native, classic",
        default: "gauges",
        set: |to, text| trend_as(text).map(|forms| to.trend_as = Some(forms)),
    },
    OptionSpec {
        name: "trendAsNativeHistogram",
        variable: "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM",
        allowed: "true or false",
        default: "false",
        set: |to, text| boolean(text).map(|on| to.trend_as_native_histogram = Some(on)),
    },
    OptionSpec {
        name: "trendStats",
        variable: "K6_PROMETHEUS_RW_TREND_STATS",
        allowed: "one to fifty of avg, min, med, max, count, sum and p(N), N from 0 to 100, each once",
        default: "avg,min,med,max,p(90),p(95),p(99),count,sum",
        set: |to, text| trend_stats(text).map(|stats| to.trend_stats = stats),
    },
    OptionSpec {
        name: "trendWindow",
        variable: "K6_PROMETHEUS_RW_TREND_WINDOW",
        allowed: "window or run",
        default: "window",
        set: |to, text| {
            to.trend_window = match text {
                "window" => Span::Window,
                "run" => Span::Run,
                _ => return None,
            };
            Some(())
        },
    },
    OptionSpec {
        name: "trendBuckets",
        variable: "K6_PROMETHEUS_RW_TREND_BUCKETS",
        allowed: "up to a hundred ascending numbers, in seconds, bytes or the metric's own unit; or nothing",
        default: "",
        set: |to, text| trend_buckets(text).map(|bounds| to.trend_buckets = bounds),
    },
    OptionSpec {
        name: "labelNames",
        variable: "K6_PROMETHEUS_RW_LABEL_NAMES",
        allowed: "ascii or utf8",
        default: "ascii",
        set: |to, text| {
            to.label_names = match text {
                "ascii" => LabelNames::Ascii,
                "utf8" => LabelNames::Utf8,
                _ => return None,
            };
            Some(())
        },
    },
    OptionSpec {
        name: "labels",
        variable: "K6_PROMETHEUS_RW_LABELS",
        allowed: "names and values, such as environment=production,server=srv1, no name with __ first; or nothing",
        default: "",
        set: |to, text| {
            let valid = |(name, value): &(String, String)| !value.is_empty() && !name.starts_with("__");
            to.labels = pairs(text).filter(|labels| labels.iter().all(valid))?;
            Some(())
        },
    },
    OptionSpec {
        name: "dropTags",
        variable: "K6_PROMETHEUS_RW_DROP_TAGS",
        allowed: "names of tags, such as url,vu; or nothing",
        default: "",
        set: |to, text| list(text).map(|tags| to.drop_tags = tags),
    },
    OptionSpec {
        name: "maxLabelValueBytes",
        variable: "K6_PROMETHEUS_RW_MAX_LABEL_VALUE_BYTES",
        allowed: "a number of bytes from 16 on",
        default: "1048576",
        set: |to, text| {
            to.max_label_value_bytes = text.parse().ok().filter(|&bytes| bytes >= 16)?;
            Some(())
        },
    },
    OptionSpec {
        name: "maxSeries",
        variable: "K6_PROMETHEUS_RW_MAX_SERIES",
        allowed: "a number of series from 1 on",
        default: "200000",
        set: |to, text| {
            to.max_series = text.parse().ok().filter(|&series| series > 0)?;
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
            to.max_bytes_per_send = positive(text).filter(|&bytes| bytes <= MAX_BYTES_PER_SEND)?;
            Some(())
        },
    },
    OptionSpec {
        name: "maxShards",
        variable: "K6_PROMETHEUS_RW_MAX_SHARDS",
        allowed: "a number from 1 to 50",
        default: "4",
        set: |to, text| {
            to.max_shards = positive(text).filter(|&shards| shards <= MAX_SHARDS)?;
            Some(())
        },
    },
    OptionSpec {
        name: UNSENT_DIRECTORY,
        variable: "K6_PROMETHEUS_RW_UNSENT_DIRECTORY",
        allowed: "a folder; or nothing, for no file",
        default: ".",
        set: |to, text| {
            to.unsent_directory = (!text.is_empty()).then(|| text.into());
            Some(())
        },
    },
    OptionSpec {
        name: "preflight",
        variable: "K6_PROMETHEUS_RW_PREFLIGHT",
        allowed: "true or false",
        default: "false",
        set: |to, text| boolean(text).map(|on| to.preflight = on),
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
        name: INSECURE_SKIP_TLS_VERIFY,
        variable: "K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY",
        allowed: "true or false",
        default: "false",
        set: |to, text| boolean(text).map(|on| to.tls.skip_verify = on),
    },
    OptionSpec {
        name: "tlsMinVersion",
        variable: "K6_PROMETHEUS_RW_TLS_MINIMUM_VERSION",
        allowed: "1.2 or 1.3",
        default: "1.3",
        set: |to, text| {
            to.tls.minimum = match text {
                "1.2" => TlsVersion::V1_2,
                "1.3" => TlsVersion::V1_3,
                _ => return None,
            };
            Some(())
        },
    },
    OptionSpec {
        name: CA_CERTIFICATE,
        variable: "K6_PROMETHEUS_RW_CA_CERTIFICATE",
        allowed: "the path of a file in PEM form",
        default: "",
        set: |to, text| {
            to.tls.ca_certificate = given(text).map(Into::into);
            Some(())
        },
    },
    OptionSpec {
        name: TLS_SERVER_NAME,
        variable: "K6_PROMETHEUS_RW_TLS_SERVER_NAME",
        allowed: "the name, or the IP address, that the receiver's certificate has",
        default: "",
        set: |to, text| {
            to.tls.server_name = given(text.trim());
            Some(())
        },
    },
    OptionSpec {
        name: CLIENT_CERTIFICATE,
        variable: "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE",
        allowed: "the path of a file in PEM form",
        default: "",
        set: |to, text| {
            to.tls.client_certificate = given(text).map(Into::into);
            Some(())
        },
    },
    OptionSpec {
        name: CLIENT_CERTIFICATE_KEY,
        variable: "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE_KEY",
        allowed: "the path of a file in PEM form",
        default: "",
        set: |to, text| {
            to.tls.client_certificate_key = given(text).map(Into::into);
            Some(())
        },
    },
    OptionSpec {
        name: PROXY,
        variable: "K6_PROMETHEUS_RW_PROXY",
        allowed: "a URL of http, https, socks5 or socks5h, such as http://proxy.example.com:3128; or direct",
        default: "",
        set: |to, text| proxy(text).map(|proxy| to.proxy = proxy),
    },
    OptionSpec {
        name: SIGV4_REGION,
        variable: "K6_PROMETHEUS_RW_SIGV4_REGION",
        allowed: "a region of AWS, such as us-east-1",
        default: "",
        set: |to, text| {
            to.sigv4.region = given(text.trim());
            Some(())
        },
    },
    OptionSpec {
        name: SIGV4_SERVICE,
        variable: "K6_PROMETHEUS_RW_SIGV4_SERVICE",
        allowed: "what AWS calls the receiver: aps is its Prometheus",
        default: "aps",
        set: |to, text| {
            to.sigv4.service = given(text.trim())?;
            Some(())
        },
    },
    OptionSpec {
        name: SIGV4_ACCESS_KEY,
        variable: "K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY",
        allowed: "an access key of AWS",
        default: "",
        set: |to, text| {
            to.sigv4.access_key = given(text.trim());
            Some(())
        },
    },
    OptionSpec {
        name: SIGV4_SECRET_KEY,
        variable: "K6_PROMETHEUS_RW_SIGV4_SECRET_KEY",
        allowed: "a secret key of AWS",
        default: "",
        set: |to, text| {
            to.sigv4.secret_key = given(text.trim()).map(Into::into);
            Some(())
        },
    },
    OptionSpec {
        name: SIGV4_SESSION_TOKEN,
        variable: "K6_PROMETHEUS_RW_SIGV4_SESSION_TOKEN",
        allowed: "the session token of temporary keys",
        default: "",
        set: |to, text| {
            to.sigv4.session_token = given(text.trim()).map(Into::into);
            Some(())
        },
    },
    OptionSpec {
        name: SIGV4_PROFILE,
        variable: "K6_PROMETHEUS_RW_SIGV4_PROFILE",
        allowed: "the name of a profile in AWS's file of shared credentials",
        default: "",
        set: |to, text| {
            to.sigv4.profile = given(text.trim());
            Some(())
        },
    },
];

// The options that are more to this module than a row.
pub(super) const URL: &str = "url";
pub(super) const USERNAME: &str = "username";
pub(super) const USERNAME_FILE: &str = "usernameFile";
pub(super) const PASSWORD: &str = "password";
pub(super) const PASSWORD_FILE: &str = "passwordFile";
pub(super) const BEARER_TOKEN: &str = "bearerToken";
pub(super) const BEARER_TOKEN_FILE: &str = "bearerTokenFile";
pub(super) const HEADERS: &str = "headers";
pub(super) const PUSH_INTERVAL: &str = "pushInterval";
pub(super) const RESAMPLE_RATE: &str = "resampleRate";
pub(super) const METRICS: &str = "metrics";
pub(super) const INCLUDE_DEFAULT_METRICS: &str = "includeDefaultMetrics";
pub(super) const INCLUDE_TEST_RUN_ID: &str = "includeTestRunId";
pub(super) const TEST_RUN_ID: &str = "testRunId";
pub(super) const UNSENT_DIRECTORY: &str = "unsentDirectory";
pub(super) const METRIC_PREFIX: &str = "metricPrefix";
pub(super) const CA_CERTIFICATE: &str = "caCertificate";
pub(super) const TLS_SERVER_NAME: &str = "tlsServerName";
pub(super) const INSECURE_SKIP_TLS_VERIFY: &str = "insecureSkipTLSVerify";
pub(super) const CLIENT_CERTIFICATE: &str = "clientCertificate";
pub(super) const CLIENT_CERTIFICATE_KEY: &str = "clientCertificateKey";
pub(super) const PROXY: &str = "proxy";
pub(super) const SIGV4_REGION: &str = "sigV4Region";
pub(super) const SIGV4_SERVICE: &str = "sigV4Service";
pub(super) const SIGV4_ACCESS_KEY: &str = "sigV4AccessKey";
pub(super) const SIGV4_SECRET_KEY: &str = "sigV4SecretKey";
pub(super) const SIGV4_SESSION_TOKEN: &str = "sigV4SessionToken";
pub(super) const SIGV4_PROFILE: &str = "sigV4Profile";

/// k6's documentation has one spelling of this, its code another.
const TLS_MINIMUM_AS_DOCUMENTED: &str = "K6_PROMETHEUS_RW_TLS_MIN_VERSION";

impl OptionSpec {
    /// In an `apm` block of the script: k6 Cloud's own word where it has one.
    pub fn script_name(&self) -> &'static str {
        match self.name {
            URL => "remoteWriteURL",
            USERNAME => "credentials.username",
            PASSWORD => "credentials.password",
            BEARER_TOKEN => "credentials.token",
            USERNAME_FILE => "credentials.usernameFile",
            PASSWORD_FILE => "credentials.passwordFile",
            BEARER_TOKEN_FILE => "credentials.tokenFile",
            name => name,
        }
    }

    /// Whether a variable of the environment is this option's.
    pub(super) fn has_variable(&self, variable: &str) -> bool {
        self.variable == variable || (self.name == "tlsMinVersion" && variable == TLS_MINIMUM_AS_DOCUMENTED)
    }

    /// Whether an empty variable is a value: everywhere else in k6, empty is as good as not set.
    pub(super) fn takes_nothing(&self) -> bool {
        matches!(self.name, METRIC_PREFIX | UNSENT_DIRECTORY)
    }

    /// Whether its value may be shown to nobody.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.name, PASSWORD | BEARER_TOKEN | HEADERS | SIGV4_SECRET_KEY | SIGV4_SESSION_TOKEN)
    }

    /// Whether it takes any text, and so would take the JSON of a list or an object too.
    pub(super) fn is_free_text(&self) -> bool {
        matches!(
            self.name,
            USERNAME
                | USERNAME_FILE
                | PASSWORD
                | PASSWORD_FILE
                | BEARER_TOKEN
                | BEARER_TOKEN_FILE
                | CA_CERTIFICATE
                | TLS_SERVER_NAME
                | TEST_RUN_ID
                | UNSENT_DIRECTORY
                | CLIENT_CERTIFICATE
                | CLIENT_CERTIFICATE_KEY
                | SIGV4_REGION
                | SIGV4_SERVICE
                | SIGV4_ACCESS_KEY
                | SIGV4_SECRET_KEY
                | SIGV4_SESSION_TOKEN
                | SIGV4_PROFILE
        )
    }
}

/// An empty text is none.
fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.into())
}

fn in_file(text: &str) -> Option<SecretSource> {
    given(text).map(|path| SecretSource::File(path.into()))
}

fn proxy(text: &str) -> Option<Proxy> {
    let text = text.trim();
    match text {
        "" => Some(Proxy::Environment),
        "direct" => Some(Proxy::None),
        _ => {
            let url = Url::parse(text).ok()?;
            let known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
            (known && url.has_host()).then(|| Proxy::Through(text.into()))
        }
    }
}

/// The URL of a receiver.
pub(super) fn url(text: &str) -> Option<Url> {
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

fn trend_as(text: &str) -> Option<TrendAs> {
    let forms = list(text).filter(|forms| !forms.is_empty())?;
    let mut all = TrendAs { gauges: false, native: false, classic: false };
    for form in forms {
        match &*form {
            "gauges" => all.gauges = true,
            "native" => all.native = true,
            "classic" => all.classic = true,
            _ => return None,
        }
    }
    Some(all)
}

fn trend_stats(text: &str) -> Option<Vec<TrendStat>> {
    let stats: Vec<_> = list(text)?.iter().map(|stat| TrendStat::parse(stat)).collect::<Option<_>>()?;
    let mut suffixes: Vec<_> = stats.iter().map(|stat| stat.suffix()).collect();
    suffixes.sort();
    suffixes.dedup();
    let each_once = suffixes.len() == stats.len();
    (each_once && (1..=MAX_TREND_STATS).contains(&stats.len())).then_some(stats)
}

/// Some(None) for none: those that fit the unit.
fn trend_buckets(text: &str) -> Option<Option<Arc<[f64]>>> {
    let bounds: Arc<[f64]> = list(text)?.iter().map(|bound| bound.parse().ok()).collect::<Option<_>>()?;
    let ascending =
        bounds.iter().all(|bound: &f64| bound.is_finite()) && bounds.windows(2).all(|pair| pair[0] < pair[1]);
    (ascending && bounds.len() <= MAX_TREND_BUCKETS).then(|| Some(bounds).filter(|bounds| !bounds.is_empty()))
}
