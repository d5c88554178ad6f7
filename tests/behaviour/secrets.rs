//! No secret is shown: every option that may hold one, in every source and of every wrong kind, and receivers and proxies that
//! repeat what they get in every form. Errors, events, reports, descriptions, `Debug` texts and unsent files are searched.

use std::fmt::Debug;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use k6_remote_write::config::{Config, Document, options};
use k6_remote_write::k6::{MetricType, Sample};
use k6_remote_write::output::Output;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::unsent::{Reader, export};
use serde_json::{Value, json};

/// Secrets with every odd character. No eight characters of one occur elsewhere.
const SECRETS: [&str; 9] = [
    "Zq7hV2xK9mPw4RtB",
    "Jn5  cY8d\tL3sG  f6TuX",
    "\"k4W&<b8Qv>'p2N",
    "r9@X:j3/M?z6#T%d1,k8Wq4=Zn2",
    "e5+H=v7%20R%2Fs8&amp;g4",
    "\\u0041\\n\\\\B6y\\\"K0w\\",
    "{\"o7\":[\"F3\",\"C9x\"]}",
    "-----x8Dk2Lq5Vn0",
    "9046173825",
];

/// Those that cannot be in a header.
const NOT_ASCII: [&str; 2] = ["pä€s😀w\u{fc}rd-5Ty7", "a1\u{202e}B2\u{e0041}c3\nD4"];

/// Secrets of a few characters, which must not be shown where they stand alone.
const SHORT: [&str; 3] = ["x", "7Q", "&z~"];

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// As in a URL, with only what must be encoded.
fn in_url(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!$'()*,;+".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn in_json(text: &str) -> String {
    let text = Value::from(text).to_string();
    text[1..text.len() - 1].into()
}

/// As Go's `encoding/json` and PHP write it.
fn in_ascii_json(text: &str) -> String {
    let text = in_json(text).replace('/', "\\/");
    text.chars().map(|c| if c.is_ascii() && !"<>&".contains(c) { c.into() } else { units(c) }).collect()
}

fn units(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn in_html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&#34;").replace('\'', "&#39;")
}

/// All forms in which a text would show a secret.
fn forms(secret: &str) -> Vec<String> {
    let one_line = secret.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut forms =
        vec![secret.to_string(), one_line, format!("{secret:?}"), percent(secret), percent(secret).to_lowercase()];
    forms.extend([in_url(secret), in_json(secret), in_ascii_json(secret), in_html(secret), in_json(&in_html(secret))]);
    for before in ["", "x", "xx"] {
        let encoded = BASE64_STANDARD.encode(format!("{before}{secret}"));
        // Without characters that depend on adjacent bytes.
        let inner = encoded.trim_end_matches('=');
        forms.push(inner[(before.len() * 2).min(inner.len())..inner.len().saturating_sub(1)].into());
    }
    forms.retain(|form| form.len() > 1);
    forms
}

/// Checks that no eight characters of a form of a secret are in a text.
fn expect_no_secret(secrets: &[&str], context: &dyn Debug, text: &str) {
    for secret in secrets {
        for form in forms(secret) {
            let chars: Vec<_> = form.char_indices().map(|(at, _)| at).chain([form.len()]).collect();
            for ends in chars.windows(9.min(chars.len())) {
                let part = &form[ends[0]..ends[ends.len() - 1]];
                assert!(!text.contains(part) || is_usual(part), "{context:?} shows {part:?} of {secret:?}: {text}");
            }
        }
    }
}

/// Reports whether a part of a secret also occurs in other text, such as a few dashes.
fn is_usual(part: &str) -> bool {
    part.chars().all(|c| c == '-')
}

/// Everything that a user might write in place of an option's value, with the secret in it.
fn wrong_values(secret: &str) -> Vec<Value> {
    let encoded = in_url(secret);
    vec![
        json!(secret),
        json!([secret]),
        json!([[secret], { "a": secret }]),
        json!({ "value": secret }),
        json!({ "X-Key": [secret] }),
        json!({ secret: secret }),
        json!(format!("me:{secret}")),
        json!(format!("Bearer {secret}")),
        json!(format!("\"{secret}\"")),
        json!(format!("{secret}\n")),
        json!(format!("{secret}\n{secret}")),
        json!(format!("a b: {secret}")),
        json!(format!("https://me:{secret}@host/w")),
        json!(format!("https://me:{encoded}@ho st/w")),
        json!(format!("ftp://me:{encoded}@host/w")),
        json!(format!("me:{secret}@host:1")),
        json!(format!("https://me:1?{secret}@host/w")),
        json!(format!("https//host/w?token={secret}")),
        json!(format!("https://host:x/{secret}#{secret}")),
        json!(format!("/run/{secret}/{secret}")),
        json!(secret.parse::<u64>().unwrap_or(7)),
    ]
}

fn block(option: &str, value: &Value) -> Value {
    let mut block = json!({ "provider": "prometheus", "remoteWriteURL": "https://host/", "resampleRate": 99 });
    match option.split_once('.') {
        Some((object, field)) => block[object] = json!({ field: value }),
        None => block[option] = value.clone(),
    }
    json!({ "ext": { "apm": [block] } })
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// Documents with a value in every source, also where no value belongs. Each has a second mistake, so that none is valid.
fn documents(value: &Value) -> Vec<Value> {
    let text = as_text(value);
    let variable = |name: &str| json!({ "environment": { name: text, "K6_PROMETHEUS_RW_RESAMPLE_RATE": "99" } });
    let mut documents = vec![
        json!({ "argument": text, "json": { "resampleRate": 99 } }),
        json!({ "argument": value, "json": { "resampleRate": 99 } }),
        json!({ "environment": { "K6_PROMETHEUS_RW_PASSWORD": value }, "json": { "resampleRate": 99 } }),
        variable("K6_PROMETHEUS_RW_HEADERS_X-Key"),
        variable("K6_PROMETHEUS_RW_HEADERS_Authorization"),
        variable("AWS_SECRET_ACCESS_KEY"),
        variable("AWS_SHARED_CREDENTIALS_FILE"),
        // Only a profile that is named must be in the file.
        json!({ "environment": {
            "AWS_SHARED_CREDENTIALS_FILE": text, "K6_PROMETHEUS_RW_SIGV4_REGION": "r", "K6_PROMETHEUS_RW_SIGV4_PROFILE": "p",
        } }),
    ];
    for option in options().filter(|option| option.is_hidden()) {
        documents.push(json!({ "json": { option.name: value, "resampleRate": 99 } }));
        for name in [option.name, "passwrod"] {
            documents.push(json!({ "argument": format!("resampleRate=99,{name}={text}") }));
        }
        documents.extend(option.variables().map(|name| variable(&name)));
        documents.push(json!({ "script": block(option.script_name(), value) }));
    }
    if !value.is_object() {
        documents.extend([
            json!({ "json": value }),
            json!({ "environment": value }),
            json!({ "script": value }),
            json!({ "script": { "ext": value, "cloud": { "apm": value } } }),
            json!({ "script": { "ext": { "apm": [value] } } }),
            json!({ "script": block("credentials", value) }),
            json!({ "run": value }),
            json!({ "run": { "tags": value } }),
            value.clone(),
        ]);
    }
    documents
}

#[test]
fn no_invalid_configuration_shows_a_secret() {
    let mut tried = 0;
    for (number, secret) in SECRETS.iter().chain(&NOT_ASCII).enumerate() {
        // Every value is tried with two secrets at least.
        for value in wrong_values(secret).iter().skip(number % 5).step_by(5) {
            for document in documents(value) {
                if let Err(error) = Output::open(document.to_string().as_bytes()) {
                    expect_no_secret(&[secret], &document, &format!("{error} {error:?}"));
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 2000, "{tried}");
}

/// A form in which a server repeats a text.
type Repeat = (&'static str, fn(&str) -> Vec<u8>);

const REPEATS: [Repeat; 9] = [
    ("plain", |text| text.into()),
    ("JSON", |text| format!("{{\"error\":\"{}\"}}", in_json(text)).into()),
    ("ASCII JSON", |text| format!("{{\"error\":\"{}\"}}", in_ascii_json(text)).into()),
    ("HTML", |text| format!("<html><title>No</title><pre>{}</pre>", in_html(text)).into()),
    ("HTML in JSON", |text| format!("[\"{}\"]", in_json(&in_html(text))).into()),
    ("percent", |text| percent(text).into()),
    ("a form", |text| text.replace(' ', "+").into()),
    ("base64", |text| BASE64_STANDARD.encode(text).into()),
    ("base64 for URLs", |text| BASE64_URL_SAFE_NO_PAD.encode(text).into()),
];

/// Starts a server that responds to everything with what it got, in a form, with each line of the head alone and all together.
fn start_repeating(status: &'static str, repeat: fn(&str) -> Vec<u8>, compress: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("known");
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || while respond(&connection, status, repeat, compress).is_some() {});
        }
    });
    address
}

fn respond(mut connection: &TcpStream, status: &str, repeat: fn(&str) -> Vec<u8>, compress: bool) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut head = Vec::new();
    let mut len = 0;
    loop {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then_some(())?;
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            break;
        }
        if let Some((_, value)) = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            len = value.parse().ok()?;
        }
        head.push(line.to_string());
    }
    reader.take(len).read_to_end(&mut Vec::new()).ok()?;

    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut said = vec![decoded(&head[0]), head[0].clone()];
    for line in &head[1..] {
        let (_, value) = line.split_once(": ")?;
        let credentials = value.split_once(' ').map_or(value, |(_, credentials)| credentials);
        said.extend(BASE64_STANDARD.decode(credentials).ok().and_then(|decoded| String::from_utf8(decoded).ok()));
        said.push(value.into());
    }
    let mut body: Vec<u8> = said.iter().flat_map(|said| [repeat(said), b"; ".to_vec()].concat()).collect();
    let mut extra = format!("Location: https://other.example/?{}\r\n", in_url(&said.join("&")));
    if compress {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&body).ok()?;
        body = encoder.finish().ok()?;
        extra += "Content-Encoding: gzip\r\n";
    }
    let head = format!("HTTP/1.1 {status}\r\n{extra}Content-Length: {}\r\n\r\n", body.len());
    connection.write_all(&[head.as_bytes(), &body].concat()).ok()
}

/// The options of a destination for each way to send a secret.
fn destinations(secret: &str, server: SocketAddr, files: &Path) -> Vec<(String, Value)> {
    let (url, encoded) = (format!("http://{server}/w"), in_url(secret));
    let file = |name: &str, text: &str| {
        let path = files.join(name);
        fs::write(&path, text).expect("written");
        path
    };
    let in_file = file("secret", secret);
    let mut destinations = vec![
        (url.clone(), json!({ "username": "me", "password": secret })),
        (format!("http://me:{encoded}@{server}/w"), json!({})),
        (format!("http://:{encoded}@{server}/w"), json!({})),
        (format!("http://{encoded}@{server}/w"), json!({})),
        (format!("http://{server}/w?token={encoded}&x"), json!({})),
        (format!("http://{server}/w?{encoded}"), json!({})),
        // A segment that is a secret has at least one character that words have not.
        (format!("http://{server}/{encoded}0/w"), json!({})),
        (
            url.clone(),
            json!({ "sigV4Region": "r", "sigV4AccessKey": "AKID", "sigV4SecretKey": "k", "sigV4SessionToken": secret }),
        ),
        ("http://receiver.example/w".into(), json!({ "proxy": format!("http://me:{encoded}@{server}") })),
        ("https://receiver.example/w".into(), json!({ "proxy": format!("http://me:{encoded}@{server}") })),
    ];
    if secret.is_ascii() && !secret.contains(char::is_control) {
        destinations.extend([
            (url.clone(), json!({ "username": "me", "passwordFile": in_file })),
            (url.clone(), json!({ "bearerToken": secret })),
            (url.clone(), json!({ "bearerTokenFile": in_file })),
            (url.clone(), json!({ "headers": { "X-Api-Key": secret } })),
            (url, json!({ "headers": { "Authorization": format!("Custom {secret}") } })),
        ]);
    }
    destinations
}

/// Runs an output with these destinations, until each has failed or timed out. Returns all that it shows.
fn run(destinations: &[(String, Value)], unsent: &Path) -> String {
    let blocks: Vec<_> = destinations
        .iter()
        .map(|(url, options)| {
            let mut block = json!({
                "provider": "prometheus", "remoteWriteURL": url, "flushTimeout": "300ms", "timeout": "2s", "unsentDirectory": unsent,
                // Without the system's CAs, which take long to load.
                "insecureSkipTLSVerify": true,
            });
            for (name, value) in options.as_object().expect("an object") {
                match options_of_credentials(name) {
                    Some(field) => block["credentials"][field] = value.clone(),
                    None => block[name] = value.clone(),
                }
            }
            block
        })
        .collect();
    let document = json!({ "script": { "ext": { "apm": blocks } } });
    let output = match Output::open(document.to_string().as_bytes()) {
        Ok(output) => output,
        Err(error) => panic!("{error}"),
    };
    let config = Config::read(&Document::parse(document.to_string().as_bytes()).expect("a document"));
    let mut shown = format!("{config:?} {}", output.description());
    let series = output.register(SeriesDefinition::new("http_reqs", MetricType::Counter)).expect("open");
    output.push(&[Sample { series, time_ms: 1_700_000_000_000, value: 1.0 }]).expect("open");
    shown += output.close().expect("open");
    for file in fs::read_dir(unsent).expect("a directory") {
        let path = file.expect("a file").path();
        shown += &String::from_utf8_lossy(&fs::read(&path).expect("readable"));
        let mut reader = Reader::open(&path).expect("a file of unsent samples");
        let mut text = Vec::new();
        export(&mut reader, &mut text).expect("to memory");
        shown += &format!("{:?} {}", reader.header(), String::from_utf8(text).expect("text"));
    }
    shown
}

/// The name of an option in the credentials of a block.
fn options_of_credentials(option: &str) -> Option<&'static str> {
    options().find(|known| known.name == option)?.script_name().strip_prefix("credentials.")
}

/// How a server that repeats what it gets responds, with and without compression.
const STATUSES: [(&str, bool); 5] =
    [("400 No", false), ("503 No", true), ("407 No", false), ("200 OK", false), ("302 No", true)];

#[test]
fn no_server_that_repeats_what_it_gets_makes_the_output_show_a_secret() {
    let secrets: Vec<_> = SECRETS.into_iter().chain(NOT_ASCII).enumerate().collect();
    thread::scope(|scope| {
        for (number, (name, repeat)) in REPEATS.into_iter().enumerate() {
            let secrets = &secrets;
            scope.spawn(move || {
                let servers = STATUSES.map(|(status, compress)| start_repeating(status, repeat, compress));
                for (secret_number, secret) in secrets {
                    // Every form meets every status, with some secrets.
                    let chosen = (number + secret_number) % STATUSES.len();
                    let directories = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
                    let destinations = destinations(secret, servers[chosen], directories[0].path());
                    let shown = run(&destinations, directories[1].path());
                    expect_no_secret(&[secret], &(name, STATUSES[chosen]), &shown);
                    assert!(chosen != 0 || shown.contains("***"), "{name}: nothing was repeated: {shown}");
                }
            });
        }
    });
}

#[test]
fn a_short_secret_is_not_shown_where_it_stands_alone() {
    for (name, repeat) in REPEATS.iter().filter(|(name, _)| !name.contains("percent")) {
        for secret in SHORT {
            let server = start_repeating("400 No", *repeat, false);
            let files = tempfile::tempdir().expect("a directory");
            let options = json!({ "username": "me", "password": secret });
            let shown = run(&[(format!("http://{server}/w"), options)], files.path());
            for alone in [format!("me:{secret};"), format!("me:{};", in_json(secret)), format!(":{};", in_html(secret))]
            {
                assert!(!shown.contains(&alone), "{name} {secret}: {shown}");
            }
        }
    }
}
