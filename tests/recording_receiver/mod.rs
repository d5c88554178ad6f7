//! A receiver on the loopback interface. It records requests of both versions of the protocol, and its test sets the responses.

#![allow(dead_code)] // each test file uses a part of it

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Events, Sender as Event, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use k6_remote_write::wire::Protocol;
use k6_remote_write::wire::proto::v1::{Label, Sample, TimeSeries, WriteRequest};
use k6_remote_write::wire::proto::v2;
use prost::Message;

/// Maximum time that a test waits for an expected event.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// First byte of a TLS handshake. The receiver does not support TLS: its response is 400.
const TLS_HANDSHAKE: u8 = 22;

/// One request, decoded.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    /// Headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The version in the `Content-Type`.
    pub protocol: Protocol,
    /// The request, converted to 1.0.
    pub message: WriteRequest,
    /// The request as it is, for 2.0.
    pub message_v2: Option<v2::Request>,
    pub body: Vec<u8>,
    pub at: Instant,
    /// The status of the response.
    pub status: u16,
    /// True if the receiver has stored all of it.
    pub stored: bool,
}

/// The response to a request. Unless noted, the receiver supports both versions, and a response to 2.0 has the count of written
/// samples.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    /// Status, header name, header value and body.
    With(u16, &'static str, &'static str, &'static str),
    /// A status after a delay.
    Late(Duration, u16),
    /// The status of a receiver of 1.0 that ignores the content type: it decodes nothing of 2.0, and sends no count.
    Unaware(u16),
    /// Status, count of written samples, and body.
    Written(u16, usize, &'static str),
    /// Status, all points reported as written, and body.
    WrittenAll(u16, &'static str),
    /// Status, all points but this many reported as written, and body.
    WrittenAllBut(u16, usize, &'static str),
    /// Resets the connection before the body of the request is read.
    ResetRequest,
    /// Stores the request, and resets the connection in the middle of the response.
    ResetAnswer,
    /// Reads the request, and closes the connection without a response and without storing it.
    Close,
    /// Sends these headers and this body as a server that is not a receiver: stores nothing, and reports nothing as written.
    Other(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Sends a body byte by byte, until the client closes the connection.
    Trickle(u16),
}

pub struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Receives an event for each request.
    recorded: Events<()>,
}

struct Shared {
    requests: Mutex<Vec<Recorded>>,
    replies: Mutex<Replies>,
    event: Mutex<Event<()>>,
    closing: AtomicBool,
}

struct Replies {
    count: usize,
    reply: Box<dyn Fn(usize) -> Reply + Send>,
    /// Replies to the content of a request instead of to its number.
    judge: Option<Judge>,
}

type Judge = Box<dyn Fn(&WriteRequest) -> Reply + Send>;

impl Recorder {
    /// Starts a receiver whose response to a request depends on its content.
    pub fn judge(judge: impl Fn(&WriteRequest) -> Reply + Send + 'static) -> Self {
        let recorder = Self::start(|_| Reply::Status(204));
        recorder.shared.replies.lock().expect("no test panics with it").judge = Some(Box::new(judge));
        recorder
    }

    /// Starts a receiver whose response to request n, counted from 0, is `reply(n)`.
    pub fn start(reply: impl Fn(usize) -> Reply + Send + 'static) -> Self {
        Self::listen("127.0.0.1:0", reply)
    }

    /// Starts a receiver on this address.
    pub fn listen(address: &str, reply: impl Fn(usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).expect("a port is free");
        let address = listener.local_addr().expect("known");
        let (event, recorded) = channel();
        let shared = Arc::new(Shared {
            requests: Mutex::default(),
            replies: Mutex::new(Replies { count: 0, reply: Box::new(reply), judge: None }),
            event: Mutex::new(event),
            closing: AtomicBool::new(false),
        });
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for connection in listener.incoming().flatten() {
                    if shared.closing.load(Ordering::SeqCst) {
                        return;
                    }
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || while serve(&connection, &shared).is_some() {});
                }
            }
        });
        Self { address, shared, recorded }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().expect("no panic while locked").clone()
    }

    /// Waits for `count` requests, and returns all requests so far.
    pub fn await_requests(&self, count: usize) -> Vec<Recorded> {
        let deadline = Instant::now() + PATIENCE;
        while self.requests().len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            self.recorded.recv_timeout(left).unwrap_or_else(|_| panic!("no {count} requests: {:#?}", self.requests()));
        }
        self.requests()
    }

    /// Returns all points that were stored, by series.
    pub fn points(&self) -> BTreeMap<String, Vec<(i64, f64)>> {
        points(self.requests().into_iter().filter(|request| request.stored).map(|request| request.message))
    }
}

impl Drop for Recorder {
    /// Frees the port.
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        // Until the listener is closed, connecting succeeds.
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
    }
}

/// Serves one request of a connection. Returns `None` when the connection has ended.
fn serve(connection: &TcpStream, shared: &Shared) -> Option<()> {
    let head = read_head(connection)?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_string()))
        .collect();
    let reply = shared.replies.lock().ok()?.next();
    if matches!(reply, Reply::ResetRequest) {
        // The system resets a connection that is closed with unread data.
        wait_for_a_byte(connection);
        return None;
    }
    let len = headers.get("content-length")?.parse().ok()?;
    let body = read_body(connection, len, matches!(reply, Reply::ResetAnswer))?;
    let protocol = match headers.get("content-type").map(String::as_str) {
        Some("application/x-protobuf;proto=io.prometheus.write.v2.Request") => Protocol::V2,
        _ => Protocol::V1,
    };
    let (message, message_v2) = match protocol {
        Protocol::V1 => (decode(&body), None),
        Protocol::V2 => {
            let message = v2::Request::decode(&*decompress(&body)).expect("a Request");
            (convert(&message), Some(message))
        }
    };
    let judged = shared.replies.lock().ok()?.judge.as_ref().map(|judge| judge(&message));
    let reply = judged.unwrap_or(reply);
    let samples: usize = message.timeseries.iter().map(|series| series.samples.len()).sum();
    let (status, header, response_body) = match reply {
        Reply::Status(status) | Reply::Late(_, status) | Reply::Unaware(status) | Reply::Trickle(status) => {
            (status, vec![], vec![])
        }
        Reply::With(status, name, value, body) => (status, vec![(name, value.into())], body.into()),
        Reply::Other(status, ref headers, ref body) => (status, headers.clone(), body.clone()),
        Reply::Written(status, _, body) | Reply::WrittenAll(status, body) | Reply::WrittenAllBut(status, _, body) => {
            (status, vec![], body.into())
        }
        Reply::ResetRequest | Reply::ResetAnswer => (204, vec![], vec![]),
        Reply::Close => (0, vec![], vec![]),
    };
    let unaware = matches!(reply, Reply::Unaware(_)) && protocol == Protocol::V2 || matches!(reply, Reply::Other(..));
    shared.requests.lock().ok()?.push(Recorded {
        method: first.next()?.into(),
        path: first.next()?.into(),
        headers,
        protocol,
        message,
        message_v2,
        body,
        at: Instant::now(),
        status,
        stored: status / 100 == 2 && !unaware,
    });
    let _ = shared.event.lock().ok()?.send(());
    let mut response = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in header {
        response += &format!("{name}: {value}\r\n");
    }
    let written = match reply {
        Reply::Written(_, written, _) => Some(written),
        Reply::WrittenAll(..) => Some(samples),
        Reply::WrittenAllBut(_, lost, _) => Some(samples.saturating_sub(lost)),
        Reply::Unaware(_) | Reply::Other(..) => None,
        _ if protocol == Protocol::V2 && matches!(status / 100, 2 | 4) => {
            Some(if status / 100 == 2 { samples } else { 0 })
        }
        _ => None,
    };
    if let Some(written) = written {
        response += &format!("X-Prometheus-Remote-Write-Samples-Written: {written}\r\n");
    }
    let mut connection = connection;
    match reply {
        Reply::Late(pause, _) => thread::sleep(pause),
        Reply::ResetAnswer => {
            connection.write_all(&response.as_bytes()[..response.len() / 2]).ok()?;
            return None;
        }
        Reply::Close => return None,
        Reply::Trickle(_) => {
            connection.write_all(format!("{response}Content-Length: 1000000\r\n\r\n").as_bytes()).ok()?;
            while !shared.closing.load(Ordering::SeqCst) {
                connection.write_all(b".").ok()?;
                thread::sleep(Duration::from_millis(20));
            }
            return None;
        }
        _ => {}
    }
    if status == 204 {
        response += "\r\n";
    } else {
        response += &format!("Content-Length: {}\r\n\r\n", response_body.len());
    }
    // The sender may have given up on a late response.
    connection.write_all(&[response.as_bytes(), &*response_body].concat()).ok()
}

impl Replies {
    fn next(&mut self) -> Reply {
        self.count += 1;
        (self.reply)(self.count - 1)
    }
}

/// Reads up to the empty line, byte by byte, so that the body stays unread.
fn read_head(mut connection: &TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
        if head[0] == TLS_HANDSHAKE {
            connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok()?;
            connection.shutdown(Shutdown::Write).ok()?;
            let _ = connection.read_to_end(&mut head);
            return None;
        }
    }
    String::from_utf8(head).ok()
}

/// Reads the body. With `leave_one` the last byte is awaited but stays unread, so that closing resets the connection.
fn read_body(mut connection: &TcpStream, len: usize, leave_one: bool) -> Option<Vec<u8>> {
    let mut body = vec![0; len];
    let read = len - usize::from(leave_one);
    connection.read_exact(&mut body[..read]).ok()?;
    if leave_one {
        connection.peek(&mut body[read..]).ok()?;
    }
    Some(body)
}

fn wait_for_a_byte(connection: &TcpStream) {
    let _ = connection.peek(&mut [0]);
}

fn decompress(body: &[u8]) -> Vec<u8> {
    snap::raw::Decoder::new().decompress_vec(body).expect("snappy's block format")
}

/// Decompresses and decodes the body of a request of 1.0.
pub fn decode(body: &[u8]) -> WriteRequest {
    WriteRequest::decode(&*decompress(body)).expect("a WriteRequest")
}

/// Converts a request of 2.0 to 1.0.
fn convert(message: &v2::Request) -> WriteRequest {
    let symbol = |index: u32| message.symbols[index as usize].clone();
    let label = |pair: &[u32]| Label { name: symbol(pair[0]), value: symbol(pair[1]) };
    let sample = |sample: &v2::Sample| Sample { value: sample.value, timestamp: sample.timestamp };
    let series = message.timeseries.iter().map(|series| TimeSeries {
        labels: series.labels_refs.chunks(2).map(label).collect(),
        samples: series.samples.iter().map(sample).collect(),
        histograms: series.histograms.clone(),
    });
    WriteRequest { timeseries: series.collect(), metadata: vec![] }
}

/// Returns the points of messages by series, in the order of arrival. Series have PromQL's form: `name{label="value"}`.
pub fn points(messages: impl IntoIterator<Item = WriteRequest>) -> BTreeMap<String, Vec<(i64, f64)>> {
    let mut points: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for series in messages.into_iter().flat_map(|message| message.timeseries) {
        let is_name = |label: &Label| label.name == "__name__";
        let name = series.labels.iter().find(|label| is_name(label)).expect("a name").value.clone();
        let labels: Vec<_> = series.labels.iter().filter(|label| !is_name(label)).collect();
        let labels: Vec<_> = labels.iter().map(|label| format!("{}={:?}", label.name, label.value)).collect();
        let key = if labels.is_empty() { name } else { format!("{name}{{{}}}", labels.join(",")) };
        points.entry(key).or_default().extend(series.samples.iter().map(|sample| (sample.timestamp, sample.value)));
    }
    points
}
