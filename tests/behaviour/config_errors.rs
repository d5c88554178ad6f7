//! Every mistake that a user can make in the configuration, with its message.

use k6_remote_write::config::{Config, Document};
use serde_json::{Value, json};

/// The errors of a document, without the beginning of the message. Several have a line each.
fn errors(document: &Value) -> String {
    let document = Document::parse(document.to_string().as_bytes()).expect("a document");
    let message = Config::read(&document).expect_err("a mistake").to_string();
    message.strip_prefix("invalid configuration:").expect("begins so").trim_start_matches([' ', '\n', '\t', '-']).into()
}

fn expect(cases: Vec<(Value, &str)>, document: impl Fn(&Value) -> Value) {
    for (written, message) in cases {
        assert_eq!(errors(&document(&written)), message, "{written}");
    }
}

const A_URL: &str = "an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write";

/// No part of a URL is shown, since any may be a secret.
#[test]
fn in_the_argument_of_out() {
    let scheme = "the scheme is missing: begin it with http:// or https://";
    let password = "in a user name and a password, write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25";
    for (argument, advice) in [
        ("localhost:9090/api/v1/write", scheme),
        ("http://", ""),
        ("/api/v1/write", ""),
        ("http:///x", ""),
        ("http://a b/", ""),
        ("unix:/x", ""),
        ("http://h:99999/", ""),
        ("http://[::1/api", ""),
        ("ftp://me:hunter2@host/w?key=hunter2", password),
        ("http://me:hunt/er2@ho st/w", password),
        ("https://me:hunter2?x@host/w", password),
        ("https://me:123/x@host/w", password),
        ("https://me:123#x@host/w", password),
        ("me:hunter2@host/w", scheme),
    ] {
        let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
        let message = format!("invalid url (value hidden) in the argument of --out: must be {A_URL}{advice}");
        assert_eq!(errors(&json!({ "argument": argument })), message, "{argument}");
    }
}

#[test]
fn in_options_of_the_argument() {
    for (argument, message) in [
        (
            "url=host/w",
            "invalid url (value hidden) in url= of --out: must be {url}; the scheme is missing: begin it with http:// or https://",
        ),
        (
            "url=http://h/,usernme=me",
            "the argument of --out: what follows a comma after url is not an option; did you mean username?",
        ),
        (
            "http://h/w,timeout=30s",
            "the argument of --out: timeout follows a URL: with options, the URL is an option, too: url=<url>,timeout=…",
        ),
        (
            "http://h/w,preflight",
            "the argument of --out: preflight follows a URL: with options, the URL is an option, too: url=<url>,preflight=…",
        ),
        ("url=http://h/w,preflight", "the argument of --out: preflight has no value: write preflight=…"),
        ("timeout=1s,usernme=me", r#"unknown option "usernme" in the argument of --out: did you mean username?"#),
        (
            "nativeHistograms=true",
            r#"unknown option "nativeHistograms" in the argument of --out: did you mean trendAsNativeHistogram?"#,
        ),
        ("token=hunter2", r#"unknown option "token" in the argument of --out: did you mean bearerToken?"#),
        ("timeout=often", r#"invalid timeout "often" in timeout= of --out: must be a duration above 0, such as 5s"#),
        (
            "pushInterval=1s,resampleRate=1",
            "resampleRate= of --out and pushInterval= of --out are mutually exclusive; set only one",
        ),
        (
            "username=me,password=a,hunter2=b",
            "the argument of --out: what follows a comma after password is not an option; set a value with commas by \
             K6_PROMETHEUS_RW_PASSWORD",
        ),
    ] {
        assert_eq!(errors(&json!({ "argument": argument })), message.replace("{url}", A_URL), "{argument}");
    }
}

#[test]
fn in_the_environment() {
    let cases = [
        (
            "SERVER_URL",
            "127.0.0.1:9090",
            "invalid url (value hidden) in {source}: must be an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write; the scheme is missing: begin it with http:// or https://",
        ),
        (
            "USERNAME",
            "a:b",
            r#"invalid username (value hidden) in {source}: must be a user name without a colon; the password is a separate option"#,
        ),
        (
            "BEARER_TOKEN",
            "Bearer hunter2",
            "invalid bearerToken (value hidden) in {source}: must be a token alone, without the word Bearer and without line breaks",
        ),
        (
            "BEARER_TOKEN",
            "hunter2\nX: y",
            "invalid bearerToken (value hidden) in {source}: must be a token alone, without the word Bearer and without line breaks",
        ),
        (
            "HTTP_HEADERS",
            "hunter2",
            "invalid headers (value hidden) in {source}: must be HTTP headers: key1:value1,key2:value2, or a JSON object of texts",
        ),
        (
            "HEADERS_a b",
            "hunter2",
            "invalid headers (value hidden) in {source}: must be HTTP headers: key1:value1,key2:value2, or a JSON object of texts",
        ),
        ("RESAMPLE_RATE", "0", r#"invalid resampleRate "0" in {source}: must be an integer from 1 to 10, in seconds"#),
        (
            "RESAMPLE_RATE",
            "1.5",
            r#"invalid resampleRate "1.5" in {source}: must be an integer from 1 to 10, in seconds"#,
        ),
        (
            "RESAMPLE_RATE",
            "3s",
            r#"invalid resampleRate "3s" in {source}: must be an integer from 1 to 10, in seconds"#,
        ),
        (
            "PUSH_INTERVAL",
            "often",
            r#"invalid pushInterval "often" in {source}: must be a duration of at least 100ms, such as 3s"#,
        ),
        (
            "PUSH_INTERVAL",
            "99ms",
            r#"invalid pushInterval "99ms" in {source}: must be a duration of at least 100ms, such as 3s"#,
        ),
        (
            "PUSH_INTERVAL",
            "-1s",
            r#"invalid pushInterval "-1s" in {source}: must be a duration of at least 100ms, such as 3s"#,
        ),
        ("TIMEOUT", "0", r#"invalid timeout "0" in {source}: must be a duration above 0, such as 5s"#),
        ("FLUSH_TIMEOUT", "never", r#"invalid flushTimeout "never" in {source}: must be a duration, such as 30s"#),
        (
            "QUEUE_BYTES",
            "64MiB",
            r#"invalid queueBytes "64MiB" in {source}: must be an integer of at least 1, in bytes"#,
        ),
        ("STALE_MARKERS", "perhaps", r#"invalid staleMarkers "perhaps" in {source}: must be true or false"#),
        (
            "METRIC_PREFIX",
            "k6-",
            r#"invalid metricPrefix "k6-" in {source}: must be a valid beginning of a metric name: letters, digits, _ and :, not a digit first, or empty for no prefix"#,
        ),
        (
            "INSECURE_SKIP_TLS_VERIFY",
            "yes",
            r#"invalid insecureSkipTLSVerify "yes" in {source}: must be true or false"#,
        ),
        ("TLS_MINIMUM_VERSION", "1.1", r#"invalid tlsMinVersion "1.1" in {source}: must be 1.2 or 1.3"#),
        ("TLS_MIN_VERSION", "tls1.2", r#"invalid tlsMinVersion "tls1.2" in {source}: must be 1.2 or 1.3"#),
        ("INCLUDE_DEFAULT_METRICS", "no", r#"invalid includeDefaultMetrics "no" in {source}: must be true or false"#),
        (
            "INCLUDE_DEFAULT_METRICS",
            "false",
            "{source}: must be true unless metrics lists a metric; no metric would be sent",
        ),
        ("INCLUDE_TEST_RUN_ID", "id", r#"invalid includeTestRunId "id" in {source}: must be true or false"#),
        ("PASSWORD", "hunter2", "{source}: a password requires a username"),
        (
            "METRICS",
            "[",
            r#"invalid metrics "[" in {source}: must be a list in JSON: EOF while parsing a list at line 1 column 1"#,
        ),
        ("METRICS", "{}", "invalid metrics {} in {source}: must be a list"),
        (
            "CLIENT_CERTIFICATE",
            "a.pem",
            "the destination of --out, environment and JSON: clientCertificate and clientCertificateKey must be set together",
        ),
        (
            "SIGV4_SECRET_KEY",
            "hunter2",
            "the destination of --out, environment and JSON: sigV4AccessKey and sigV4SecretKey must be set together\n\t- \
             the destination of --out, environment and JSON: signing requests for AWS requires a region; set sigV4Region or AWS_REGION",
        ),
        (
            "PROXY",
            "ftp://me:hunter2@host",
            r#"invalid proxy (value hidden) in {source}: must be an http, https, socks5 or socks5h URL, such as http://proxy.example.com:3128, or direct"#,
        ),
    ];
    for (variable, value, message) in cases {
        let variable = format!("K6_PROMETHEUS_RW_{variable}");
        let document = json!({ "environment": { &variable: value } });
        assert_eq!(
            errors(&document),
            message.replace("{source}", &format!("{variable} (environment)")),
            "{variable}={value}"
        );
    }
    let both =
        json!({ "environment": { "K6_PROMETHEUS_RW_RESAMPLE_RATE": "1", "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s" } });
    assert_eq!(
        errors(&both),
        "K6_PROMETHEUS_RW_RESAMPLE_RATE (environment) and K6_PROMETHEUS_RW_PUSH_INTERVAL (environment) are mutually \
         exclusive; set only one"
    );
}

#[test]
fn in_json() {
    let cases = vec![
        (json!({ "ulr": "x" }), r#"unknown option "ulr" in collectors."remote-write" (JSON): did you mean url?"#),
        (
            json!({ "pushIntervall": "1s" }),
            r#"unknown option "pushIntervall" in collectors."remote-write" (JSON): did you mean pushInterval?"#,
        ),
        (
            json!({ "remoteWriteURL": "x" }),
            r#"unknown option "remoteWriteURL" in collectors."remote-write" (JSON): did you mean url?"#,
        ),
        (
            json!({ "K6_PROMETHEUS_RW_TIMEOUT": "x" }),
            r#"unknown option "K6_PROMETHEUS_RW_TIMEOUT" in collectors."remote-write" (JSON): did you mean timeout?"#,
        ),
        (
            json!({ "token": "hunter2" }),
            r#"unknown option "token" in collectors."remote-write" (JSON): did you mean bearerToken?"#,
        ),
        (
            json!({ "resampleRate": 11 }),
            r#"invalid resampleRate 11 in collectors."remote-write".resampleRate (JSON): must be an integer from 1 to 10, in seconds"#,
        ),
        (
            json!({ "resample_rate": true }),
            r#"invalid resampleRate true in collectors."remote-write".resample_rate (JSON): must be an integer from 1 to 10, in seconds"#,
        ),
        (
            json!({ "resampleRate": 1, "resample_rate": 2 }),
            r#"collectors."remote-write".resampleRate (JSON) and collectors."remote-write".resample_rate (JSON) are the same option; set only one"#,
        ),
        (
            json!({ "resampleRate": 1, "pushInterval": "1s" }),
            r#"collectors."remote-write".resampleRate (JSON) and collectors."remote-write".pushInterval (JSON) are mutually exclusive; set only one"#,
        ),
        (
            json!({ "username": ["me"] }),
            r#"invalid username (a list) in collectors."remote-write".username (JSON): must be a user name without a colon; the password is a separate option"#,
        ),
        (
            json!({ "username": "me", "password": { "is": "hunter2" } }),
            r#"invalid password (an object) in collectors."remote-write".password (JSON): must be a text"#,
        ),
        (
            json!({ "headers": { "a": 1 } }),
            r#"invalid headers (an object) in collectors."remote-write".headers (JSON): must be HTTP headers: key1:value1,key2:value2, or a JSON object of texts"#,
        ),
        (
            json!({ "headers": ["a:1"] }),
            r#"invalid headers (a list) in collectors."remote-write".headers (JSON): must be HTTP headers: key1:value1,key2:value2, or a JSON object of texts"#,
        ),
        (
            json!({ "timeout": {} }),
            r#"invalid timeout (an object) in collectors."remote-write".timeout (JSON): must be a duration above 0, such as 5s"#,
        ),
        (
            json!({ "unsentDirectory": "/nonexistent" }),
            r#"invalid unsentDirectory "/nonexistent" in collectors."remote-write".unsentDirectory (JSON): must be a directory in which files can be created, or empty for no file: No such file or directory (os error 2)"#,
        ),
        (
            json!({ "metrics": 7 }),
            r#"invalid metrics 7 in collectors."remote-write".metrics (JSON): must be a list of metric names, and of objects with sourceMetric, targetMetric and keepTags"#,
        ),
        (
            json!({ "metrics": [], "includeDefaultMetrics": false }),
            r#"collectors."remote-write".includeDefaultMetrics (JSON): must be true unless metrics lists a metric; no metric would be sent"#,
        ),
        (
            json!({ "passwordFile": "/a", "bearerToken": "b", "bearerTokenFile": "/c" }),
            "collectors.\"remote-write\".bearerToken (JSON) and collectors.\"remote-write\".bearerTokenFile (JSON) are \
             mutually exclusive; set only one\n\t- collectors.\"remote-write\".passwordFile (JSON): a password requires a username",
        ),
        (
            json!({ "sigV4Region": "a", "sigV4Profile": "b", "sigV4AccessKey": "c", "sigV4SecretKey": "d" }),
            "the destination of --out, environment and JSON: sigV4AccessKey and sigV4Profile are mutually exclusive; set only one",
        ),
        (
            json!({ "sigV4Region": "a", "username": "b" }),
            r#"collectors."remote-write".sigV4Region (JSON) and collectors."remote-write".username (JSON) are mutually exclusive; set only one"#,
        ),
    ];
    expect(cases, |json| json!({ "json": json }));
    let unlike = errors(&json!({ "json": { "something": 1 } }));
    let expected =
        r#"unknown option "something" in collectors."remote-write" (JSON): the documentation lists all options"#;
    assert_eq!(unlike, expected);
}

#[test]
fn in_an_entry_of_metrics() {
    let cases = vec![
        (
            json!([7]),
            r#"invalid metric 7 in {path}[0] {medium}: must be a metric name, or an object with sourceMetric"#,
        ),
        (
            json!(["vus", null]),
            r#"invalid metric null in {path}[1] {medium}: must be a metric name, or an object with sourceMetric"#,
        ),
        (json!([{}]), "{path}[0] {medium}: sourceMetric is missing; must be the selector of the series"),
        (
            json!([{ "targetMetric": "x" }]),
            "{path}[0] {medium}: sourceMetric is missing; must be the selector of the series",
        ),
        (
            json!([{ "sourceMetrics": "x" }]),
            r#"unknown field "sourceMetrics" in {path}[0] {medium}: did you mean sourceMetric?"#,
        ),
        (
            json!([{ "sourceMetric": "m", "labels": [] }]),
            r#"unknown field "labels" in {path}[0] {medium}: must be one of sourceMetric, targetMetric, keepTags"#,
        ),
        (
            json!([{ "sourceMetric": ["m"] }]),
            r#"invalid sourceMetric ["m"] in {path}[0].sourceMetric {medium}: must be a selector, such as http_req_duration{scenario="default"}"#,
        ),
        (
            json!([{ "sourceMetric": "m{" }]),
            r#"invalid sourceMetric "m{" in {path}[0].sourceMetric {medium}: must be a selector: a tag name is missing at character 3"#,
        ),
        (
            json!([{ "sourceMetric": "m{a==\"1\"}" }]),
            r#"invalid sourceMetric "m{a==\"1\"}" in {path}[0].sourceMetric {medium}: must be a selector: a text in quotes is missing at character 5"#,
        ),
        (
            json!([{ "sourceMetric": "m{a=~\"(\"}" }]),
            r#"invalid sourceMetric "m{a=~\"(\"}" in {path}[0].sourceMetric {medium}: must be a selector: "(" is not a valid regular expression: unclosed group"#,
        ),
        (
            json!([{ "sourceMetric": "größe" }]),
            r#"invalid sourceMetric "größe" in {path}[0].sourceMetric {medium}: must be a selector: { is missing at character 3"#,
        ),
        (
            json!([{ "sourceMetric": "{}" }]),
            r#"invalid sourceMetric "{}" in {path}[0].sourceMetric {medium}: must be a selector: it selects all series; name a metric or add a matcher that does not match the empty value"#,
        ),
        (
            json!([{ "sourceMetric": "m", "targetMetric": "a-b" }]),
            r#"invalid targetMetric "a-b" in {path}[0].targetMetric {medium}: must be a metric name: letters, digits, _ and :, not a digit first"#,
        ),
        (
            json!([{ "sourceMetric": "m", "targetMetric": 1 }]),
            "invalid targetMetric 1 in {path}[0].targetMetric {medium}: must be a metric name: letters, digits, _ and :, not a digit first",
        ),
        (
            json!([{ "sourceMetric": "m", "keepTags": "name" }]),
            r#"invalid keepTags "name" in {path}[0].keepTags {medium}: must be a list of tag names"#,
        ),
        (
            json!([{ "source_metric": "m", "keep_tags": [1] }]),
            "invalid keepTags [1] in {path}[0].keep_tags {medium}: must be a list of tag names",
        ),
    ];
    for (metrics, message) in cases {
        let of_block = json!({ "provider": "prometheus", "remoteWriteURL": "http://host/", "metrics": metrics });
        for (document, path, medium) in [
            (json!({ "json": { "metrics": metrics } }), r#"collectors."remote-write".metrics"#, "(JSON)"),
            (
                json!({ "environment": { "K6_PROMETHEUS_RW_METRICS": metrics.to_string() } }),
                "K6_PROMETHEUS_RW_METRICS",
                "(environment)",
            ),
            (json!({ "script": { "cloud": { "apm": [of_block] } } }), "options.cloud.apm[0].metrics", "(script)"),
        ] {
            assert_eq!(errors(&document), message.replace("{path}", path).replace("{medium}", medium));
        }
    }
}

#[test]
fn in_a_block_of_the_script() {
    let block = |fields: Value| {
        let mut block = json!({ "provider": "prometheus", "remoteWriteURL": "http://host/" });
        for (name, value) in fields.as_object().expect("fields") {
            block[name] = value.clone();
        }
        json!([block])
    };
    let cases = vec![
        (json!({}), " (script): must be a list of blocks, not an object"),
        (json!("hunter2"), " (script): must be a list of blocks, not a text"),
        (json!(["hunter2"]), "[0] (script): must be an object, not a text"),
        (json!([null]), "[0] (script): must be an object, not null"),
        (
            json!([{ "provider": "datadog" }, {}]),
            r#"[1] (script): provider is missing; must be "prometheus" for this output"#,
        ),
        (json!([{ "provider": 1 }]), r#"[0].provider (script): must be "prometheus" for this output, not a number"#),
        (
            json!([{ "provider": "Prometheus" }]),
            r#"invalid provider "Prometheus" in [0].provider (script): did you mean "prometheus"?"#,
        ),
        (
            json!([{ "provider": "promethues" }]),
            r#"invalid provider "promethues" in [0].provider (script): did you mean "prometheus"?"#,
        ),
        (
            json!([{ "provider": "prometheus" }]),
            "[0] (script): remoteWriteURL is missing; must be the URL of the receiver, such as http://localhost:9090/api/v1/write",
        ),
        (
            block(json!({ "remoteWriteURL": "<Remote Write URL>" })),
            r#"invalid url (value hidden) in [0].remoteWriteURL (script): must be an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write"#,
        ),
        (
            block(json!({ "resampleRate": 0.5 })),
            "invalid resampleRate 0.5 in [0].resampleRate (script): must be an integer from 1 to 10, in seconds",
        ),
        (
            block(json!({ "resample_rate": 20 })),
            "invalid resampleRate 20 in [0].resample_rate (script): must be an integer from 1 to 10, in seconds",
        ),
        (
            block(json!({ "resampleRates": 1 })),
            r#"unknown option "resampleRates" in [0] (script): did you mean resampleRate?"#,
        ),
        (
            block(json!({ "remoteWriteUrl": "x" })),
            r#"unknown option "remoteWriteUrl" in [0] (script): did you mean remoteWriteURL?"#,
        ),
        (
            json!([{ "provider": "prometheus", "remoteWriteUrl": "http://host/" }]),
            r#"unknown option "remoteWriteUrl" in [0] (script): did you mean remoteWriteURL?"#,
        ),
        (
            json!([{ "provider": "prometheus", "url": "http://host/" }]),
            r#"unknown option "url" in [0] (script): did you mean remoteWriteURL?"#,
        ),
        (block(json!({ "url": "x" })), r#"unknown option "url" in [0] (script): did you mean remoteWriteURL?"#),
        (
            block(json!({ "token": "hunter2" })),
            r#"unknown option "token" in [0] (script): did you mean credentials.token?"#,
        ),
        (
            block(json!({ "bearerToken": "hunter2" })),
            r#"unknown option "bearerToken" in [0] (script): did you mean credentials.token?"#,
        ),
        (
            block(json!({ "credentials": "hunter2" })),
            "[0].credentials (script): must be an object with username and password, or with token, not a text",
        ),
        (
            block(json!({ "credentials": { "user": "me" } })),
            r#"unknown option "credentials.user" in [0] (script): did you mean credentials.username?"#,
        ),
        (
            block(json!({ "credentials": { "token": "t", "username": "me" } })),
            "[0].credentials (script): a token, and a username or password, are mutually exclusive; set only one",
        ),
        (
            block(json!({ "credentials": { "token": "Bearer hunter2" } })),
            "invalid bearerToken (value hidden) in [0].credentials.token (script): must be a token alone, without the word Bearer and without line breaks",
        ),
        (
            block(json!({ "credentials": { "token": ["hunter2"] } })),
            "invalid bearerToken (a list) in [0].credentials.token (script): must be a token alone, without the word Bearer and without line breaks",
        ),
        (
            block(json!({ "credentials": { "password": "hunter2" } })),
            "[0].credentials.password (script): a password requires a username",
        ),
        (
            block(json!({ "includeDefaultMetrics": "sure" })),
            r#"invalid includeDefaultMetrics "sure" in [0].includeDefaultMetrics (script): must be true or false"#,
        ),
        (
            block(json!({ "includeDefaultMetrics": false })),
            "[0].includeDefaultMetrics (script): must be true unless metrics lists a metric; no metric would be sent",
        ),
        (
            block(json!({ "includeTestRunID": true })),
            r#"unknown option "includeTestRunID" in [0] (script): did you mean includeTestRunId?"#,
        ),
    ];
    for (apm, message) in cases {
        for (options, path) in [("ext", "options.ext.loadimpact.apm"), ("cloud", "options.cloud.apm")] {
            let message = match message.split_once(" in [0]") {
                Some((value, rest)) => format!("{value} in {path}[0]{rest}"),
                None => format!("{path}{message}"),
            };
            assert_eq!(errors(&json!({ "script": { options: { "apm": apm } } })), message);
        }
    }
}

#[test]
fn with_a_long_value_that_must_not_hide_the_rest() {
    let long = "x".repeat(5000);
    let document = json!({ "argument": long, "json": { &long: 1, "timeout": 0, "metrics": [{ "sourceMetric": long, "keepTags": long }] } });
    let errors = errors(&document);
    assert!(
        errors.len() < 2500 && errors.contains("must be a list of tag names") && errors.contains("timeout"),
        "{errors}"
    );
}

#[test]
fn in_all_sources_at_once() {
    let document = json!({
        "argument": "ftp://x/y",
        "environment": { "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1ms" },
        "json": { "resampleRate": 11, "ulr": "x" },
        "script": { "ext": { "apm": [{ "provider": "prometheus", "resampleRate": 0 }] } },
    });
    let expected = [
        r#"unknown option "ulr" in collectors."remote-write" (JSON): did you mean url?"#,
        r#"invalid resampleRate 11 in collectors."remote-write".resampleRate (JSON): must be an integer from 1 to 10, in seconds"#,
        r#"invalid pushInterval "1ms" in K6_PROMETHEUS_RW_PUSH_INTERVAL (environment): must be a duration of at least 100ms, such as 3s"#,
        r#"invalid url (value hidden) in the argument of --out: must be an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write"#,
        r#"invalid resampleRate 0 in options.ext.loadimpact.apm[0].resampleRate (script): must be an integer from 1 to 10, in seconds"#,
        "options.ext.loadimpact.apm[0] (script): remoteWriteURL is missing; must be the URL of the receiver, such as http://localhost:9090/api/v1/write",
    ];
    assert_eq!(errors(&document), expected.join("\n\t- "));
}
