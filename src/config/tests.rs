//! A document → a configuration, or its mistakes.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::export::{Mapping, TrendAs};
use crate::http::{self, AwsKeys, KeyPair, Proxy, SecretSource};
use crate::k6::MetricType;
use crate::series::view::Tags;
use crate::series::{LabelRules, SeriesDefinition};

fn read(document: &Value) -> Result<Config, String> {
    let document = Document::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())?;
    Config::read(&document).map_err(|errors| errors.to_string())
}

/// The one destination of a document without mistakes and warnings.
fn destination(document: &Value) -> Result<Destination, String> {
    let mut config = read(document)?;
    assert_eq!((config.destinations.len(), &config.warnings[..]), (1, &[][..]));
    Ok(config.destinations.remove(0))
}

/// A document with these blocks.
fn blocks(blocks: Value) -> Value {
    json!({ "script": { "ext": { "apm": blocks } } })
}

#[test]
fn nothing_set_means_the_defaults() {
    let config = read(&json!({})).expect("valid");
    assert_eq!(config.destinations, [Destination::default()]);
    assert!(config.tags.is_empty() && config.warnings.is_empty());
    assert_eq!(config.description(), "http://localhost:9090/api/v1/write, every 3s");
}

#[test]
fn every_row_is_complete_and_its_default_is_valid() {
    let mut names: Vec<_> = options().flat_map(|option| [option.name, option.script_name()]).collect();
    names.dedup();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "no name is twice");
    for option in options() {
        assert!(!option.doc.is_empty() && !option.doc.ends_with('.'), "{}", option.name);
        assert!(option.set_default(&mut Destination::default()).is_some(), "{}", option.name);
    }
}

#[test]
fn defaults_are_those_of_the_modules_that_use_them() {
    let destination = Destination::default();
    assert_eq!(destination.mapping, Mapping::default());
    let exemplars = vec!["trace_id".into()];
    assert_eq!(destination.labels, LabelRules { exemplars, ..LabelRules::default() });
    assert_eq!(destination.rules(&[]).mapping, Mapping::default());
}

/// A row that reads any text into a field must be hidden, or errors would show the secrets that users write there by mistake.
#[test]
fn a_kind_whose_values_are_shown_accepts_no_secret() {
    // Texts of which no part is a secret: names, tags of the test, and names of metadata.
    let names = [
        "testRunId",
        "labels",
        "dropTags",
        "exemplars",
        "unsentDirectory",
        "sigV4Region",
        "sigV4Service",
        "sigV4Profile",
        "tlsServerName",
    ];
    for option in options().filter(|option| !names.contains(&option.name)) {
        let kind::Kind::Plain(kind) = &option.kind else { continue };
        for text in ["hunter2/", "hunter2=hunter2", "http://me:hunter2@host/", "Bearer hunter2"] {
            assert!(kind.read(&mut Destination::default(), text, kind::Form::Text).is_none(), "{} {text}", option.name);
        }
    }
}

/// The sources of the one destination, each naming another URL and rate, and what comes of all combinations.
#[test]
fn the_argument_wins_over_the_environment_over_json() {
    let json = ("json", json!({ "url": "http://json/w", "pushInterval": "1s" }));
    let environment = (
        "environment",
        json!({ "K6_PROMETHEUS_RW_SERVER_URL": "http://env/w", "K6_PROMETHEUS_RW_PUSH_INTERVAL": "2s" }),
    );
    let argument = ("argument", json!("http://argument/w"));
    for (sources, url, seconds) in [
        (vec![&json], "http://json/w", 1),
        (vec![&environment], "http://env/w", 2),
        (vec![&argument], "http://argument/w", 3),
        (vec![&json, &environment], "http://env/w", 2),
        (vec![&json, &argument], "http://argument/w", 1),
        (vec![&environment, &argument], "http://argument/w", 2),
        (vec![&json, &environment, &argument], "http://argument/w", 2),
    ] {
        let document: Value = sources.into_iter().map(|(name, value)| (*name, value.clone())).collect();
        let destination = destination(&document).expect("valid");
        assert_eq!(
            (destination.endpoint.url.expose().as_str(), destination.window.rate.as_secs()),
            (url, seconds),
            "{document}"
        );
    }
}

/// Which of blocks, argument, environment and JSON make a destination.
#[test]
fn blocks_make_a_destination_each_and_the_others_one_more_if_they_name_a_url() {
    let block = |url: &str| json!({ "provider": "prometheus", "remoteWriteURL": url });
    let (ext, cloud) =
        (json!({ "apm": [block("http://a/"), block("http://b/")] }), json!({ "apm": [block("http://c/")] }));
    let argument = json!("http://argument/");
    let environment = json!({ "K6_PROMETHEUS_RW_SERVER_URL": "http://env/" });
    for (document, urls) in [
        (json!({ "script": { "ext": ext } }), &["http://a/", "http://b/"][..]),
        (json!({ "script": { "ext": ext, "cloud": cloud } }), &["http://a/", "http://b/", "http://c/"]),
        (json!({ "script": { "cloud": cloud }, "argument": argument }), &["http://argument/", "http://c/"]),
        (json!({ "script": { "cloud": cloud }, "environment": environment }), &["http://env/", "http://c/"]),
        (json!({ "script": { "cloud": cloud }, "json": { "url": "http://json/" } }), &["http://json/", "http://c/"]),
        // A block in both places, for k6 Cloud's sake, is one.
        (json!({ "script": { "ext": cloud, "cloud": cloud } }), &["http://c/"]),
        (json!({ "script": { "ext": { "apm": null }, "cloud": {} } }), &["http://localhost:9090/api/v1/write"]),
    ] {
        let config = read(&document).expect("valid");
        let made: Vec<_> =
            config.destinations.iter().map(|destination| destination.endpoint.url.expose().as_str()).collect();
        assert_eq!((made, config.warnings), (urls.to_vec(), vec![]), "{document}");
    }
}

#[test]
fn options_without_a_destination_are_ignored_with_a_warning() {
    let mut document = blocks(json!([{ "provider": "prometheus", "remoteWriteURL": "http://a/" }]));
    document["environment"] = json!({ "K6_PROMETHEUS_RW_STALE_MARKERS": "false" });
    let config = read(&document).expect("valid");
    assert_eq!(config.destinations.len(), 1);
    assert!(config.destinations[0].window.stale_markers, "a block has its own options");
    assert_eq!(
        config.warnings,
        [
            "Ignoring K6_PROMETHEUS_RW_STALE_MARKERS (environment): the script's apm blocks have their own options, and no other \
          URL is set"
        ]
    );
}

#[test]
fn a_second_output_leaves_the_blocks_to_the_first() {
    let mut document = blocks(json!([{ "provider": "prometheus", "remoteWriteURL": "http://a/" }]));
    document["argument"] = json!("http://b/");
    let second = |document: &Value| {
        let mut document = Document::parse(document.to_string().as_bytes()).expect("valid");
        document.blocks_are_leased = true;
        Config::read(&document).map_err(|errors| errors.to_string())
    };
    let config = second(&document).expect("valid");
    assert_eq!(config.description(), "http://b/, every 3s");
    document["argument"] = json!("");
    assert!(second(&document).expect_err("nothing left").contains("more than one --out remote-write without a URL"));
}

#[test]
fn the_seeds_block_is_read_in_both_spellings() {
    for block in [
        json!({
            "provider": "prometheus", "remoteWriteURL": "http://localhost/w", "credentials": { "token": "<token>" },
            "includeDefaultMetrics": true, "metrics": ["http_req_sending", "my_rate"], "includeTestRunId": false,
            "resampleRate": 5,
        }),
        json!({
            "provider": "prometheus", "remote_write_url": "http://localhost/w", "credentials": { "token": "<token>" },
            "include_default_metrics": true, "metrics": ["http_req_sending", "my_rate"],
            "include_test_run_id": false, "resample_rate": 5,
        }),
    ] {
        let read = destination(&blocks(json!([block]))).expect("valid");
        let mut expected = Destination::of_block();
        expected.endpoint.url = Url::parse("http://localhost/w").expect("valid").into();
        expected.auth.bearer_token = Some("<token>".into());
        expected.endpoint.credentials = http::Credentials::Bearer("<token>".into());
        expected.metrics.entries = Some(vec![MetricEntry::whole("http_req_sending"), MetricEntry::whole("my_rate")]);
        expected.window.rate = Duration::from_secs(5);
        assert_eq!(read, expected);
        let views = read.metrics.views();
        assert!(views.len() == 8 && views.iter().all(|view| view.tags == Tags::Only(vec![])));
    }
}

#[test]
fn blocks_of_others_are_left_to_k6_cloud_with_one_warning() {
    let config = read(&blocks(json!([
        { "provider": "datadog", "apiKey": "hunter2" },
        { "provider": "prometheus", "remoteWriteURL": "http://localhost/" },
        { "provider": "azure", "appKey": 7 },
        { "provider": "datadog" },
    ])));
    let config = config.expect("valid");
    assert_eq!(config.destinations.len(), 1);
    assert_eq!(
        config.warnings,
        [
            "Ignoring the script's apm blocks for datadog, azure, which are left to k6 Cloud: this output supports only provider \
          \"prometheus\""
        ]
    );
}

#[test]
fn a_rate_in_either_spelling_overwrites_the_other_of_a_lower_source() {
    let document =
        json!({ "json": { "pushInterval": "500ms" }, "environment": { "K6_PROMETHEUS_RW_RESAMPLE_RATE": "7" } });
    assert_eq!(destination(&document).map(|destination| destination.window.rate), Ok(Duration::from_secs(7)));
}

#[test]
fn urls_of_every_form_are_read() {
    for (written, url, username) in [
        (" http://host/w ", "http://host/w", None),
        ("http://host:9090", "http://host:9090/", None),
        ("https://u%40x:p%3Aq@[::1]:9/w?x=1", "https://[::1]:9/w?x=1", Some("u@x")),
        ("http://127.0.0.1/a/b%20c?d=e&f", "http://127.0.0.1/a/b%20c?d=e&f", None),
    ] {
        let destination = destination(&json!({ "argument": written })).expect(written);
        assert_eq!(
            (destination.endpoint.url.expose().as_str(), destination.auth.username),
            (url, username.map(SecretSource::from))
        );
    }
}

#[test]
fn options_take_precedence_over_credentials_in_the_url() {
    let document = json!({
        "argument": "http://me:hunter2@localhost/w",
        "json": { "username": "you", "password": "secret" },
    });
    let credentials = destination(&document).expect("valid").auth;
    assert_eq!((credentials.username, credentials.password), (Some("you".into()), Some("secret".into())));
    // They complete each other.
    let credentials = |url: &str, json: Value| {
        let auth = destination(&json!({ "argument": url, "json": json })).expect("valid").auth;
        (auth.username, auth.password)
    };
    let hunter = (Some("me".into()), Some("hunter2".into()));
    assert_eq!(credentials("http://me@localhost/w", json!({ "password": "hunter2" })), hunter);
    assert_eq!(credentials("http://:hunter2@localhost/w", json!({ "username": "me" })), hunter);
    assert_eq!(credentials("http://you:x@localhost/w", json!({ "username": "me" })), (hunter.0, None));
    assert_eq!(credentials("http://:hunter2@localhost/w", json!({})), (Some("".into()), hunter.1));
}

#[test]
fn a_line_break_at_the_end_of_a_secret_is_not_part_of_it() {
    let environment = |variables: &[(&str, &str)]| -> Value {
        let named = variables.iter().map(|(name, value)| (format!("K6_PROMETHEUS_RW_{name}"), Value::from(*value)));
        json!({ "environment": Value::Object(named.collect()) })
    };
    for end in ["", "\n", "\r\n", "\n\n"] {
        let with = |text: &str| format!("{text}{end}");
        for document in [
            environment(&[("USERNAME", &with("me")), ("PASSWORD", &with(" hunter2 "))]),
            json!({ "json": { "username": with("me"), "password": with(" hunter2 ") } }),
        ] {
            let auth = destination(&document).expect("valid").auth;
            assert_eq!((auth.username, auth.password), (Some("me".into()), Some(" hunter2 ".into())), "{end:?}");
        }
        let token = destination(&environment(&[("BEARER_TOKEN", &with("hunter2"))])).expect("valid").auth;
        assert_eq!(token.bearer_token, Some("hunter2".into()));
        let header = destination(&environment(&[("HEADERS_X-A", &with("hunter2"))])).expect("valid").endpoint;
        assert_eq!(header.headers, [("X-A".to_string(), "hunter2".into())]);
    }
}

#[test]
fn credentials_may_be_in_files_and_the_later_source_takes_precedence() {
    let document = json!({
        "json": { "username": "me", "passwordFile": "/json", "bearerTokenFile": "/token" },
        "environment": { "K6_PROMETHEUS_RW_USERNAME_FILE": "/user", "K6_PROMETHEUS_RW_PASSWORD": "x" },
    });
    let credentials = read(&document).expect("valid").destinations.remove(0).auth;
    let expected = AuthOptions {
        username: Some(SecretSource::File("/user".into())),
        password: Some("x".into()),
        bearer_token: Some(SecretSource::File("/token".into())),
        ..Destination::default().auth
    };
    assert_eq!(credentials, expected);
    let block = json!({
        "provider": "prometheus",
        "remoteWriteURL": "https://host/",
        "credentials": { "usernameFile": "/user", "password_file": "/password" },
    });
    let credentials = destination(&blocks(json!([block]))).expect("valid").auth;
    assert_eq!(credentials.username, Some(SecretSource::File("/user".into())));
    assert_eq!(credentials.password, Some(SecretSource::File("/password".into())));
}

#[test]
fn mutually_exclusive_options_are_an_error_that_names_both() {
    let json = |name: &str| format!("collectors.\"remote-write\".{name} (JSON)");
    for (options, first, second) in [
        (json!({ "username": "a", "usernameFile": "b" }), "username", "usernameFile"),
        (json!({ "username": "a", "password": "a", "passwordFile": "b" }), "password", "passwordFile"),
        (json!({ "bearerToken": "a", "bearerTokenFile": "b" }), "bearerToken", "bearerTokenFile"),
        (json!({ "sigV4Region": "r", "bearerToken": "a" }), "sigV4Region", "bearerToken"),
        (json!({ "sigV4Region": "r", "usernameFile": "a" }), "sigV4Region", "usernameFile"),
        (json!({ "sigV4Region": "r", "headers": { "Authorization": "a" } }), "sigV4Region", "headers"),
    ] {
        let (first, second) = (json(first), json(second));
        let expected = format!("invalid configuration: {first} and {second} are mutually exclusive; set only one");
        assert_eq!(read(&json!({ "json": options })).expect_err("both"), expected);
    }
    let parts = json!({ "json": { "sigV4AccessKey": "a", "clientCertificate": "b" } });
    let errors = read(&parts).expect_err("parts");
    for part in ["sigV4AccessKey and sigV4SecretKey", "sigV4Region or AWS_REGION", "clientCertificateKey"] {
        assert!(errors.contains(part), "{errors}");
    }
}

#[test]
fn signatures_are_completed_by_aws_variables() {
    let document = json!({
        "json": { "sigV4Service": "execute-api" },
        "environment": { "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "hunter2" },
    });
    let credentials = destination(&document).expect("valid").endpoint.credentials;
    let keys = KeyPair { access_key: "AKID".into(), secret_key: "hunter2".into(), session_token: None };
    let sigv4 = http::SigV4 { region: "eu-west-1".into(), service: "execute-api".into(), keys: AwsKeys::Inline(keys) };
    assert_eq!(credentials, http::Credentials::SigV4(sigv4));
    let without = json!({ "environment": document["environment"] });
    assert_eq!(destination(&without), Ok(Destination::default()), "AWS's variables alone have no effect");
}

#[test]
fn a_proxy_is_a_url_or_none() {
    let proxy =
        |text: &str| destination(&json!({ "json": { "proxy": text } })).map(|destination| destination.endpoint.proxy);
    assert_eq!(proxy("direct"), Ok(Proxy::None));
    assert_eq!(proxy(""), Ok(Proxy::Environment));
    assert_eq!(proxy("socks5h://me:x@localhost:1080"), Ok(Proxy::Through("socks5h://me:x@localhost:1080".into())));
    for wrong in ["host:3128", "ftp://me:hunter2@host", "http://", "me:hunter2@host"] {
        let error = proxy(wrong).expect_err(wrong);
        assert!(error.contains("invalid proxy") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn no_secret_is_shown_anywhere() {
    let document = json!({
        "argument": "https://me:hunter2@host/w?key=hunter2",
        "json": {
            "headers": { "X-Key": "hunter2" }, "bearerToken": "hunter2", "username": "me", "password": "hunter2",
            "proxy": "http://me:hunter2@proxy",
        },
    });
    let config = read(&document).expect("valid");
    assert_eq!(config.description(), "https://host/w?key=***, every 3s");
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
}

#[test]
fn empty_variables_are_as_if_not_set() {
    let variables = options().map(|option| (option.variable(), ""));
    let document = json!({ "environment": variables.collect::<Value>() });
    let mut expected = Destination::default();
    expected.mapping.metric_prefix = String::new();
    expected.labels.exemplars = Vec::new();
    expected.delivery.sender.unsent_directory = None;
    assert_eq!(destination(&document), Ok(expected));
}

#[test]
fn headers_of_all_sources_come_together() {
    let document = json!({
        "json": { "headers": { "A": "json", "B": "json" } },
        "environment": { "K6_PROMETHEUS_RW_HEADERS_b": "one", "K6_PROMETHEUS_RW_HTTP_HEADERS": "C:1, D:2" },
    });
    let headers = destination(&document).expect("valid").endpoint.headers;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("A", "json"), ("b", "one"), ("C", "1"), ("D", "2")]);
}

#[test]
fn the_id_of_the_run_is_k6_clouds_or_a_given_one_or_generated() {
    let id = |document: Value| destination(&document).expect("valid").test_run.id;
    let given = json!({ "includeTestRunId": true, "testRunId": "mine" });
    assert_eq!(id(json!({ "json": given, "run": { "cloudTestRunId": "123" } })), Some("123".into()));
    assert_eq!(id(json!({ "json": given })), Some("mine".into()));
    let generated = id(json!({ "json": { "includeTestRunId": true } })).expect("generated");
    assert_eq!(generated.len(), 16);
    assert_eq!(id(json!({ "json": { "includeTestRunId": true } })), Some(generated), "one id for the whole process");
    assert_eq!(id(json!({ "run": { "cloudTestRunId": "123" } })), None);
}

#[test]
fn tags_of_the_whole_test_are_known() {
    let config = read(&json!({ "run": { "tags": { "testid": "7" } } })).expect("valid");
    assert_eq!(config.tags, [("testid".into(), "7".into())]);
}

#[test]
fn invalid_values_are_rejected() {
    for (name, values) in [
        ("trendAs", vec![json!(""), json!([]), json!("summary"), json!(["gauges", 1]), json!(true)]),
        ("trendStats", vec![json!(""), json!("p(101)"), json!("avg,avg"), json!("p(99.9),p(9.99)"), json!("avg,")]),
        ("trendWindow", vec![json!("minute"), json!(1)]),
        ("trendBuckets", vec![json!([2, 1]), json!([1, 1]), json!("1,x"), json!(["NaN"]), json!(["inf"])]),
        ("labelNames", vec![json!("utf-16")]),
        ("labels", vec![json!("a"), json!({ "__a": "x" }), json!("=b"), json!(["a"]), json!("a=1,a=2")]),
        ("dropTags", vec![json!("a,,b"), json!([{}])]),
        ("maxLabelValueBytes", vec![json!(15), json!("1k")]),
        ("maxSeries", vec![json!(0), json!(-1), json!(1.5)]),
    ] {
        for value in values {
            let error = read(&json!({ "json": { name: value } })).expect_err(name);
            assert!(error.contains(&format!("invalid {name} ")) && error.contains("must be"), "{value}: {error}");
        }
    }
}

#[test]
fn the_native_switch_and_feature_apply_where_the_form_is_not_set() {
    let form = |document: Value| destination(&document).expect("valid").rules(&[]).mapping.trend_as;
    let switch = |on: &str| json!({ "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM": on });
    let feature = json!({ "features": ["freeze-env", "native-histograms"] });
    assert_eq!(form(json!({})), TrendAs::GAUGES);
    assert_eq!(form(json!({ "environment": switch("true") })), TrendAs::NATIVE);
    assert_eq!(form(json!({ "run": feature })), TrendAs::NATIVE);
    assert_eq!(form(json!({ "run": feature, "environment": switch("false") })), TrendAs::GAUGES);
    assert_eq!(form(json!({ "run": feature, "json": { "trendAs": "gauges" } })), TrendAs::GAUGES);
    // It is k6's flag, and so holds for every destination.
    let mut document = blocks(json!([{ "provider": "prometheus", "remoteWriteURL": "http://a/w" }]));
    document["run"] = feature;
    assert_eq!(form(document), TrendAs::NATIVE);
}

#[test]
fn a_segment_of_a_run_gets_an_instance_label_unless_tags_or_labels_have_one() {
    /// Returns the labels of a series with the test's tags and these of its own.
    fn labels(document: &Value, own: &[(&str, &str)]) -> Vec<(String, String)> {
        let config = read(document).expect("valid");
        let rules = config.destinations[0].rules(&config.tags);
        let test_wide = config.tags.iter().filter(|(name, _)| own.iter().all(|(tag, _)| tag != name));
        let series = SeriesDefinition::new("m", MetricType::Counter).with_tags(test_wide.cloned());
        let labels = series.with_tags(own.iter().copied()).labels(&rules.labels);
        labels.into_iter().map(|label| (label.name, label.value)).collect()
    }
    let instance = |name: &str, value: &str| vec![(name.to_string(), value.to_string())];
    let part = json!({ "executionSegment": "1/2:1" });
    assert_eq!(labels(&json!({ "run": part }), &[]), instance("instance", "1/2:1"));
    assert_eq!(labels(&json!({ "run": { "executionSegment": "0:1" } }), &[]), vec![], "the whole run");
    assert_eq!(labels(&json!({}), &[]), vec![]);
    for tag in ["instance", "instance_id"] {
        let tagged = |value: &str| json!({ "run": { "executionSegment": "1/2:1", "tags": { tag: value } } });
        assert_eq!(labels(&tagged("7"), &[]), instance(tag, "7"));
        assert_eq!(labels(&tagged(""), &[]), instance("instance", "1/2:1"));
        let own = labels(&tagged("7"), &[(tag, "of a sample")]);
        assert!(own.iter().any(|(_, value)| value == "1/2:1"), "{own:?}");
    }
    let labelled = json!({ "run": part, "json": { "labels": "instance=mine" } });
    assert_eq!(labels(&labelled, &[]), instance("instance", "mine"));
    let own = [instance("instance", "db-1"), instance("k6_instance", "1/2:1")].concat();
    assert_eq!(labels(&json!({ "run": part }), &[("instance", "db-1")]), own);
    assert_eq!(labels(&labelled, &[("instance", "db-1")]), own);
}

#[test]
fn options_of_delivery_have_bounds_and_can_be_off() {
    for (option, value) in [
        ("protocol", json!("3.0")),
        ("maxSamplesPerSend", json!(0)),
        ("maxBytesPerSend", json!(33_554_433)),
        ("maxShards", json!(51)),
        ("maxShards", json!(0)),
        ("abortOnFailure", json!("soon")),
    ] {
        let error = read(&json!({ "json": { option: value } })).expect_err(option);
        assert!(error.contains(option), "{error}");
    }
    let off = json!({ "json": { "unsentDirectory": "", "abortOnFailure": 0, "protocol": "auto" } });
    let mut expected = Destination::default();
    expected.delivery.sender.unsent_directory = None;
    assert_eq!(destination(&off), Ok(expected));
}

#[test]
fn what_is_ignored_or_unsafe_is_a_warning() {
    for (document, warning) in [
        (
            json!({ "environment": { "K6_PROMETHEUS_RW_PASWORD": "x" } }),
            "Ignoring unknown environment variable K6_PROMETHEUS_RW_PASWORD; did you mean K6_PROMETHEUS_RW_PASSWORD?",
        ),
        (
            json!({ "environment": { "K6_PROMETHEUS_RW_TOKEN": "x" } }),
            "Ignoring unknown environment variable K6_PROMETHEUS_RW_TOKEN; did you mean K6_PROMETHEUS_RW_BEARER_TOKEN?",
        ),
        (
            json!({ "json": { "bearerToken": "t", "username": "me", "password": "x" } }),
            "collectors.\"remote-write\".bearerToken (JSON) takes precedence; collectors.\"remote-write\".username (JSON) ignored",
        ),
        (
            json!({ "json": { "username": "me", "headers": { "authorization": "Custom x" } } }),
            "collectors.\"remote-write\".headers (JSON) takes precedence; collectors.\"remote-write\".username (JSON) ignored",
        ),
        (
            json!({ "argument": "https://host/", "json": { "insecureSkipTLSVerify": true } }),
            "TLS certificate verification is disabled for https://host/ by collectors.\"remote-write\".insecureSkipTLSVerify \
             (JSON); set caCertificate to trust a private CA",
        ),
        (
            json!({ "argument": "http://example.com/w", "json": { "bearerToken": "t" } }),
            "Credentials are sent to http://example.com/w unencrypted; use https",
        ),
        (
            json!({ "argument": "http://me:hunter2@example.com/w" }),
            "Credentials are sent to http://example.com/w unencrypted; use https",
        ),
        (
            json!({ "json": { "url": "http://example.com/w", "headers": { "X-Api-Key": "hunter2" } } }),
            "Credentials are sent to http://example.com/w unencrypted; use https",
        ),
        (
            json!({ "argument": "http://example.com/w?token=hunter2" }),
            "Credentials are sent to http://example.com/w?token=*** unencrypted; use https",
        ),
        (
            json!({ "json": { "url": "https://example.com/w", "proxy": "http://me:hunter2@proxy.example.com:3128" } }),
            "Credentials are sent to the proxy http://proxy.example.com:3128 of proxy unencrypted; use a proxy with https",
        ),
        (
            json!({ "environment": { "K6_PROMETHEUS_RW_BEARER_TOKEN": "\"hunter2\"" } }),
            "K6_PROMETHEUS_RW_BEARER_TOKEN (environment) has quotes around a value, which are part of it: remove them unless they \
             are meant",
        ),
        (
            json!({ "json": { "username": "me", "password": "'hunter2'" } }),
            "collectors.\"remote-write\".password (JSON) has quotes around a value, which are part of it: remove them unless they \
             are meant",
        ),
        (
            json!({ "environment": { "K6_PROMETHEUS_RW_HEADERS_X-A": "\"hunter2\"" } }),
            "K6_PROMETHEUS_RW_HEADERS_X-A (environment) has quotes around a value, which are part of it: remove them unless they \
             are meant",
        ),
        (
            json!({ "argument": "http://me:hunter2@localhost/w", "json": { "bearerToken": "t" } }),
            "collectors.\"remote-write\".bearerToken (JSON) takes precedence; the argument of --out ignored",
        ),
        (
            json!({ "json": { "headers": { "Content-Type": "text/plain", "A": "b" } } }),
            "Ignoring Content-Type in collectors.\"remote-write\".headers (JSON): reserved for the protocol",
        ),
        (
            json!({ "json": { "testRunId": "mine" } }),
            "Ignoring collectors.\"remote-write\".testRunId (JSON): includeTestRunId is not set",
        ),
        (
            json!({ "json": { "metrics": ["vus", "größe"] } }),
            "Ignoring \"größe\" in collectors.\"remote-write\".metrics (JSON): not a valid metric name",
        ),
        (
            json!({ "json": { "metrics": ["vus{a=\"b\"}"] } }),
            "Ignoring \"vus{a=\\\"b\\\"}\" in collectors.\"remote-write\".metrics (JSON): not a valid metric name; \
             write a selector as {sourceMetric: '…'}",
        ),
    ] {
        assert_eq!(read(&document).expect("valid").warnings, [warning], "{document}");
    }
}

#[test]
fn loopback_is_not_a_network() {
    for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "api.localhost"] {
        let document = json!({ "argument": format!("http://me:x@{host}/w") });
        assert_eq!(read(&document).expect("valid").warnings, [""; 0], "{host}");
    }
}

/// The options of the only destination that are set.
fn set_options(document: &Value) -> Vec<String> {
    let config = read(document).expect("valid");
    assert_eq!(config.destinations.len(), 1);
    config.destinations[0].set_options.iter().map(ToString::to_string).collect()
}

#[test]
fn options_that_are_set_are_listed_with_their_sources_and_without_secrets() {
    assert_eq!(set_options(&json!({})), [""; 0]);
    let document = json!({
        "argument": "https://me:hunter2@host/w?key=hunter2",
        "environment": {
            "K6_PROMETHEUS_RW_SERVER_URL": "http://other/w",
            "K6_PROMETHEUS_RW_HEADERS_X-Scope-OrgID": "hunter2",
            "K6_PROMETHEUS_RW_TREND_STATS": "avg,p(99)",
            "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s",
            "K6_PROMETHEUS_RW_METRIC_PREFIX": "",
        },
        "json": {
            "headers": { "X-A": "hunter2", "x-scope-orgid": "hunter2", "Host": "hunter2" },
            "resampleRate": 5, "timeout": "7s", "proxy": "http://me:hunter2@proxy",
            "metrics": ["vus", { "sourceMetric": "http_reqs{status=~\"2..?\"}" }],
        },
        "run": { "features": ["native-histograms"] },
    });
    assert_eq!(
        set_options(&document),
        [
            "url=https://host/w?key=*** from the argument of --out",
            "headers=X-A, X-Scope-OrgID from collectors.\"remote-write\".headers (JSON), \
             K6_PROMETHEUS_RW_HEADERS_X-Scope-OrgID (environment)",
            // The length of a window is what the source of the highest precedence has, in whichever option.
            "pushInterval=1s from K6_PROMETHEUS_RW_PUSH_INTERVAL (environment)",
            "metrics=[\"vus\",{\"sourceMetric\":\"http_reqs{status=~\\\"2..?\\\"}\"}] \
             from collectors.\"remote-write\".metrics (JSON)",
            "metricPrefix=\"\" from K6_PROMETHEUS_RW_METRIC_PREFIX (environment)",
            "trendStats=avg,p(99) from K6_PROMETHEUS_RW_TREND_STATS (environment)",
            "timeout=7s from collectors.\"remote-write\".timeout (JSON)",
            "proxy=*** from collectors.\"remote-write\".proxy (JSON)",
            "username=*** from the URL in the argument of --out",
            "password=*** from the URL in the argument of --out",
            "trendAsNativeHistogram=true from k6's feature flag native-histograms",
        ]
    );
    let block = json!([{ "provider": "prometheus", "remoteWriteURL": "https://host/", "sigV4Service": "x" }]);
    let document = json!({
        "script": { "ext": { "apm": block } },
        "environment": {
            "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_SESSION_TOKEN": "hunter2",
            "AWS_DEFAULT_REGION": "eu-west-1", "AWS_PROFILE": "unused",
        },
    });
    assert_eq!(
        set_options(&document),
        [
            "url=https://host/ from options.ext.loadimpact.apm[0].remoteWriteURL (script)",
            "sigV4Service=x from options.ext.loadimpact.apm[0].sigV4Service (script)",
            "sigV4AccessKey=*** from AWS_ACCESS_KEY_ID (environment)",
            "sigV4SecretKey=*** from AWS_SECRET_ACCESS_KEY (environment)",
            "sigV4SessionToken=*** from AWS_SESSION_TOKEN (environment)",
            "sigV4Region=eu-west-1 from AWS_DEFAULT_REGION (environment)",
        ]
    );
}
