//! A receiver on the loopback interface that records what it gets and answers as its test says.

#![allow(dead_code)] // every test file uses a part of it

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver as Events, Sender as Event, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use k6_remote_write::wire::v1::WriteRequest;
use prost::Message;
use tiny_http::{Header, Response, Server};

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One request, decoded.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub message: WriteRequest,
    pub at: Instant,
    /// What it was answered.
    pub status: u16,
}

/// How to answer a request.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    /// With one header and a body.
    With(u16, &'static str, &'static str, &'static str),
    /// Not before this long.
    Late(Duration, u16),
}

pub struct Recorder {
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
    requests: Arc<Mutex<Vec<Recorded>>>,
    news: Events<()>,
}

impl Recorder {
    /// Starts a receiver that answers its n-th request (from 0 on) with `reply(n)`.
    pub fn start(reply: impl Fn(usize) -> Reply + Send + 'static) -> Self {
        Self::listen("127.0.0.1:0", reply)
    }

    /// The same on a given address.
    pub fn listen(address: &str, reply: impl Fn(usize) -> Reply + Send + 'static) -> Self {
        let server = Arc::new(Server::http(address).expect("a port is free"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (event, news) = channel();
        let thread = std::thread::spawn({
            let (server, requests) = (Arc::clone(&server), Arc::clone(&requests));
            move || serve(&server, &requests, &event, reply)
        });
        Self { server, thread: Some(thread), requests, news }
    }

    pub fn address(&self) -> String {
        self.server.server_addr().to_ip().expect("an IP address").to_string()
    }

    pub fn url(&self) -> String {
        format!("http://{}/api/v1/write", self.address())
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().expect("no test panics with it").clone()
    }

    /// Waits until `count` requests have come, and returns all.
    pub fn await_requests(&self, count: usize) -> Vec<Recorded> {
        let deadline = Instant::now() + PATIENCE;
        while self.requests().len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            self.news.recv_timeout(left).unwrap_or_else(|_| panic!("no {count} requests: {:#?}", self.requests()));
        }
        self.requests()
    }

    /// All points that were answered with success, by series.
    pub fn points(&self) -> BTreeMap<String, Vec<(i64, f64)>> {
        let taken = self.requests().into_iter().filter(|request| request.status / 100 == 2);
        points(taken.map(|request| request.message))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(server: &Server, requests: &Mutex<Vec<Recorded>>, event: &Event<()>, reply: impl Fn(usize) -> Reply) {
    for (number, mut request) in server.incoming_requests().enumerate() {
        let mut body = Vec::new();
        request.as_reader().read_to_end(&mut body).expect("a whole body");
        let reply = reply(number);
        let status = match reply {
            Reply::Status(status) | Reply::With(status, ..) | Reply::Late(_, status) => status,
        };
        let headers = request.headers().iter();
        let recorded = Recorded {
            method: request.method().to_string(),
            path: request.url().to_string(),
            headers: headers
                .map(|header| (header.field.to_string().to_lowercase(), header.value.to_string()))
                .collect(),
            message: decode(&body),
            at: Instant::now(),
            status,
        };
        requests.lock().expect("no test panics with it").push(recorded);
        let _ = event.send(());
        let mut response = Response::from_string("").with_status_code(status);
        match reply {
            Reply::Status(_) => {}
            Reply::With(status, name, value, body) => {
                let header = Header::from_bytes(name, value).expect("a header");
                response = Response::from_string(body).with_status_code(status).with_header(header);
            }
            Reply::Late(pause, _) => std::thread::sleep(pause),
        }
        // The sender may have given up on a late answer.
        let _ = request.respond(response);
    }
}

/// Decompresses and decodes a request's body.
pub fn decode(body: &[u8]) -> WriteRequest {
    let body = snap::raw::Decoder::new().decompress_vec(body).expect("snappy's block format");
    WriteRequest::decode(&*body).expect("a WriteRequest")
}

/// The points of messages by series, which is written as PromQL would: `name{label="value"}`. In the order of arrival.
pub fn points(messages: impl IntoIterator<Item = WriteRequest>) -> BTreeMap<String, Vec<(i64, f64)>> {
    let mut points: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for series in messages.into_iter().flat_map(|message| message.timeseries) {
        let is_name = |label: &k6_remote_write::wire::v1::Label| label.name == "__name__";
        let name = series.labels.iter().find(|label| is_name(label)).expect("a name").value.clone();
        let labels: Vec<_> = series.labels.iter().filter(|label| !is_name(label)).collect();
        let labels: Vec<_> = labels.iter().map(|label| format!("{}={:?}", label.name, label.value)).collect();
        let key = if labels.is_empty() { name } else { format!("{name}{{{}}}", labels.join(",")) };
        points.entry(key).or_default().extend(series.samples.iter().map(|sample| (sample.timestamp, sample.value)));
    }
    points
}
