//! Malicious or broken receivers: whatever they send, time and memory are bounded, and the log is intact.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use k6_remote_write::http::{Client, Credentials, Endpoint, Proxy, Tls};
use k6_remote_write::k6::MetricType;
use k6_remote_write::output::Output;
use k6_remote_write::series::SeriesDefinition;
use k6_remote_write::wire::Protocol;
use serde_json::json;
use url::Url;

/// Maximum time of a request.
const TIMEOUT: Duration = Duration::from_millis(500);

/// More than any system buffers between two sockets, and far less than an endless response sends in the time.
const BUFFERED_BYTES: usize = 16 << 20;

/// Receiver with its own response to every request.
struct Hostile {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    /// Number of bytes written.
    written: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

/// Writer of a response; counts the bytes.
struct ResponseWriter<'a> {
    connection: TcpStream,
    hostile: &'a Hostile,
}

impl Write for ResponseWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.connection.write(bytes)?;
        self.hostile.written.fetch_add(len, Ordering::SeqCst);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.connection.flush()
    }
}

impl Hostile {
    /// Starts a receiver that responds by `respond`, which ends when the client disconnects.
    fn start(respond: impl Fn(&mut ResponseWriter<'_>) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let hostile = || Self {
            address: listener.local_addr().expect("known"),
            requests: Arc::default(),
            written: Arc::default(),
            ended: Arc::default(),
        };
        let started = hostile();
        let serving = Self {
            address: started.address,
            requests: Arc::clone(&started.requests),
            written: Arc::clone(&started.written),
            ended: Arc::clone(&started.ended),
        };
        thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                serving.requests.fetch_add(1, Ordering::SeqCst);
                // Reads a part of the request.
                let _ = connection.read(&mut [0; 4096]);
                let _ = respond(&mut ResponseWriter { connection, hostile: &serving });
                serving.ended.store(true, Ordering::SeqCst);
            }
        });
        started
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/api/v1/write", self.address)
    }

    /// Waits until the response has ended, which it does when the client disconnects.
    fn await_end(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.ended.load(Ordering::SeqCst) {
            assert!(Instant::now() < deadline, "the client is still connected");
            thread::yield_now();
        }
    }
}

/// Sends one request; returns the status, if there is one, and the message for the log.
fn send(url: &str, headers: &[(&str, &str)]) -> (Option<u16>, String) {
    let client = Client::new(&Endpoint {
        url: Url::parse(url).expect("valid").into(),
        timeout: TIMEOUT,
        credentials: Credentials::Bearer("hunter2-is-my-token".into()),
        headers: headers.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
        tls: Tls { skip_verify: true, ..Tls::default() },
        proxy: Proxy::None,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let begin = Instant::now();
    let response = runtime.block_on(client.expect("valid").send(Protocol::V1, Bytes::from_static(b"body")));
    let took = begin.elapsed();
    assert!(took < TIMEOUT * 4, "{took:?}");
    assert!(response.message.chars().count() <= 301, "{}", response.message);
    assert!(!response.message.contains(char::is_control), "{}", response.message);
    (response.status, response.message)
}

/// Writes until the client disconnects.
fn endless(response: &mut ResponseWriter<'_>, bytes: &[u8]) -> io::Result<()> {
    loop {
        response.write_all(bytes)?;
    }
}

#[test]
fn an_endless_response_is_not_read_to_its_end() {
    for head in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    ] {
        let hostile = Hostile::start(move |response| {
            response.write_all(head.as_bytes())?;
            endless(response, &[b'x'; 1 << 16])
        });
        let (status, message) = send(&hostile.url("http"), &[]);
        assert_eq!(status, head[9..12].parse().ok());
        assert_eq!(message, "", "one endless word may be a truncated secret");
        hostile.await_end();
        let written = hostile.written.load(Ordering::SeqCst);
        assert!(written < BUFFERED_BYTES, "{written}");
    }
}

#[test]
fn endless_headers_are_not_kept() {
    for line in ["X-Name: value\r\n", "X-One: "] {
        let hostile = Hostile::start(move |response| {
            response.write_all(b"HTTP/1.1 200 OK\r\n")?;
            endless(response, line.repeat(1000).as_bytes())
        });
        let (status, message) = send(&hostile.url("http"), &[]);
        assert_eq!(status, None);
        assert!(!message.is_empty());
        hostile.await_end();
        let written = hostile.written.load(Ordering::SeqCst);
        assert!(written < BUFFERED_BYTES, "{written}");
    }
}

#[test]
fn a_response_that_never_completes_times_out() {
    for head in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 503 Unavailable\r\nContent-Length: 4096\r\n\r\n"] {
        let hostile = Hostile::start(move |response| {
            response.write_all(head.as_bytes())?;
            loop {
                response.write_all(b"H")?;
                thread::sleep(Duration::from_millis(20));
            }
        });
        let (status, _) = send(&hostile.url("http"), &[]);
        assert_eq!(status, head.ends_with("\r\n\r\n").then_some(503));
        hostile.await_end();
    }
}

#[test]
fn garbage_is_not_a_response() {
    for scheme in ["http", "https"] {
        for garbage in [&b"\x15\x03\x01\x00\x02\x02\x28"[..], b"HTTP/9.9 OK\r\n\r\n", b"\0\xff\xfe\x80 \n\n\n", b""] {
            let hostile = Hostile::start(move |response| response.write_all(garbage));
            let (status, message) = send(&hostile.url(scheme), &[]);
            assert_eq!(status, None, "{scheme} {garbage:?}");
            let is_failure = message.starts_with("error sending request") || scheme == "https" && !message.is_empty();
            assert!(is_failure, "{scheme} {garbage:?}: {message}");
        }
        let hostile = Hostile::start(|response| endless(response, &[0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc]));
        assert_eq!(send(&hostile.url(scheme), &[]).0, None);
        hostile.await_end();
    }
}

#[test]
fn compressed_responses_are_not_requested_and_binary_ones_not_shown() {
    let requested = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&requested);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}/", listener.local_addr().expect("known"));
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let len = connection.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..len]).to_lowercase();
            seen.store(request.contains("accept-encoding"), Ordering::SeqCst);
            // gzip of 64 zero bytes
            let body = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x63\x60\xa0\x3d\0\0\xb9\xa8\x36\x75\x40\0\0\0";
            let head = format!("HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = connection.write_all(&[head.as_bytes(), body].concat());
        }
    });
    let (status, message) = send(&url, &[]);
    assert_eq!(status, Some(400));
    assert_eq!(message, "response body that is not text");
    assert!(!requested.load(Ordering::SeqCst));
}

#[test]
fn a_compressed_response_is_decompressed_within_bounds() {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(b"too old hunter2-is-my-token ").expect("to memory");
    encoder.write_all(&vec![b' '; 64 << 20]).expect("to memory");
    encoder.write_all(b"never read").expect("to memory");
    let bomb = encoder.finish().expect("to memory");
    let hostile = Hostile::start(move |response| {
        response.write_all(b"HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\n\r\n")?;
        response.write_all(&bomb)?;
        endless(response, b"x")
    });
    assert_eq!(send(&hostile.url("http"), &[]), (Some(400), "too old ***".into()));
    hostile.await_end();
}

#[test]
fn a_redirect_and_a_web_page_reveal_no_secrets() {
    for (head, body, shown) in [
        ("301 Moved\r\nLocation: /a/hunter2-is-my-token?b=hunter2-is-my-token", "", "redirect to /a/***?b=***"),
        (
            "301 Moved\r\nLocation: http://hunter2-is-my-token@other/a\u{202e}",
            "",
            "redirect to http://other/a%E2%80%AE",
        ),
        (
            "200 OK\r\nContent-Type: text/html",
            "<title>hunter2-is-my&#45;token \u{202e}&#27; hunter2-is-my-token</title>",
            "web page \"*** ***\"",
        ),
        ("400 No\r\nContent-Type: text/html", "<p>hunter2<!-- -->-is-my-token hunter2-is-my-<b>token", "*** ***"),
        ("400 No", "two  spaces two spaces", "*** ***"),
    ] {
        let hostile = Hostile::start(move |response| {
            response.write_all(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
        });
        let headers = [("X-Key", "two  spaces"), ("X-Other", "two spaces")];
        assert_eq!(send(&hostile.url("http"), &headers).1, shown, "{head}");
    }
}

#[test]
fn circular_redirects_end() {
    let hostile = Hostile::start(|response| {
        response
            .write_all(b"HTTP/1.1 307 Again\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    assert_eq!(send(&hostile.url("http"), &[]).0, Some(307));
    let requests = hostile.requests.load(Ordering::SeqCst);
    assert!((2..=10).contains(&requests), "{requests}");
}

#[test]
fn a_redirect_to_another_receiver_is_never_followed() {
    let other = Hostile::start(|response| response.write_all(b"HTTP/1.1 204 Accepted\r\n\r\n"));
    let port = other.address.port();
    // Another port, scheme and name.
    for location in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("//127.0.0.1:{port}/"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let location = location.clone();
            let hostile = Hostile::start(move |response| {
                let head = format!("HTTP/1.1 {status} There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
                response.write_all(head.as_bytes())
            });
            assert_eq!(send(&hostile.url("http"), &[("X-Key", "hunter2-key")]).0, Some(status));
        }
    }
    assert_eq!(other.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn a_response_cannot_forge_log_lines_or_reveal_secrets() {
    let hostile = Hostile::start(|response| {
        let body = "no\r\ntime=now level=info msg=\"all is well\"\u{202e}\u{1b}[2J hunter2-is-my-token \
                    Bearer hunter2-is-my-token aHVudGVyMi1pcy1teS10b2tlbg== X-Key: hunter2-key";
        response.write_all(format!("HTTP/1.1 400 No\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
    });
    let (_, message) = send(&hostile.url("http"), &[("X-Key", "hunter2-key")]);
    assert_eq!(message, "no time=now level=info msg=\"all is well\" [2J *** Bearer *** *** X-Key: ***");
}

#[test]
fn a_truncated_secret_is_not_shown() {
    // 4096 bytes are read: all but the last four of the secret.
    let hostile = Hostile::start(|response| {
        let padding = " ".repeat(4096 - "no: hunter2-is-my-t".len());
        let body = format!("{padding}no: hunter2-is-my-token");
        response.write_all(format!("HTTP/1.1 400 No\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
    });
    assert_eq!(send(&hostile.url("http"), &[]).1, "no:");
}

/// The whole output, from open to close, as k6 uses it.
#[test]
fn close_returns_in_time_whatever_the_response() {
    type Respond = fn(&mut ResponseWriter<'_>) -> io::Result<()>;
    let responses: [(&str, Respond); 5] = [
        ("endless interim responses", |response| endless(response, b"HTTP/1.1 103 Early Hints\r\n\r\n")),
        ("endless headers", |response| {
            response.write_all(b"HTTP/1.1 200 OK\r\n")?;
            endless(response, b"X: ")
        }),
        ("an endless body", |response| {
            response.write_all(b"HTTP/1.1 503 No\r\n\r\n")?;
            endless(response, &[b' '; 1 << 16])
        }),
        ("an endless pause", |response| {
            response.write_all(b"HTTP/1.1 429 No\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n")
        }),
        ("silence", |response| response.connection.read(&mut [0; 1 << 16]).map(|_| thread::sleep(TIMEOUT * 20))),
    ];
    thread::scope(|scope| {
        for (name, respond) in responses {
            scope.spawn(move || {
                let hostile = Hostile::start(respond);
                let options = json!({ "pushInterval": "100ms", "timeout": "300ms", "flushTimeout": "500ms", "unsentDirectory": "" });
                let document = json!({ "argument": hostile.url("http"), "json": options }).to_string();
                let output = Output::open(document.as_bytes()).expect("valid");
                output.register(SeriesDefinition::new("c", MetricType::Counter)).expect("open");
                while hostile.requests.load(Ordering::SeqCst) == 0 {
                    thread::yield_now();
                }
                let begin = Instant::now();
                output.close().expect("open");
                let took = begin.elapsed();
                // The flush timeout, and the grace period of the sender.
                assert!(took < Duration::from_secs(15), "{name}: {took:?}");
            });
        }
    });
}
