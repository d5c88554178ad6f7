//! Laws of the configuration: no document makes it panic, and a destination that is printed reads back as the same.

use std::time::Duration;

use k6_remote_write::config::{
    AuthOptions, Config, DeliveryOptions, Destination, Document, MetricEntry, MetricOptions, TestRunOptions,
    WindowOptions, options,
};
use k6_remote_write::export::Mapping;
use k6_remote_write::http::{Endpoint, FilePath, Proxy, SecretSource, Tls, TlsVersion};
use k6_remote_write::secret::Secret;
use k6_remote_write::series::selector::Selector;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn read(document: &Value) -> Result<Config, String> {
    let document = Document::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())?;
    Config::read(&document).map_err(|errors| errors.to_string())
}

/// Any JSON at all, of some depth.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        known_value(),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name(), inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A known name, or any.
fn name() -> impl Strategy<Value = String> {
    let known: Vec<String> = options()
        .flat_map(|option| [option.name, option.script_name().rsplit('.').next().unwrap_or_default()])
        .chain(["provider", "credentials", "sourceMetric", "target_metric", "keepTags", "apm"])
        .map(String::from)
        .collect();
    prop_oneof![4 => prop::sample::select(known), 1 => ".{0,8}"]
}

/// A value that some option accepts.
fn known_value() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        "http://h/",
        "prometheus",
        "true",
        "3s",
        "1.2",
        "m{a=~\"b\"}",
        "a:b,c:d",
        "[{}]",
        "{",
        "vus",
    ])
    .prop_map(Value::from)
}

fn variable() -> impl Strategy<Value = String> {
    let known: Vec<_> = options().map(|option| option.variable()).collect();
    prop_oneof![4 => prop::sample::select(known), 1 => ".{0,8}".prop_map(|rest| format!("K6_PROMETHEUS_RW_{rest}"))]
}

/// Whole seconds up to a day, and whole milliseconds.
fn duration(min_ms: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![1..86_400u64, 1..86_400u64].prop_flat_map(move |seconds| {
        prop_oneof![Just(Duration::from_secs(seconds)), Just(Duration::from_millis(seconds.max(min_ms)))]
    })
}

fn entry() -> impl Strategy<Value = MetricEntry> {
    let source = ("[a-z_:][a-z0-9_]{0,8}", vec(("[a-z][a-z_]{0,5}", "=|!=", "[a-z\\\\\" ]{0,6}"), 0..3));
    let source = source.prop_map(|(metric, matchers)| {
        let matchers: Vec<_> = matchers.iter().map(|(tag, is, value)| format!("{tag}{is}{value:?}")).collect();
        Selector::parse(&format!("{metric}{{{}}}", matchers.join(","))).expect("valid")
    });
    let tags = vec(".{0,8}", 0..3);
    (source, of("[a-z_][a-z0-9_]{0,8}"), of(tags)).prop_map(|(source, target, keep_tags)| MetricEntry {
        source,
        target,
        keep_tags,
    })
}

/// A secret, or a file with one.
fn secret_source(text: &'static str) -> impl Strategy<Value = Option<SecretSource>> {
    let path = "/[a-z]{1,8}".prop_map(|path| SecretSource::File(path.into()));
    of(prop_oneof![text.prop_map(SecretSource::from), path])
}

fn tls() -> impl Strategy<Value = Tls> {
    let file = || of("/[a-z]{1,8}");
    let client = of(("/[a-z]{1,8}", "/[a-z]{1,8}"));
    (any::<(bool, bool)>(), file(), of("[a-z.]{1,8}"), client).prop_map(|((skip_verify, v1_2), ca, name, client)| Tls {
        skip_verify,
        minimum: if v1_2 { TlsVersion::V1_2 } else { TlsVersion::V1_3 },
        ca_certificate: ca.map(Into::into),
        server_name: name,
        client_certificate: client.as_ref().map(|(certificate, _)| certificate.as_str().into()),
        client_certificate_key: client.map(|(_, key)| key.into()),
    })
}

fn proxy() -> impl Strategy<Value = Proxy> {
    let url = "(https?|socks5h?)://([a-z]{1,4}:[a-z]{1,4}@)?[a-z]{1,8}:3128";
    prop_oneof![Just(Proxy::Environment), Just(Proxy::None), url.prop_map(|url| Proxy::Through(url.into()))]
}

prop_compose! {
    fn destination()(
        (host, path) in ("[a-z]{1,8}|127\\.0\\.0\\.1|\\[::1\\]", "[a-z/]{0,10}"),
        (username, password, bearer_token) in (secret_source("[^:\r\n]{1,8}"), secret_source("[^\r\n]{1,8}"), secret_source("[!-~]{1,6}")),
        headers in btree_map("[a-z]{1,3}", "[!-~]([ -~]{0,6}[!-~])?", 0..3),
        (tls, proxy) in (tls(), proxy()),
        rate in duration(100),
        (timeout, flush_timeout) in (duration(1), duration(0)),
        queue_bytes in 1..usize::MAX,
        stale_markers in any::<bool>(),
        metric_prefix in "[a-z_][a-z0-9_:]{0,6}|",
        metrics in of(vec(entry(), 0..4)),
        include_default_metrics in of(any::<bool>()),
        test_run_id in of("..{0,8}"),
    ) -> Destination {
        let username = username.or_else(|| password.is_some().then(|| "me".into()));
        // Without any metric there is nothing to send, which is an error.
        let nothing = metrics.as_ref().is_none_or(Vec::is_empty);
        let defaults = Destination::default();
        let headers: Vec<_> = headers.into_iter().map(|(name, value)| (format!("X-{name}"), Secret::from(value))).collect();
        let auth = AuthOptions { username, password, bearer_token, ..defaults.auth };
        Destination {
            endpoint: Endpoint {
                url: url::Url::parse(&format!("https://{host}/{}", path.trim_start_matches('/'))).expect("valid").into(),
                credentials: auth.credentials(&headers),
                headers,
                tls,
                proxy,
                timeout,
            },
            auth,
            window: WindowOptions { rate, stale_markers, ..defaults.window },
            metrics: MetricOptions {
                entries: metrics,
                include_defaults: include_default_metrics.map(|included| included || nothing),
                ..defaults.metrics
            },
            mapping: Mapping { metric_prefix, ..defaults.mapping },
            test_run: TestRunOptions { include_id: test_run_id.is_some(), id: test_run_id },
            delivery: DeliveryOptions { flush_timeout, queue_bytes, ..defaults.delivery },
            labels: defaults.labels,
            set_options: defaults.set_options,
        }
    }
}

/// A destination as its user would write it in JSON, by the options' names.
fn printed(destination: &Destination) -> Map<String, Value> {
    let milliseconds = |duration: Duration| format!("{}ms", duration.as_millis());
    let inline = |source: &Option<SecretSource>| match source {
        Some(SecretSource::Inline(text)) => Some(text.expose().to_string()),
        _ => None,
    };
    let in_file = |source: &Option<SecretSource>| match source {
        Some(SecretSource::File(path)) => Some(path.expose().to_path_buf()),
        _ => None,
    };
    let path = |path: &Option<FilePath>| path.as_ref().map(|path| path.expose().to_path_buf());
    let entries = |entries: &Vec<MetricEntry>| {
        let entry = |entry: &MetricEntry| json!({ "sourceMetric": entry.source.to_string(), "targetMetric": entry.target, "keepTags": entry.keep_tags });
        entries.iter().map(entry).collect::<Vec<_>>()
    };
    let headers = destination.endpoint.headers.iter();
    let headers: Map<_, _> = headers.map(|(name, value)| (name.clone(), Value::from(value.expose()))).collect();
    let fields = json!({
        "url": destination.endpoint.url.expose().as_str(),
        "username": inline(&destination.auth.username),
        "usernameFile": in_file(&destination.auth.username),
        "password": inline(&destination.auth.password),
        "passwordFile": in_file(&destination.auth.password),
        "bearerToken": inline(&destination.auth.bearer_token),
        "bearerTokenFile": in_file(&destination.auth.bearer_token),
        "headers": headers,
        "insecureSkipTLSVerify": destination.endpoint.tls.skip_verify,
        "tlsMinVersion": if destination.endpoint.tls.minimum == TlsVersion::V1_2 { "1.2" } else { "1.3" },
        "caCertificate": path(&destination.endpoint.tls.ca_certificate),
        "tlsServerName": destination.endpoint.tls.server_name,
        "clientCertificate": path(&destination.endpoint.tls.client_certificate),
        "clientCertificateKey": path(&destination.endpoint.tls.client_certificate_key),
        "proxy": match &destination.endpoint.proxy {
            Proxy::Environment => None,
            Proxy::None => Some("direct"),
            Proxy::Through(url) => Some(url.expose()),
        },
        "pushInterval": milliseconds(destination.window.rate),
        "timeout": milliseconds(destination.endpoint.timeout),
        "flushTimeout": milliseconds(destination.delivery.flush_timeout),
        "queueBytes": destination.delivery.queue_bytes,
        "staleMarkers": destination.window.stale_markers,
        "metricPrefix": destination.mapping.metric_prefix,
        "metrics": destination.metrics.entries.as_ref().map(entries),
        "includeDefaultMetrics": destination.metrics.include_defaults,
        "includeTestRunId": destination.test_run.include_id,
        "testRunId": destination.test_run.id,
    });
    let Value::Object(fields) = fields else { unreachable!("written as one") };
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// The same for another spelling: names as `name` has them.
fn respelled(fields: &Map<String, Value>, name: impl Fn(&str) -> String) -> Map<String, Value> {
    fields.iter().map(|(field, value)| (name(field), value.clone())).collect()
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(
        argument in ".{0,20}",
        environment in btree_map(variable(), prop_oneof![known_value().prop_map(|v| v.as_str().unwrap_or_default().into()), ".{0,20}"], 0..6),
        (json, ext, cloud) in (any_json(), any_json(), any_json()),
        blocks in any_json(),
    ) {
        let _ = read(&json!({ "argument": argument, "environment": environment, "json": json, "script": { "ext": ext, "cloud": cloud } }));
        let _ = read(&json!({ "script": { "ext": { "apm": blocks } } }));
        let _ = read(&json!({ "script": { "ext": { "apm": [json] } } }));
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same(destination in destination()) {
        let fields = printed(&destination);
        let expected = Ok(vec![destination.clone()]);
        let read = |document: Value| read(&document).map(|config| config.destinations);
        prop_assert_eq!(&read(json!({ "json": fields })), &expected, "JSON");

        let snake = respelled(&fields, |name| {
            let words = name.replace("URL", "Url").replace("TLS", "Tls");
            words.chars().fold(String::new(), |snake, c| if c.is_uppercase() { format!("{snake}_{}", c.to_ascii_lowercase()) } else { format!("{snake}{c}") })
        });
        prop_assert_eq!(&read(json!({ "json": snake })), &expected, "JSON in snake_case");

        let variables = respelled(&fields, |name| options().find(|option| option.name == name).expect("an option").variable());
        let texts: Map<_, _> = variables
            .into_iter()
            .map(|(name, value)| (name, Value::from(value.as_str().map_or(value.to_string(), String::from))))
            .collect();
        prop_assert_eq!(&read(json!({ "environment": texts })), &expected, "environment");
    }

    #[test]
    fn a_block_reads_as_json_does(destination in destination()) {
        let mut block = json!({ "provider": "prometheus", "credentials": {} });
        for (field, value) in printed(&destination) {
            let option = options().find(|option| option.name == field).expect("an option");
            match option.script_name().split_once('.') {
                Some((_, name)) => block["credentials"][name] = value,
                None => block[option.script_name()] = value,
            }
        }
        let both = destination.auth.bearer_token.is_some() && destination.auth.username.is_some();
        let read = read(&json!({ "script": { "ext": { "apm": [block] } } })).map(|config| config.destinations);
        match read {
            // In a block they are mutually exclusive.
            Err(error) => prop_assert!(both && error.contains("a token, and a username or password, are mutually exclusive"), "{}", error),
            Ok(read) => {
                let mut expected = destination;
                expected.metrics.kept_tags = Some(vec![]);
                expected.metrics.include_defaults = expected.metrics.include_defaults.or(Some(true));
                prop_assert_eq!(read, vec![expected]);
            }
        }
    }
}
