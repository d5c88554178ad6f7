//! Options as users write them who come from elsewhere: from k6's own output, the extension before it, compose files, and habit.

use std::time::Duration;

use k6_remote_write::config::{Config, Document};
use serde_json::{Map, Value, json};

fn read(document: &Value) -> Result<Config, String> {
    let document = Document::parse(document.to_string().as_bytes()).expect("a document");
    Config::read(&document).map_err(|errors| errors.to_string())
}

fn warnings(document: &Value) -> Vec<String> {
    read(document).expect("valid").warnings
}

/// A document with these variables, and a URL.
fn environment(variables: &[(&str, &str)]) -> Value {
    let variables: Map<_, _> = variables.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    json!({ "environment": variables, "json": { "url": "http://localhost/w" } })
}

/// All variables of grafana/xk6-output-prometheus-remote up to v0.0.7 that its later versions, and k6's own output, do not have.
#[test]
fn each_variable_of_the_extension_before_k6s_own_output_is_a_warning_that_names_todays() {
    for (variable, today) in [
        ("K6_PROMETHEUS_REMOTE_URL", "set K6_PROMETHEUS_RW_SERVER_URL"),
        ("K6_PROMETHEUS_USER", "set K6_PROMETHEUS_RW_USERNAME"),
        ("K6_PROMETHEUS_USERNAME", "set K6_PROMETHEUS_RW_USERNAME"),
        ("K6_PROMETHEUS_PASSWORD", "set K6_PROMETHEUS_RW_PASSWORD"),
        ("K6_PROMETHEUS_HEADERS", "set K6_PROMETHEUS_RW_HTTP_HEADERS"),
        ("K6_PROMETHEUS_HEADERS_X-Scope-OrgID", "set K6_PROMETHEUS_RW_HEADERS_X-Scope-OrgID"),
        ("K6_PROMETHEUS_INSECURE_SKIP_TLS_VERIFY", "set K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY"),
        ("K6_CA_CERT_FILE", "set K6_PROMETHEUS_RW_CA_CERTIFICATE"),
        ("K6_PROMETHEUS_FLUSH_PERIOD", "set K6_PROMETHEUS_RW_PUSH_INTERVAL"),
        ("K6_PROMETHEUS_PUSH_INTERVAL", "set K6_PROMETHEUS_RW_PUSH_INTERVAL"),
        ("K6_PROMETHEUS_TREND_STATS", "set K6_PROMETHEUS_RW_TREND_STATS"),
        ("K6_PROMETHEUS_TREND_AS_NATIVE_HISTOGRAM", "set K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM"),
        ("K6_KEEP_TAGS", "set K6_PROMETHEUS_RW_DROP_TAGS"),
        ("K6_KEEP_NAME_TAG", "set K6_PROMETHEUS_RW_DROP_TAGS"),
        ("K6_KEEP_URL_TAG", "set K6_PROMETHEUS_RW_DROP_TAGS"),
        ("K6_PROMETHEUS_MAPPING", "nothing replaces it"),
        ("K6_PROMETHEUS_SERVER_URL", "set K6_PROMETHEUS_RW_SERVER_URL"),
    ] {
        let expected = format!("Ignoring environment variable of an older output, {variable}; {today}");
        assert_eq!(warnings(&environment(&[(variable, "hunter2")])), [expected]);
        assert_eq!(warnings(&environment(&[(variable, "")])), [""; 0], "an empty one is not set");
    }
    // Those of other tools, and those that are set beside today's.
    let others =
        environment(&[("K6_PROMETHEUS_PORT", "1"), ("K6_CA_CERT_FILE", "a"), ("K6_PROMETHEUS_RW_CA_CERTIFICATE", "b")]);
    assert_eq!(warnings(&others), [""; 0]);
}

#[test]
fn a_wrong_variable_for_the_url_is_an_error_unless_something_else_names_a_url() {
    let block = json!({ "apm": [{ "provider": "prometheus", "remoteWriteURL": "http://localhost/" }] });
    for (variable, advice) in [
        ("K6_PROMETHEUS_REMOTE_URL", "set K6_PROMETHEUS_RW_SERVER_URL"),
        ("K6_PROMETHEUS_RW_URL", "did you mean K6_PROMETHEUS_RW_SERVER_URL?"),
        ("K6_PROMETHEUS_RW_REMOTE_URL", "did you mean K6_PROMETHEUS_RW_SERVER_URL?"),
    ] {
        let variables = json!({ variable: "http://prometheus:9090/api/v1/write" });
        let error =
            format!("invalid configuration: {variable} (environment): ignored, and no other URL is set; {advice}");
        assert_eq!(read(&json!({ "environment": variables })).map(|_| ()), Err(error));
        for other in [
            json!({ "environment": variables, "argument": "http://localhost/w" }),
            json!({ "environment": variables, "json": { "url": "http://localhost/w" } }),
            json!({ "environment": variables, "script": { "ext": block } }),
        ] {
            let warnings = warnings(&other);
            assert!(
                warnings.len() == 1 && warnings[0].contains(variable) && warnings[0].contains(advice),
                "{warnings:?}"
            );
        }
    }
}

#[test]
fn an_unknown_variable_leads_to_the_likely_one() {
    for (unknown, advice) in [
        ("NATIVE_HISTOGRAMS", "did you mean K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM?"),
        ("AWS_SIGV4_ENABLED", "did you mean K6_PROMETHEUS_RW_SIGV4_REGION?"),
        ("USER", "did you mean K6_PROMETHEUS_RW_USERNAME?"),
        ("REGION", "did you mean K6_PROMETHEUS_RW_SIGV4_REGION?"),
        ("TOKEN", "did you mean K6_PROMETHEUS_RW_BEARER_TOKEN?"),
        ("HEADERS", "did you mean K6_PROMETHEUS_RW_HTTP_HEADERS?"),
        ("SHARDS_PER_RECEIVER", "did you mean K6_PROMETHEUS_RW_MAX_SHARDS?"),
        ("PUSHGATEWAY_JOB", "the documentation lists all options"),
    ] {
        let variable = format!("K6_PROMETHEUS_RW_{unknown}");
        let expected = format!("Ignoring unknown environment variable {variable}; {advice}");
        assert_eq!(warnings(&environment(&[(&variable, "x")])), [expected]);
    }
}

#[test]
fn an_unknown_variable_is_reported_beside_the_error_that_follows_from_it() {
    let document = environment(&[("K6_PROMETHEUS_RW_USER", "me"), ("K6_PROMETHEUS_RW_PASSWORD", "hunter2")]);
    assert_eq!(
        read(&document).map(|_| ()).expect_err("a password alone"),
        "invalid configuration:\
         \n\t- K6_PROMETHEUS_RW_PASSWORD (environment): a password requires a username\
         \n\t- Ignoring unknown environment variable K6_PROMETHEUS_RW_USER; did you mean K6_PROMETHEUS_RW_USERNAME?"
    );
}

#[test]
fn underscores_in_the_variable_of_a_header_are_dashes_unless_it_has_one() {
    for (name, header) in
        [("X_SCOPE_ORGID", "X-SCOPE-ORGID"), ("X-Scope-OrgID", "X-Scope-OrgID"), ("X-My_Key", "X-My_Key"), ("A", "A")]
    {
        let mut config =
            read(&environment(&[(&format!("K6_PROMETHEUS_RW_HEADERS_{name}"), "tenant,1")])).expect("valid");
        let headers = config.destinations.remove(0).endpoint.headers;
        let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, value.expose())).collect();
        assert_eq!(headers, [(header, "tenant,1")]);
    }
}

#[test]
fn the_argument_may_have_options_by_their_names_in_json() {
    let argument = "url=http://localhost/w?a=b, username=foo,password=a,b,headers.X-Scope-OrgID=x,trendStats=p(95),max,\
                    labels=a=1,b=2,push_interval=500ms,staleMarkers=false";
    let json = json!({
        "url": "http://localhost/w?a=b", "username": "foo", "password": "a,b", "headers": { "X-Scope-OrgID": "x" },
        "trendStats": ["p(95)", "max"], "labels": { "a": "1", "b": "2" }, "pushInterval": "500ms", "staleMarkers": false,
    });
    let lower = json!({ "url": "http://other/", "staleMarkers": true, "timeout": "7s" });
    let [by_argument, by_json] =
        [json!({ "argument": argument }), json!({ "json": json })].map(|document| read(&document));
    assert_eq!(by_argument, by_json);
    let mut over_json = read(&json!({ "argument": argument, "json": lower })).expect("valid").destinations.remove(0);
    assert_eq!(over_json.endpoint.timeout, Duration::from_secs(7));
    over_json.endpoint.timeout = by_json.as_ref().expect("valid").destinations[0].endpoint.timeout;
    assert_eq!(over_json, by_json.expect("valid").destinations[0]);
}

#[test]
fn an_option_without_effect_is_a_warning() {
    let json = |name: &str| format!("collectors.\"remote-write\".{name} (JSON)");
    let native = json!({ "features": ["native-histograms"] });
    let metadata = "k6 has vu and iter as metadata, not as tags, and metadata becomes labels of exemplars only";
    let stats = |reason: &str| {
        format!("Ignoring {}: with {reason}, trends have no statistics; add gauges to trendAs", json("trendStats"))
    };
    for (options, run, expected) in [
        (json!({ "trendStats": "max", "trendAs": "native" }), json!({}), stats(&json("trendAs"))),
        (json!({ "trendStats": "max", "trendAs": "native,classic" }), json!({}), stats(&json("trendAs"))),
        (
            json!({ "trendStats": "max", "trendAsNativeHistogram": true }),
            json!({}),
            stats(&json("trendAsNativeHistogram")),
        ),
        (json!({ "trendStats": "max" }), native.clone(), stats("k6's feature flag native-histograms")),
        (
            json!({ "trendBuckets": [1, 2] }),
            json!({}),
            format!(
                "Ignoring {}: only trends as classic histograms have buckets; add classic to trendAs",
                json("trendBuckets")
            ),
        ),
        (
            json!({ "trendAs": "classic", "trendAsNativeHistogram": true }),
            json!({}),
            format!("Ignoring {}: {} takes precedence", json("trendAsNativeHistogram"), json("trendAs")),
        ),
        (
            json!({ "dropTags": "url,vu,iter" }),
            json!({}),
            format!("vu, iter in {} has no effect: {metadata}", json("dropTags")),
        ),
        (
            json!({ "metrics": [{ "sourceMetric": "http_reqs{iter=\"0\"}", "keepTags": ["vu", "name"] }] }),
            json!({}),
            format!("vu, iter in {} has no effect: {metadata}", json("metrics")),
        ),
        (
            json!({}),
            json!({ "systemMetadata": ["iter", "vu"] }),
            format!("iter, vu in systemTags has no effect: {metadata}"),
        ),
    ] {
        assert_eq!(warnings(&json!({ "json": options, "run": run })), [expected]);
    }
    for (options, run) in [
        (json!({ "trendStats": "max", "trendAs": "native,gauges" }), native.clone()),
        (json!({ "trendStats": "max", "trendAsNativeHistogram": false }), native),
        (json!({ "trendBuckets": "1", "trendAs": "classic" }), json!({})),
        (json!({ "trendAs": "native", "trendAsNativeHistogram": true }), json!({})),
        (json!({}), json!({ "systemMetadata": ["vu"], "otherOutputs": ["json"] })),
        (json!({ "exemplars": "trace_id,vu" }), json!({ "systemMetadata": ["vu"] })),
    ] {
        assert_eq!(warnings(&json!({ "json": options, "run": run })), [""; 0], "{options}");
    }
}

#[test]
fn a_value_in_quotes_is_known_as_one() {
    // Lists of variables in a compose file, and some `.env` files, keep the quotes.
    for (variable, value, shown) in [
        ("SERVER_URL", r#""http://prometheus:9090/api/v1/write""#, "url (value hidden)"),
        ("SERVER_URL", "'http://prometheus:9090/api/v1/write'", "url (value hidden)"),
        ("PUSH_INTERVAL", "'1s'", r#"pushInterval "'1s'""#),
        ("STALE_MARKERS", r#""true""#, r#"staleMarkers "\"true\"""#),
        ("TREND_STATS", r#""avg,max""#, r#"trendStats "\"avg,max\"""#),
        ("HTTP_HEADERS", r#""X-Scope-OrgID:demo""#, "headers (value hidden)"),
    ] {
        let variable = format!("K6_PROMETHEUS_RW_{variable}");
        let error = read(&environment(&[(&variable, value)])).map(|_| ()).expect_err("quotes");
        let begins = format!("invalid configuration: invalid {shown} in {variable} (environment): must be ");
        assert!(error.starts_with(&begins) && error.ends_with("; the value is in quotes: remove them"), "{error}");
    }
    for (variable, value) in [
        ("USERNAME", r#""me""#),
        ("HEADERS_X-Scope-OrgID", "'demo'"),
        ("HTTP_HEADERS", r#"X-Scope-OrgID:"demo""#),
        ("LABELS", r#""environment=production""#),
        ("DROP_TAGS", "'url,ip'"),
        ("CA_CERTIFICATE", r#""ca.pem""#),
        ("TEST_RUN_ID", "'7'"),
    ] {
        let variable = format!("K6_PROMETHEUS_RW_{variable}");
        let warnings = warnings(&environment(&[(&variable, value), ("K6_PROMETHEUS_RW_INCLUDE_TEST_RUN_ID", "1")]));
        let expected = format!(
            "{variable} (environment) has quotes around a value, which are part of it: remove them unless they are meant"
        );
        assert_eq!(warnings, [expected], "{value}");
    }
}

#[test]
fn a_duration_that_was_meant_in_seconds_is_known_as_one() {
    for (value, shown) in [(json!(30), "30"), (json!("2"), "2"), (json!(" 0.5 "), "0.5"), (json!(300), "300")] {
        let expected = format!(
            "timeout (JSON) is {shown} ms, since a number without a unit is in milliseconds: write a unit, such as \
             {shown}ms or {shown}s"
        );
        let found = warnings(&json!({ "json": { "timeout": value } }));
        assert!(found.len() == 1 && found[0].ends_with(&expected), "{value}: {found:?}");
    }
    for value in [json!("30ms"), json!("30s"), json!(1000), json!("5000")] {
        assert_eq!(warnings(&json!({ "json": { "timeout": value } })), [""; 0], "{value}");
    }
    let error = read(&json!({ "json": { "pushInterval": 5 } })).map(|_| ()).expect_err("below the minimum");
    assert!(error.ends_with("; a number without a unit is in milliseconds"), "{error}");
    // 0 is a value that needs no unit.
    assert_eq!(warnings(&json!({ "json": { "flushTimeout": 0 } })), [""; 0]);
}

#[test]
fn a_password_in_the_user_name_is_one_error() {
    let variables = [("K6_PROMETHEUS_RW_USERNAME", "me:hunter2"), ("K6_PROMETHEUS_RW_PASSWORD", "hunter2")];
    let error = read(&environment(&variables)).map(|_| ()).expect_err("a colon");
    assert!(error.starts_with("invalid configuration: invalid username"), "{error}");
    assert!(error.ends_with("must be a user name without a colon; the password is a separate option"), "{error}");
    let error = read(&environment(&variables[1..])).map(|_| ()).expect_err("no user name");
    assert!(error.ends_with("a password requires a username"), "{error}");
}

#[test]
fn two_statistics_with_one_name_are_named() {
    for (stats, both) in [("p(9.99),p(99.9)", "p(9.99) and p(99.9)"), ("p(1.5),max,p(15)", "p(1.5) and p(15)")] {
        let error = read(&json!({ "json": { "trendStats": stats } })).map(|_| ()).expect_err("one name");
        let suffix = if stats.contains("999") || stats.contains("9.99") { "_p999" } else { "_p15" };
        assert!(error.ends_with(&format!("each once; {both} would both be called {suffix}")), "{error}");
    }
    let shares = json!({ "json": { "trendStats": "p(0.95),p(0.5),p(99)" } });
    assert_eq!(
        warnings(&shares),
        [
            "collectors.\"remote-write\".trendStats (JSON) has percentiles below 1: p(0.95) is not p(95), p(0.5) is not p(50)"
        ]
    );
}

#[test]
fn labels_without_a_value_are_left_out_as_by_k6s_own_output() {
    let labels = |labels: Value| {
        read(&json!({ "json": { "labels": labels } })).map(|mut config| config.destinations.remove(0).labels.constant)
    };
    let expected = Ok(vec![("server".to_string(), "srv1".to_string())]);
    assert_eq!(labels(json!("job_id=,server=srv1")), expected);
    assert_eq!(labels(json!({ "job_id": "", "server": "srv1", "__name__": "x" })), expected);
}

#[test]
fn only_this_outputs_part_of_the_scripts_options_is_read() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for odd in [r#""\ud800""#, &deep] {
        let document = format!(
            r#"{{"script": {{"ext": {{"projectID": {odd}, "\udc00": {odd}, "apm": [
                {{"provider": "datadog", "apiKey": {odd}}}, {{"provider": "prometheus", "remoteWriteURL": "http://localhost/"}}
            ]}}, "cloud": {{"name": {odd}}}}}}}"#
        );
        let document = Document::parse(document.as_bytes()).expect("a document");
        let config = Config::read(&document).expect("valid");
        assert_eq!((config.destinations.len(), config.warnings.len()), (1, 1), "{:?}", config.warnings);
    }
    let ours = r#"{"script": {"ext": {"apm": [{"provider": "prometheus", "remoteWriteURL": "\ud800"}]}}}"#;
    let error = Document::parse(ours.as_bytes()).err().expect("not Unicode").to_string();
    assert!(error.starts_with("options.ext.loadimpact.apm[0] cannot be read: "), "{error}");
}

#[test]
fn a_huge_name_and_very_many_names_are_reported_in_a_short_message() {
    // A search for similar names without a bound would need gigabytes and hours for these.
    let huge = "pushIntervall".repeat(1 << 20);
    let many = |prefix: &str| -> Map<_, _> { (0..10_000).map(|n| (format!("{prefix}{n}"), "x".into())).collect() };
    let block =
        |name: &str, value: Value| json!({ "provider": "prometheus", "remoteWriteURL": "http://a/", name: value });
    for document in [
        json!({ "json": { &huge: 1 } }),
        json!({ "json": many("option") }),
        json!({ "environment": { format!("K6_PROMETHEUS_RW_{huge}"): "1" }, "argument": "x" }),
        json!({ "environment": { format!("K6_PROMETHEUS_HEADERS_{huge}"): "1" }, "argument": "x" }),
        json!({ "environment": many("K6_PROMETHEUS_RW_OPTION"), "argument": "x" }),
        json!({ "json": { "metrics": [{ &huge: "x" }] } }),
        json!({ "json": { "metrics": [many("field")] } }),
        json!({ "script": { "ext": { "apm": [block(&huge, json!(1))] } } }),
        json!({ "script": { "ext": { "apm": [block("credentials", Value::Object(many("key")))] } } }),
        json!({ "script": { "ext": { "apm": [block("provider", json!(huge)), many("key")] } } }),
    ] {
        let document = Document::parse(document.to_string().as_bytes()).expect("a document");
        let message = Config::read(&document).expect_err("a mistake").to_string();
        assert!(message.len() < 4096, "{message}");
    }
}
