//! Every mistake that a user can make in the configuration, with the very words that are said of it.

use k6_remote_write::config::{Config, Document};
use serde_json::{Value, json};

/// What is said of a document that has mistakes; without the words that begin every message. Several have a line each.
fn said(document: &Value) -> String {
    let document = Document::parse(document.to_string().as_bytes()).expect("a document");
    let errors = Config::read(&document).expect_err("a mistake").to_string();
    errors.strip_prefix("invalid configuration:").expect("begins so").trim_start_matches([' ', '\n', '\t', '-']).into()
}

fn expect(cases: Vec<(Value, &str)>, document: impl Fn(&Value) -> Value) {
    for (written, words) in cases {
        assert_eq!(said(&document(&written)), words, "{written}");
    }
}

const A_URL: &str = "an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write";

#[test]
fn in_the_argument_of_out() {
    for (argument, shown, meant) in [
        ("localhost:9090/api/v1/write", "localhost:9090/api/v1/write", Some("http://localhost:9090/api/v1/write")),
        ("http://", "http://", None),
        ("/api/v1/write", "/api/v1/write", None),
        ("http:///x", "http:///x", None),
        ("http://a b/", "http://a b/", None),
        ("unix:/x", "unix:/x", None),
        ("http://h:99999/", "http://h:99999/", None),
        ("http://[::1/api", "http://[::1/api", None),
        ("ftp://me:hunter2@host/w?key=hunter2", "ftp://***@host/w?***", None),
        ("http://me:hunt/er2@ho st/w", "http://***@ho st/w", None),
        ("me:hunter2@host/w", "***@host/w", Some("http://***@host/w")),
        ("url=http://host/w", "url=http://host/w", None),
    ] {
        let advice = meant.map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
        let words = format!("url in the argument of --out is {shown:?}; allowed is {A_URL}{advice}");
        assert_eq!(said(&json!({ "argument": argument })), words);
    }
}

#[test]
fn in_the_environment() {
    let cases = [
        (
            "SERVER_URL",
            "127.0.0.1:9090",
            r#"url in {} is "127.0.0.1:9090"; allowed is an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write; did you mean "http://127.0.0.1:9090"?"#,
        ),
        ("USERNAME", "a:b", r#"username in {} is "a:b"; allowed is a text without a colon"#),
        (
            "BEARER_TOKEN",
            "Bearer hunter2",
            "bearerToken in {} is ***; allowed is a token alone, without the word Bearer and without line breaks",
        ),
        (
            "BEARER_TOKEN",
            "hunter2\nX: y",
            "bearerToken in {} is ***; allowed is a token alone, without the word Bearer and without line breaks",
        ),
        (
            "HTTP_HEADERS",
            "hunter2",
            "headers in {} is ***; allowed is HTTP headers: key1:value1,key2:value2, or a JSON object of texts",
        ),
        (
            "HEADERS_a b",
            "hunter2",
            "headers in {} is ***; allowed is HTTP headers: key1:value1,key2:value2, or a JSON object of texts",
        ),
        ("RESAMPLE_RATE", "0", r#"resampleRate in {} is "0"; allowed is an integer from 1 to 10, in seconds"#),
        ("RESAMPLE_RATE", "1.5", r#"resampleRate in {} is "1.5"; allowed is an integer from 1 to 10, in seconds"#),
        ("RESAMPLE_RATE", "3s", r#"resampleRate in {} is "3s"; allowed is an integer from 1 to 10, in seconds"#),
        (
            "PUSH_INTERVAL",
            "often",
            r#"pushInterval in {} is "often"; allowed is a duration from 100ms on, such as 500ms or 5s"#,
        ),
        (
            "PUSH_INTERVAL",
            "99ms",
            r#"pushInterval in {} is "99ms"; allowed is a duration from 100ms on, such as 500ms or 5s"#,
        ),
        (
            "PUSH_INTERVAL",
            "-1s",
            r#"pushInterval in {} is "-1s"; allowed is a duration from 100ms on, such as 500ms or 5s"#,
        ),
        ("TIMEOUT", "0", r#"timeout in {} is "0"; allowed is a duration above 0, such as 5s"#),
        ("FLUSH_TIMEOUT", "never", r#"flushTimeout in {} is "never"; allowed is a duration, such as 30s"#),
        ("QUEUE_BYTES", "64MiB", r#"queueBytes in {} is "64MiB"; allowed is a number of bytes from 1 on"#),
        ("STALE_MARKERS", "perhaps", r#"staleMarkers in {} is "perhaps"; allowed is true or false"#),
        (
            "METRIC_PREFIX",
            "k6-",
            r#"metricPrefix in {} is "k6-"; allowed is what a metric's name may begin with: letters, digits, _ and :, no digit first; or nothing"#,
        ),
        ("INSECURE_SKIP_TLS_VERIFY", "yes", r#"insecureSkipTLSVerify in {} is "yes"; allowed is true or false"#),
        ("TLS_MINIMUM_VERSION", "1.1", r#"tlsMinVersion in {} is "1.1"; allowed is 1.2 or 1.3"#),
        ("TLS_MIN_VERSION", "tls1.2", r#"tlsMinVersion in {} is "tls1.2"; allowed is 1.2 or 1.3"#),
        ("INCLUDE_DEFAULT_METRICS", "no", r#"includeDefaultMetrics in {} is "no"; allowed is true or false"#),
        ("INCLUDE_DEFAULT_METRICS", "false", "{} is false, and metrics lists none: nothing would be shipped"),
        ("INCLUDE_TEST_RUN_ID", "id", r#"includeTestRunId in {} is "id"; allowed is true or false"#),
        ("PASSWORD", "hunter2", "{} is a password without a username"),
        ("METRICS", "[", "{} is no JSON: EOF while parsing a list at line 1 column 1"),
        ("METRICS", "{}", "{} is an object; allowed is a list"),
        (
            "CLIENT_CERTIFICATE",
            "a.pem",
            "the destination of --out, environment and JSON has one of clientCertificate and clientCertificateKey; allowed are both, or none",
        ),
        (
            "SIGV4_SECRET_KEY",
            "hunter2",
            "the destination of --out, environment and JSON has one of sigV4AccessKey and sigV4SecretKey; allowed are both, or none\n\t- \
             the destination of --out, environment and JSON asks for signatures of AWS without a region; set sigV4Region, or AWS_REGION",
        ),
        (
            "PROXY",
            "ftp://me:hunter2@host",
            r#"proxy in {} is "ftp://***@host"; allowed is a URL of http, https, socks5 or socks5h, such as http://proxy.example.com:3128; or direct"#,
        ),
    ];
    for (variable, value, words) in cases {
        let variable = format!("K6_PROMETHEUS_RW_{variable}");
        let document = json!({ "environment": { &variable: value } });
        assert_eq!(said(&document), words.replace("{}", &format!("{variable} (environment)")), "{variable}={value}");
    }
    let both =
        json!({ "environment": { "K6_PROMETHEUS_RW_RESAMPLE_RATE": "1", "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s" } });
    assert_eq!(
        said(&both),
        "K6_PROMETHEUS_RW_RESAMPLE_RATE (environment) and K6_PROMETHEUS_RW_PUSH_INTERVAL (environment) both set the length \
         of a window; set one of them"
    );
}

#[test]
fn in_json() {
    let cases = vec![
        (json!({ "ulr": "x" }), r#"collectors."remote-write".ulr (JSON) is no option; did you mean url?"#),
        (
            json!({ "pushIntervall": "1s" }),
            r#"collectors."remote-write".pushIntervall (JSON) is no option; did you mean pushInterval?"#,
        ),
        (
            json!({ "remoteWriteURL": "x" }),
            r#"collectors."remote-write".remoteWriteURL (JSON) is no option; did you mean url?"#,
        ),
        (
            json!({ "K6_PROMETHEUS_RW_TIMEOUT": "x" }),
            r#"collectors."remote-write".K6_PROMETHEUS_RW_TIMEOUT (JSON) is no option; did you mean timeout?"#,
        ),
        (
            json!({ "token": "hunter2" }),
            r#"collectors."remote-write".token (JSON) is no option; did you mean bearerToken?"#,
        ),
        (
            json!({ "resampleRate": 11 }),
            r#"resampleRate in collectors."remote-write".resampleRate (JSON) is 11; allowed is an integer from 1 to 10, in seconds"#,
        ),
        (
            json!({ "resample_rate": true }),
            r#"resampleRate in collectors."remote-write".resample_rate (JSON) is true; allowed is an integer from 1 to 10, in seconds"#,
        ),
        (
            json!({ "resampleRate": 1, "resample_rate": 2 }),
            r#"collectors."remote-write".resampleRate (JSON) and collectors."remote-write".resample_rate (JSON) are one option in two spellings; set one of them"#,
        ),
        (
            json!({ "resampleRate": 1, "pushInterval": "1s" }),
            r#"collectors."remote-write".resampleRate (JSON) and collectors."remote-write".pushInterval (JSON) both set the length of a window; set one of them"#,
        ),
        (
            json!({ "username": ["me"] }),
            r#"username in collectors."remote-write".username (JSON) is ["me"]; allowed is a text without a colon"#,
        ),
        (
            json!({ "username": "me", "password": { "is": "hunter2" } }),
            r#"password in collectors."remote-write".password (JSON) is ***; allowed is a text"#,
        ),
        (
            json!({ "headers": { "a": 1 } }),
            r#"headers in collectors."remote-write".headers (JSON) is ***; allowed is HTTP headers: key1:value1,key2:value2, or a JSON object of texts"#,
        ),
        (
            json!({ "headers": ["a:1"] }),
            r#"headers in collectors."remote-write".headers (JSON) is ***; allowed is HTTP headers: key1:value1,key2:value2, or a JSON object of texts"#,
        ),
        (
            json!({ "timeout": {} }),
            r#"timeout in collectors."remote-write".timeout (JSON) is {}; allowed is a duration above 0, such as 5s"#,
        ),
        (
            json!({ "metrics": 7 }),
            r#"metrics in collectors."remote-write".metrics (JSON) is 7; allowed is a list of metric names, and of objects with sourceMetric, targetMetric and keepTags"#,
        ),
        (
            json!({ "metrics": [], "includeDefaultMetrics": false }),
            r#"collectors."remote-write".includeDefaultMetrics (JSON) is false, and metrics lists none: nothing would be shipped"#,
        ),
        (
            json!({ "passwordFile": "/a", "bearerToken": "b", "bearerTokenFile": "/c" }),
            "collectors.\"remote-write\".bearerToken (JSON) and collectors.\"remote-write\".bearerTokenFile (JSON) both set the \
             token; set one of them\n\t- collectors.\"remote-write\".passwordFile (JSON) is a password without a username",
        ),
        (
            json!({ "sigV4Region": "a", "sigV4Profile": "b", "sigV4AccessKey": "c", "sigV4SecretKey": "d" }),
            "the destination of --out, environment and JSON has keys for AWS and a sigV4Profile; allowed is either",
        ),
        (
            json!({ "sigV4Region": "a", "username": "b" }),
            r#"collectors."remote-write".sigV4Region (JSON) and collectors."remote-write".username (JSON) both say who ships; set one of them"#,
        ),
    ];
    expect(cases, |json| json!({ "json": json }));
    let every_name = said(&json!({ "json": { "something": 1 } }));
    assert!(
        every_name
            .starts_with(r#"collectors."remote-write".something (JSON) is no option; allowed are url, username,"#)
    );
}

#[test]
fn in_an_entry_of_metrics() {
    let cases = vec![
        (json!([7]), r#"[0] is 7; allowed is a metric's name, or an object with sourceMetric"#),
        (json!(["vus", null]), r#"[1] is null; allowed is a metric's name, or an object with sourceMetric"#),
        (json!([{}]), "[0] has no sourceMetric; it says which series are meant"),
        (json!([{ "targetMetric": "x" }]), "[0] has no sourceMetric; it says which series are meant"),
        (json!([{ "sourceMetrics": "x" }]), "[0].sourceMetrics is no field; did you mean sourceMetric?"),
        (
            json!([{ "sourceMetric": "m", "labels": [] }]),
            "[0].labels is no field; allowed are sourceMetric, targetMetric, keepTags",
        ),
        (
            json!([{ "sourceMetric": ["m"] }]),
            r#"[0].sourceMetric is ["m"]; allowed is a selector, such as http_req_duration{scenario="default"}"#,
        ),
        (
            json!([{ "sourceMetric": "m{" }]),
            r#"[0].sourceMetric is "m{", which is no selector: a tag name is missing at character 3"#,
        ),
        (
            json!([{ "sourceMetric": "m{a==\"1\"}" }]),
            r#"[0].sourceMetric is "m{a==\"1\"}", which is no selector: a text in quotes is missing at character 5"#,
        ),
        (
            json!([{ "sourceMetric": "m{a=~\"(\"}" }]),
            r#"[0].sourceMetric is "m{a=~\"(\"}", which is no selector: "(" is not a valid regular expression: unclosed group"#,
        ),
        (
            json!([{ "sourceMetric": "größe" }]),
            r#"[0].sourceMetric is "größe", which is no selector: { is missing at character 3"#,
        ),
        (
            json!([{ "sourceMetric": "{}" }]),
            r#"[0].sourceMetric is "{}", which is no selector: it selects all series; name a metric or add a matcher that does not match the empty value"#,
        ),
        (
            json!([{ "sourceMetric": "m", "targetMetric": "a-b" }]),
            r#"[0].targetMetric is "a-b"; allowed is a metric's name: letters, digits, _ and :, no digit first"#,
        ),
        (
            json!([{ "sourceMetric": "m", "targetMetric": 1 }]),
            "[0].targetMetric is 1; allowed is a metric's name: letters, digits, _ and :, no digit first",
        ),
        (
            json!([{ "sourceMetric": "m", "keepTags": "name" }]),
            r#"[0].keepTags is "name"; allowed is a list of tags' names"#,
        ),
        (json!([{ "source_metric": "m", "keep_tags": [1] }]), "[0].keep_tags is [1]; allowed is a list of tags' names"),
    ];
    for (metrics, words) in cases {
        let (at, problem) = words.split_once(' ').expect("a place");
        let of_block = json!({ "provider": "prometheus", "remoteWriteURL": "http://host/", "metrics": metrics });
        for (document, path, source) in [
            (json!({ "json": { "metrics": metrics } }), r#"collectors."remote-write".metrics"#, "(JSON)"),
            (
                json!({ "environment": { "K6_PROMETHEUS_RW_METRICS": metrics.to_string() } }),
                "K6_PROMETHEUS_RW_METRICS",
                "(environment)",
            ),
            (json!({ "script": { "cloud": { "apm": [of_block] } } }), "options.cloud.apm[0].metrics", "(script)"),
        ] {
            assert_eq!(said(&document), format!("{path}{at} {source} {problem}"));
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
        (json!({}), " (script) is an object; allowed is a list of blocks"),
        (json!("hunter2"), " (script) is a text; allowed is a list of blocks"),
        (json!(["hunter2"]), "[0] (script) is a text; allowed is an object"),
        (json!([null]), "[0] (script) is null; allowed is an object"),
        (json!([{ "provider": "datadog" }, {}]), r#"[1] (script) has no provider; for this output it is "prometheus""#),
        (json!([{ "provider": 1 }]), r#"[0].provider (script) is a number; for this output it is "prometheus""#),
        (json!([{ "provider": "Prometheus" }]), r#"[0].provider (script) is "Prometheus"; did you mean "prometheus"?"#),
        (json!([{ "provider": "promethues" }]), r#"[0].provider (script) is "promethues"; did you mean "prometheus"?"#),
        (
            json!([{ "provider": "prometheus" }]),
            "[0] (script) has no remoteWriteURL; it is the URL of the receiver, such as http://localhost:9090/api/v1/write",
        ),
        (
            block(json!({ "remoteWriteURL": "<Remote Write URL>" })),
            r#"url in [0].remoteWriteURL (script) is "<Remote Write URL>"; allowed is an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write"#,
        ),
        (
            block(json!({ "resampleRate": 0.5 })),
            "resampleRate in [0].resampleRate (script) is 0.5; allowed is an integer from 1 to 10, in seconds",
        ),
        (
            block(json!({ "resample_rate": 20 })),
            "resampleRate in [0].resample_rate (script) is 20; allowed is an integer from 1 to 10, in seconds",
        ),
        (block(json!({ "resampleRates": 1 })), "[0].resampleRates (script) is no option; did you mean resampleRate?"),
        (
            block(json!({ "remoteWriteUrl": "x" })),
            "[0].remoteWriteUrl (script) is no option; did you mean remoteWriteURL?",
        ),
        (
            json!([{ "provider": "prometheus", "remoteWriteUrl": "http://host/" }]),
            "[0].remoteWriteUrl (script) is no option; did you mean remoteWriteURL?",
        ),
        (
            json!([{ "provider": "prometheus", "url": "http://host/" }]),
            "[0].url (script) is no option; did you mean remoteWriteURL?",
        ),
        (block(json!({ "url": "x" })), "[0].url (script) is no option; did you mean remoteWriteURL?"),
        (block(json!({ "token": "hunter2" })), "[0].token (script) is no option; did you mean credentials.token?"),
        (
            block(json!({ "bearerToken": "hunter2" })),
            "[0].bearerToken (script) is no option; did you mean credentials.token?",
        ),
        (
            block(json!({ "credentials": "hunter2" })),
            "[0].credentials (script) is no object; allowed is one with username and password, or with token",
        ),
        (
            block(json!({ "credentials": { "user": "me" } })),
            "[0].credentials.user (script) is no option; did you mean credentials.username?",
        ),
        (
            block(json!({ "credentials": { "token": "t", "username": "me" } })),
            "[0].credentials (script) has a token, and username or password; allowed is either",
        ),
        (
            block(json!({ "credentials": { "token": "Bearer hunter2" } })),
            "bearerToken in [0].credentials.token (script) is ***; allowed is a token alone, without the word Bearer and without line breaks",
        ),
        (
            block(json!({ "credentials": { "token": ["hunter2"] } })),
            "bearerToken in [0].credentials.token (script) is ***; allowed is a token alone, without the word Bearer and without line breaks",
        ),
        (
            block(json!({ "credentials": { "password": "hunter2" } })),
            "[0].credentials.password (script) is a password without a username",
        ),
        (
            block(json!({ "includeDefaultMetrics": "sure" })),
            r#"includeDefaultMetrics in [0].includeDefaultMetrics (script) is "sure"; allowed is true or false"#,
        ),
        (
            block(json!({ "includeDefaultMetrics": false })),
            "[0].includeDefaultMetrics (script) is false, and metrics lists none: nothing would be shipped",
        ),
        (
            block(json!({ "includeTestRunID": true })),
            "[0].includeTestRunID (script) is no option; did you mean includeTestRunId?",
        ),
    ];
    for (apm, words) in cases {
        for (place, path) in [("ext", "options.ext.loadimpact.apm"), ("cloud", "options.cloud.apm")] {
            let of_option = words.split_once(" in [0]");
            let words = match of_option {
                Some((option, rest)) => format!("{option} in {path}[0]{rest}"),
                None => format!("{path}{words}"),
            };
            assert_eq!(said(&json!({ "script": { place: { "apm": apm } } })), words);
        }
    }
}

#[test]
fn with_a_long_value_that_must_not_hide_the_rest() {
    let long = "x".repeat(5000);
    let document = json!({ "argument": long, "json": { &long: 1, "timeout": 0, "metrics": [{ "sourceMetric": long, "keepTags": long }] } });
    let said = said(&document);
    assert!(
        said.len() < 2500 && said.contains("allowed is a list of tags' names") && said.contains("timeout"),
        "{said}"
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
        r#"collectors."remote-write".ulr (JSON) is no option; did you mean url?"#,
        r#"resampleRate in collectors."remote-write".resampleRate (JSON) is 11; allowed is an integer from 1 to 10, in seconds"#,
        r#"pushInterval in K6_PROMETHEUS_RW_PUSH_INTERVAL (environment) is "1ms"; allowed is a duration from 100ms on, such as 500ms or 5s"#,
        r#"url in the argument of --out is "ftp://x/y"; allowed is an absolute http or https URL with a host, such as http://localhost:9090/api/v1/write"#,
        r#"resampleRate in options.ext.loadimpact.apm[0].resampleRate (script) is 0; allowed is an integer from 1 to 10, in seconds"#,
        "options.ext.loadimpact.apm[0] (script) has no remoteWriteURL; it is the URL of the receiver, such as http://localhost:9090/api/v1/write",
    ];
    assert_eq!(said(&document), expected.join("\n\t- "));
}
