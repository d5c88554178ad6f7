//! The table of options, and what its functions read.
//!
//! A row and a field of [`Destination`] are all that an option needs: `make docs` writes the documentation's tables of it.

use std::sync::Arc;
use std::time::Duration;

use super::auth_options::AuthOptions;
use super::destination::{DeliveryOptions, Destination, MetricOptions, TestRunOptions, WindowOptions};
use super::kind::Hidden::{self, File, Headers, Key, Password, SecretFile, Token, Url};
use super::kind::Plain::{Boolean, Bytes, Count, Directory, Name, Parsed, Switch, Text, Words};
use super::kind::{Kind, Plain, Word, given, url, without_line_break};
use super::parse::duration;
use super::parse::list::{list, pairs};
use super::set_options::SetOptions;
use super::spec::{OptionSpec, Role, hidden, plain, row};
use crate::export::{Mapping, Span, TrendAs, TrendStat};
use crate::http::{Credentials, Endpoint, Proxy, SecretSource, Tls, TlsVersion};
use crate::secret::Secret;
use crate::series::{LabelNames, LabelRules, is_metric_name};
use crate::wire::Protocol;

/// The most statistics of one trend, and the most bounds of a classic histogram: each is a series.
const MAX_TREND_STATS: usize = 50;
const MAX_TREND_BUCKETS: usize = 100;

/// All labels of an exemplar have at most 128 characters together.
const MAX_EXEMPLAR_LABELS: usize = 10;

/// Prometheus and others reject larger requests.
const MAX_BYTES_PER_SEND: usize = 32 << 20;

/// The maximum of Prometheus's own sender.
const MAX_SHARDS: usize = 50;

const NONE: Duration = Duration::ZERO;
const ANY: Duration = Duration::from_nanos(1);
const MIN_WINDOW: Duration = Duration::from_millis(100);

pub(super) const DEFAULT_URL: &str = "http://localhost:9090/api/v1/write";

/// All options.
pub fn options() -> impl Iterator<Item = &'static OptionSpec> {
    OPTIONS.iter().flat_map(|(_, options)| options.iter())
}

/// All options in the order of the documentation, under its headings.
#[rustfmt::skip] // two lines a row
pub static OPTIONS: &[(&str, &[OptionSpec])] = &[
    ("Receiver and credentials", &[
        hidden("url", "SERVER_URL", Url(|d| &mut d.endpoint.url)).default(DEFAULT_URL)
            .script("remoteWriteURL").role(Role::Url).usual()
            .doc("Remote-write endpoint of the receiver; the argument of `--out` takes precedence"),
        hidden("username", "USERNAME", Hidden::Text(username)).script("credentials.username").role(Role::Username)
            .must_be("a user name without a colon; the password is a separate option").doc("User name of basic authentication"),
        hidden("usernameFile", "USERNAME_FILE", SecretFile(|d| &mut d.auth.username))
            .script("credentials.usernameFile").role(Role::Username)
            .doc("File with the user name, read again for every request"),
        hidden("password", "PASSWORD", Password(|d| &mut d.auth.password))
            .script("credentials.password").role(Role::Password).doc("Password of basic authentication"),
        hidden("passwordFile", "PASSWORD_FILE", SecretFile(|d| &mut d.auth.password))
            .script("credentials.passwordFile").role(Role::Password)
            .doc("File with the password, read again for every request"),
        hidden("bearerToken", "BEARER_TOKEN", Token(|d| &mut d.auth.bearer_token))
            .script("credentials.token").role(Role::BearerToken).usual().doc("Token for `Authorization: Bearer`"),
        hidden("bearerTokenFile", "BEARER_TOKEN_FILE", SecretFile(|d| &mut d.auth.bearer_token))
            .script("credentials.tokenFile").role(Role::BearerToken)
            .doc("File with the token, read again for every request"),
        hidden("headers", "HTTP_HEADERS", Headers(|d| &mut d.endpoint.headers)).role(Role::Headers).usual()
            .doc("Additional headers of every request, for example the tenant of Mimir"),
    ]),
    ("Windows and metrics", &[
        plain("resampleRate", "RESAMPLE_RATE", "3", Parsed(resample_rate)).role(Role::WindowLength).usual()
            .must_be("an integer from 1 to 10, in seconds").doc("Length of a window"),
        plain("pushInterval", "PUSH_INTERVAL", "3s", Plain::Duration(MIN_WINDOW, |d| &mut d.window.rate))
            .role(Role::WindowLength).doc("Length of a window, as any duration"),
        row("metrics", "METRICS", Kind::Metrics(|d| &mut d.metrics.entries)).unset("all metrics").usual()
            .doc("Metrics to send, with their names and tags"),
        plain("includeDefaultMetrics", "INCLUDE_DEFAULT_METRICS", "", Switch(|d| &mut d.metrics.include_defaults))
            .role(Role::IncludeDefaultMetrics).unset("`true` in a script, and with `metrics`")
            .doc("Sends k6 Cloud's default metrics too"),
        plain("includeTestRunId", "INCLUDE_TEST_RUN_ID", "false", Boolean(|d| &mut d.test_run.include_id))
            .doc("Adds the label `test_run_id` to every series"),
        plain("testRunId", "TEST_RUN_ID", "", Text(test_run_id)).role(Role::TestRunId)
            .doc("Value of that label, unless k6 Cloud gives one"),
        plain("metricPrefix", "METRIC_PREFIX", "k6_", Parsed(metric_prefix))
            .must_be("a valid beginning of a metric name: letters, digits, _ and :, not a digit first").empty("no prefix")
            .doc("Beginning of every metric name"),
        plain("staleMarkers", "STALE_MARKERS", "true", Boolean(|d| &mut d.window.stale_markers)).usual()
            .doc("Ends every series with a stale marker"),
        plain("maxSeries", "MAX_SERIES", "200000", Count(1..=usize::MAX, |d| &mut d.metrics.max_series))
            .doc("Maximum number of series without self metrics; new ones beyond it are dropped"),
        plain("selfMetrics", "SELF_METRICS", "true", Boolean(|d| &mut d.window.self_metrics))
            .doc("Sends metrics of the output itself, `k6_remote_write_*`"),
    ]),
    ("Trends", &[
        plain("trendAs", "TREND_AS", "", Parsed(trend_as)).usual()
            .must_be("one or more of gauges, native, classic").unset("`gauges`")
            .doc("Forms of a Trend: gauges, a native histogram, a classic histogram"),
        plain("trendAsNativeHistogram", "TREND_AS_NATIVE_HISTOGRAM", "", Switch(|d| &mut d.metrics.native_histograms))
            .unset("`false`, or k6's feature flag `native-histograms`")
            .doc("Native histograms where `trendAs` is not set: the option of k6's own output"),
        plain("trendStats", "TREND_STATS", "avg,min,med,max,p(90),p(95),p(99),count,sum", Parsed(trend_stats)).usual()
            .must_be("one to fifty of avg, min, med, max, count, sum and p(N), N from 0 to 100, each once").explain(equal_suffixes)
            .doc("Statistics of a Trend as gauges"),
        plain("trendWindow", "TREND_WINDOW", "window", Words(TREND_WINDOWS))
            .doc("Span of these statistics: one window, or the run so far"),
        plain("trendBuckets", "TREND_BUCKETS", "", Parsed(trend_buckets))
            .must_be("up to a hundred ascending numbers, or empty for the default").unset("by unit")
            .doc("Bounds of classic histograms, in seconds, bytes or the metric's own unit"),
    ]),
    ("Labels", &[
        plain("labelNames", "LABEL_NAMES", "ascii", Words(LABEL_NAMES))
            .doc("Characters of label names; `utf8` requires Prometheus 3"),
        plain("labels", "LABELS", "", Parsed(labels)).usual()
            .must_be("names and values, such as environment=production,server=srv1, each name once and none that begins with __")
            .doc("Labels of every series, unless a tag has the same name"),
        plain("dropTags", "DROP_TAGS", "", Parsed(drop_tags)).must_be("tag names, such as url,ip").usual()
            .doc("Tags to leave out; series that differ only in these are merged"),
        plain("exemplars", "EXEMPLARS", "trace_id", Parsed(exemplars)).must_be("up to ten names of metadata, such as trace_id,span_id")
            .empty("no exemplars").doc("Metadata of samples that becomes the labels of exemplars"),
        plain("maxLabelValueBytes", "MAX_LABEL_VALUE_BYTES", "2048", Bytes(16..=usize::MAX, |d| &mut d.labels.max_value_bytes))
            .doc("Length at which label values are cut; series that become equal are merged"),
    ]),
    ("Delivery", &[
        plain("timeout", "TIMEOUT", "5s", Plain::Duration(ANY, |d| &mut d.endpoint.timeout))
            .doc("Time limit of one request, including the response"),
        plain("flushTimeout", "FLUSH_TIMEOUT", "30s", Plain::Duration(NONE, |d| &mut d.delivery.flush_timeout)).usual()
            .doc("Time limit for sending what is queued when the test ends"),
        plain("queueBytes", "QUEUE_BYTES", "67108864", Bytes(1..=usize::MAX, |d| &mut d.delivery.queue_bytes)).usual()
            .doc("Capacity of the queue; a full queue drops its oldest points"),
        plain("protocol", "PROTOCOL", "auto", Words(PROTOCOLS))
            .doc("Remote Write version; `auto` detects what the receiver supports"),
        plain("maxSamplesPerSend", "MAX_SAMPLES_PER_SEND", "10000", Count(1..=usize::MAX, |d| &mut d.delivery.sender.limits.points))
            .doc("Maximum number of points in a request"),
        plain("maxBytesPerSend", "MAX_BYTES_PER_SEND", "8388608", Bytes(1..=MAX_BYTES_PER_SEND, |d| &mut d.delivery.sender.limits.bytes))
            .doc("Maximum size of a request before compression"),
        plain("maxShards", "MAX_SHARDS", "4", Count(1..=MAX_SHARDS, |d| &mut d.delivery.max_shards))
            .doc("Maximum number of concurrent requests"),
        plain("unsentDirectory", "UNSENT_DIRECTORY", ".", Directory(|d| &mut d.delivery.sender.unsent_directory))
            .role(Role::UnsentDirectory).empty("no file").doc("Directory of the file with samples that could not be sent"),
        plain("preflight", "PREFLIGHT", "false", Boolean(|d| &mut d.delivery.preflight)).usual()
            .doc("Checks the receiver before the test, which does not start if it rejects metrics"),
        plain("abortOnFailure", "ABORT_ON_FAILURE", "0s", Parsed(abort_on_failure)).usual()
            .must_be("a duration, such as 1m, or 0s for never")
            .doc("Time without a successful write after which the test is aborted"),
    ]),
    ("TLS and proxies", &[
        plain("insecureSkipTLSVerify", "INSECURE_SKIP_TLS_VERIFY", "false", Boolean(|d| &mut d.endpoint.tls.skip_verify))
            .role(Role::SkipVerify).doc("Disables certificate verification"),
        // k6's documentation has this spelling, its code the other.
        plain("tlsMinVersion", "TLS_MINIMUM_VERSION", "1.3", Words(TLS_VERSIONS)).or_variable("TLS_MIN_VERSION")
            .doc("Minimum TLS version"),
        hidden("caCertificate", "CA_CERTIFICATE", File(|d| &mut d.endpoint.tls.ca_certificate))
            .unset("the system's").doc("PEM file with the trusted CAs"),
        plain("tlsServerName", "TLS_SERVER_NAME", "", Name(|d| &mut d.endpoint.tls.server_name))
            .must_be("the name or IP address of the receiver's certificate").unset("the URL's host")
            .doc("Name of the receiver in the TLS handshake and in its certificate"),
        hidden("clientCertificate", "CLIENT_CERTIFICATE", File(|d| &mut d.endpoint.tls.client_certificate))
            .doc("PEM file with the client certificate"),
        hidden("clientCertificateKey", "CLIENT_CERTIFICATE_KEY", File(|d| &mut d.endpoint.tls.client_certificate_key))
            .doc("PEM file with its key"),
        hidden("proxy", "PROXY", Hidden::Text(proxy))
            .must_be("an http, https, socks5 or socks5h URL, such as http://proxy.example.com:3128, or direct").unset("`HTTP_PROXY` and the like")
            .doc("Proxy to the receiver; `direct` for none"),
    ]),
    ("AWS signatures", &[
        plain("sigV4Region", "SIGV4_REGION", "", Name(|d| &mut d.auth.sigv4.region)).role(Role::SigV4)
            .unset("`AWS_REGION`, `AWS_DEFAULT_REGION`").doc("AWS region, such as `us-east-1`"),
        plain("sigV4Service", "SIGV4_SERVICE", "aps", Text(sigv4_service)).role(Role::SigV4)
            .must_be("the name of an AWS service, such as aps")
            .doc("AWS service; `aps` is Managed Service for Prometheus"),
        hidden("sigV4AccessKey", "SIGV4_ACCESS_KEY", Key(|d| &mut d.auth.sigv4.access_key)).role(Role::SigV4)
            .unset("`AWS_ACCESS_KEY_ID`").doc("AWS access key"),
        hidden("sigV4SecretKey", "SIGV4_SECRET_KEY", Key(|d| &mut d.auth.sigv4.secret_key)).role(Role::SigV4)
            .unset("`AWS_SECRET_ACCESS_KEY`").doc("AWS secret key"),
        hidden("sigV4SessionToken", "SIGV4_SESSION_TOKEN", Key(|d| &mut d.auth.sigv4.session_token)).role(Role::SigV4)
            .unset("`AWS_SESSION_TOKEN`").doc("Session token of temporary AWS keys"),
        plain("sigV4Profile", "SIGV4_PROFILE", "", Name(|d| &mut d.auth.sigv4.profile)).role(Role::SigV4)
            .unset("`AWS_PROFILE`, `default`").doc("Profile in AWS's shared files, with keys or a role"),
    ]),
    ("OAuth 2.0", &[
        hidden("oauth2ClientId", "OAUTH2_CLIENT_ID", Key(|d| &mut d.auth.oauth2.client_id)).role(Role::OAuth2)
            .doc("Id of the client, for client credentials"),
        hidden("oauth2ClientSecret", "OAUTH2_CLIENT_SECRET", Password(|d| &mut d.auth.oauth2.client_secret))
            .role(Role::OAuth2Secret).doc("Its secret"),
        hidden("oauth2ClientSecretFile", "OAUTH2_CLIENT_SECRET_FILE", SecretFile(|d| &mut d.auth.oauth2.client_secret))
            .role(Role::OAuth2Secret).doc("File with the secret, read again for every token"),
        hidden("oauth2TokenUrl", "OAUTH2_TOKEN_URL", Hidden::Text(oauth2_token_url)).role(Role::OAuth2)
            .must_be("an absolute http or https URL with a host").doc("Token endpoint"),
        hidden("oauth2Scopes", "OAUTH2_SCOPES", Hidden::Parsed(oauth2_scopes)).role(Role::OAuth2)
            .must_be("scopes without blanks, such as metrics.write,metrics.read").doc("Scopes of the token"),
        hidden("oauth2EndpointParams", "OAUTH2_ENDPOINT_PARAMS", Hidden::Parsed(oauth2_parameters)).role(Role::OAuth2)
            .must_be("names and values: name1=value1,name2=value2, or a JSON object of texts")
            .doc("Additional parameters of the request for a token"),
    ]),
];

impl Default for Destination {
    /// The default of every option.
    fn default() -> Self {
        let endpoint = Endpoint {
            url: url::Url::parse(DEFAULT_URL).expect("a valid constant").into(),
            timeout: Duration::ZERO,
            credentials: Credentials::None,
            headers: Vec::new(),
            tls: Tls::default(),
            proxy: Proxy::default(),
        };
        let mut destination = Self {
            endpoint,
            auth: AuthOptions::default(),
            window: WindowOptions::default(),
            metrics: MetricOptions::default(),
            mapping: Mapping::default(),
            labels: LabelRules::default(),
            test_run: TestRunOptions::default(),
            delivery: DeliveryOptions::default(),
            set_options: SetOptions::default(),
        };
        for option in options() {
            let valid = option.set_default(&mut destination).is_some();
            debug_assert!(valid, "the default of {}", option.name);
        }
        destination
    }
}

const TREND_WINDOWS: &[Word] =
    &[("window", |d| d.mapping.trend_window = Span::Window), ("run", |d| d.mapping.trend_window = Span::Run)];

const LABEL_NAMES: &[Word] =
    &[("ascii", |d| d.labels.names = LabelNames::Ascii), ("utf8", |d| d.labels.names = LabelNames::Utf8)];

const PROTOCOLS: &[Word] = &[
    ("auto", |d| d.delivery.sender.protocol = None),
    ("1.0", |d| d.delivery.sender.protocol = Some(Protocol::V1)),
    ("2.0", |d| d.delivery.sender.protocol = Some(Protocol::V2)),
];

const TLS_VERSIONS: &[Word] =
    &[("1.2", |d| d.endpoint.tls.minimum = TlsVersion::V1_2), ("1.3", |d| d.endpoint.tls.minimum = TlsVersion::V1_3)];

fn username(to: &mut Destination, text: &str) -> Option<()> {
    (!text.contains(':'))
        .then(|| to.auth.username = given::<Secret>(without_line_break(text)).map(SecretSource::Inline))
}

fn resample_rate(to: &mut Destination, text: &str) -> Option<()> {
    let seconds = text.parse().ok().filter(|seconds| (1..=10).contains(seconds))?;
    to.window.rate = Duration::from_secs(seconds);
    Some(())
}

fn test_run_id(to: &mut Destination, text: &str) -> Option<()> {
    to.test_run.id = given(text);
    Some(())
}

fn metric_prefix(to: &mut Destination, text: &str) -> Option<()> {
    (text.is_empty() || is_metric_name(text)).then(|| to.mapping.metric_prefix = text.into())
}

fn trend_as(to: &mut Destination, text: &str) -> Option<()> {
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
    to.metrics.trend_as = Some(all);
    Some(())
}

fn trend_stats(to: &mut Destination, text: &str) -> Option<()> {
    let stats: Vec<_> = list(text)?.iter().map(|stat| TrendStat::parse(stat)).collect::<Option<_>>()?;
    let mut suffixes: Vec<_> = stats.iter().map(|stat| stat.suffix()).collect();
    suffixes.sort();
    suffixes.dedup();
    let each_once = suffixes.len() == stats.len();
    (each_once && (1..=MAX_TREND_STATS).contains(&stats.len())).then(|| to.mapping.trend_stats = stats)
}

/// Names two statistics whose metrics would have one name.
fn equal_suffixes(text: &str) -> Option<String> {
    let texts = list(text)?;
    let stats: Vec<_> = texts.iter().map(|stat| TrendStat::parse(stat)).collect::<Option<_>>()?;
    let mut pairs = (0..stats.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    let (first, second) = pairs.find(|&(first, second)| stats[first].suffix() == stats[second].suffix())?;
    Some(format!("{} and {} would both be called {}", texts[first], texts[second], stats[first].suffix()))
}

fn trend_buckets(to: &mut Destination, text: &str) -> Option<()> {
    let bounds: Arc<[f64]> = list(text)?.iter().map(|bound| bound.parse().ok()).collect::<Option<_>>()?;
    let ascending =
        bounds.iter().all(|bound: &f64| bound.is_finite()) && bounds.windows(2).all(|pair| pair[0] < pair[1]);
    (ascending && bounds.len() <= MAX_TREND_BUCKETS)
        .then(|| to.mapping.trend_buckets = Some(bounds).filter(|bounds| !bounds.is_empty()))
}

fn labels(to: &mut Destination, text: &str) -> Option<()> {
    let mut labels = pairs(text)?;
    // As in k6's own output: such as a variable of a pipeline that is not set. An empty label is none in Prometheus.
    labels.retain(|(name, value)| !value.is_empty() && name != "__name__");
    to.labels.constant = labels;
    to.labels.constant.iter().all(|(name, _)| !name.starts_with("__")).then_some(())
}

fn drop_tags(to: &mut Destination, text: &str) -> Option<()> {
    to.labels.drop_tags = list(text)?;
    Some(())
}

fn exemplars(to: &mut Destination, text: &str) -> Option<()> {
    to.labels.exemplars = list(text).filter(|names| names.len() <= MAX_EXEMPLAR_LABELS)?;
    Some(())
}

fn abort_on_failure(to: &mut Destination, text: &str) -> Option<()> {
    let limit = duration::parse(text)?;
    to.delivery.sender.abort_after = (!limit.is_zero()).then_some(limit);
    Some(())
}

fn proxy(to: &mut Destination, text: &str) -> Option<()> {
    let text = text.trim();
    to.endpoint.proxy = match text {
        "" => Proxy::Environment,
        "direct" => Proxy::None,
        _ => Proxy::is_url(text).then(|| Proxy::Through(text.into()))?,
    };
    Some(())
}

fn oauth2_token_url(to: &mut Destination, text: &str) -> Option<()> {
    to.auth.oauth2.token_url = if text.is_empty() { None } else { Some(url(text)?.into()) };
    Some(())
}

fn oauth2_scopes(to: &mut Destination, text: &str) -> Option<()> {
    let is_scope = |scope: &String| !scope.is_empty() && !scope.contains(char::is_whitespace);
    to.auth.oauth2.scopes = list(text).filter(|scopes| scopes.iter().all(is_scope))?;
    Some(())
}

fn oauth2_parameters(to: &mut Destination, text: &str) -> Option<()> {
    to.auth.oauth2.parameters = pairs(text)?.into_iter().map(|(name, value)| (name, value.into())).collect();
    Some(())
}

fn sigv4_service(to: &mut Destination, text: &str) -> Option<()> {
    to.auth.sigv4.service = given(text.trim())?;
    Some(())
}
