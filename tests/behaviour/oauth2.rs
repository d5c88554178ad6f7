//! OAuth 2.0 client credentials: tokens of a token endpoint, and what it may answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use k6_remote_write::k6::{MetricType, Sample};
use k6_remote_write::output::{OpenError, Output};
use k6_remote_write::series::SeriesDefinition;
use serde_json::{Value, json};

use crate::outputs::{await_event, close, count};
use crate::recording_receiver::{Recorder, Reply};

/// As a secret may be: with every kind of character that an encoding changes.
const SECRET: &str = "hunter~2 +&=%é\"<";

/// A token endpoint.
struct Endpoint {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    /// Starts an endpoint whose answer to request n, counted from 0, is `answer(n, request)`; an answer without a status does not
    /// come.
    fn start(answer: impl Fn(usize, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/tenant/oauth2/token", listener.local_addr().expect("known"));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let Some(request) = read(&mut connection) else { continue };
                let number = seen.lock().expect("not poisoned").len();
                let (status, body) = answer(number, &request);
                seen.lock().expect("not poisoned").push(request);
                let head =
                    format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = connection.write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { url, requests }
    }

    fn count(&self) -> usize {
        self.requests.lock().expect("not poisoned").len()
    }
}

fn read(connection: &mut TcpStream) -> Option<String> {
    let (mut request, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let len = connection.read(&mut buffer).ok().filter(|&len| len > 0)?;
        request += &String::from_utf8_lossy(&buffer[..len]);
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        if length.is_some_and(|length: usize| body.len() >= length) {
            return Some(request);
        }
    }
}

fn token(token: &str, expires_in: u64) -> (u16, String) {
    (200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in }).to_string())
}

fn open(receiver: &str, endpoint: &Endpoint, more: Value) -> Result<Output, OpenError> {
    let mut json = json!({
        "pushInterval": "100ms", "timeout": "2s", "flushTimeout": "3s", "selfMetrics": false, "unsentDirectory": "",
        "oauth2ClientId": "k6 id", "oauth2ClientSecret": SECRET, "oauth2TokenUrl": endpoint.url,
    });
    for (name, value) in more.as_object().expect("an object") {
        json[name] = value.clone();
    }
    Output::open(json!({ "argument": receiver, "json": json }).to_string().as_bytes())
}

/// Pushes samples for a time.
fn push(output: &Output, for_ms: u64) {
    let series = output.register(SeriesDefinition::new("c", MetricType::Counter)).expect("open");
    for _ in 0..for_ms / 50 {
        output.push(&[Sample { series, time_ms: 0, value: 1.0 }]).expect("open");
        thread::sleep(Duration::from_millis(50));
    }
}

fn authorizations(receiver: &Recorder) -> Vec<String> {
    receiver.requests().iter().map(|request| request.headers["authorization"].clone()).collect()
}

#[test]
fn a_token_is_fetched_once_and_sent_with_every_request() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let endpoint = Endpoint::start(|_, _| token("t0ken", 3600));
    let more = json!({
        "oauth2Scopes": ["https://monitor.azure.com/.default", "b"],
        "oauth2EndpointParams": { "audience": "a b" },
    });
    let output = open(&receiver.url(), &endpoint, more).expect("valid");
    push(&output, 400);
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"));
    let sent = authorizations(&receiver);
    assert!(sent.len() > 2 && sent.iter().all(|value| value == "Bearer t0ken"), "{sent:?}");
    let requests = endpoint.requests.lock().expect("not poisoned").clone();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let (head, body) = requests[0].split_once("\r\n\r\n").expect("whole");
    assert!(head.starts_with("POST /tenant/oauth2/token HTTP/1.1\r\n"), "{head}");
    // Both form-encoded, then as basic authentication: RFC 6749, section 2.3.1.
    assert!(
        head.contains("authorization: Basic azYraWQ6aHVudGVyJTdFMislMkIlMjYlM0QlMjUlQzMlQTklMjIlM0M=\r\n"),
        "{head}"
    );
    assert_eq!(body, "grant_type=client_credentials&scope=https%3A%2F%2Fmonitor.azure.com%2F.default+b&audience=a+b");
}

#[test]
fn a_token_is_renewed_before_its_end_and_when_it_is_rejected() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let endpoint = Endpoint::start(|number, _| token(&format!("t{number}"), 1));
    let output = open(&receiver.url(), &endpoint, json!({})).expect("valid");
    push(&output, 1500);
    close(&output);
    let sent = authorizations(&receiver);
    assert!(sent.contains(&"Bearer t0".into()) && sent.contains(&"Bearer t1".into()), "{sent:?}");

    // The second request, and so its token, is rejected.
    let receiver = Recorder::start(|number| Reply::Status(if number == 1 { 401 } else { 204 }));
    let endpoint = Endpoint::start(|number, _| token(&format!("t{number}"), 3600));
    let output = open(&receiver.url(), &endpoint, json!({})).expect("valid");
    push(&output, 600);
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    assert_eq!(endpoint.count(), 2);
    let sent = authorizations(&receiver);
    assert_eq!(sent[..3], ["Bearer t0", "Bearer t0", "Bearer t1"]);
}

#[test]
fn an_endpoint_may_want_the_secret_in_the_body() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let endpoint =
        Endpoint::start(|_, request| match request.contains("client_secret=hunter%7E2+%2B%26%3D%25%C3%A9%22%3C") {
            true => token("t", 1),
            false => (401, r#"{"error":"invalid_client"}"#.into()),
        });
    let output = open(&receiver.url(), &endpoint, json!({})).expect("valid");
    push(&output, 800);
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
    let requests = endpoint.requests.lock().expect("not poisoned").clone();
    assert_eq!(requests.iter().filter(|request| request.contains("authorization: Basic")).count(), 1, "{requests:#?}");
}

#[test]
fn what_the_endpoint_answers_is_explained_without_secrets() {
    let description = format!(r#"AADSTS7000215: Invalid client secret provided: {}"#, SECRET.replace('"', "\\\""));
    for (answer, error, hint) in [
        (
            (401, format!(r#"{{"error":"invalid_client","error_description":"{description}"}}"#)),
            "invalid_client",
            "oauth2ClientSecret",
        ),
        ((400, r#"{"error":"invalid_scope"}"#.into()), "status 400 Bad Request: invalid_scope", "oauth2Scopes"),
        ((404, format!("<html>no {SECRET}</html>")), "status 404", "oauth2TokenUrl"),
        ((200, format!("<html>log in {SECRET}</html>")), "not a JSON object", "oauth2TokenUrl"),
        ((503, String::new()), "status 503", "retried"),
    ] {
        let receiver = Recorder::start(|_| Reply::Status(204));
        let endpoint = Endpoint::start(move |_, _| answer.clone());
        let output = open(&receiver.url(), &endpoint, json!({ "flushTimeout": "300ms" })).expect("valid");
        push(&output, 100);
        let event = await_event(&output);
        let field = |name: &str| event.fields.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
        let (message, advice) = (field("error"), field("hint"));
        assert!(message.starts_with("no token from http://127.0.0.1") && message.contains(error), "{event:?}");
        assert!(advice.contains(hint), "{event:?}");
        let report = close(&output).to_string();
        for text in [format!("{event:?}"), report] {
            assert!(!text.contains("hunter"), "{text}");
        }
        assert!(receiver.requests().is_empty(), "nothing is sent without a token");
    }
}

#[test]
fn samples_wait_until_the_endpoint_answers() {
    let receiver = Recorder::start(|_| Reply::Status(204));
    let endpoint = Endpoint::start(|number, _| if number < 2 { (503, String::new()) } else { token("t", 3600) });
    let output = open(&receiver.url(), &endpoint, json!({ "flushTimeout": "20s" })).expect("valid");
    push(&output, 200);
    let report = close(&output);
    assert_eq!(count(&report, "points_sent"), count(&report, "points"), "{report:#}");
}

#[test]
fn options_that_are_missing_or_exclude_each_other_are_reported() {
    let problem = |json: Value| {
        let document = json!({ "argument": "http://127.0.0.1:1/", "json": json }).to_string();
        Output::open(document.as_bytes()).err().expect("invalid").to_string()
    };
    let missing = problem(json!({ "oauth2ClientId": "k6" }));
    assert!(missing.contains("OAuth 2.0 also requires oauth2ClientSecret and oauth2TokenUrl"), "{missing}");
    let whole = json!({
        "oauth2ClientId": "k6", "oauth2ClientSecret": SECRET, "oauth2TokenUrl": "https://id.test/token", "bearerToken": "t",
    });
    let both = problem(whole);
    assert!(both.contains("mutually exclusive") && !both.contains("hunter"), "{both}");
    let url = problem(json!({ "oauth2ClientId": "k6", "oauth2ClientSecret": SECRET, "oauth2TokenUrl": SECRET }));
    assert!(url.contains("must be an absolute http or https URL") && !url.contains("hunter"), "{url}");
}
