//! Secrets in files that are replaced while requests are sent.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use k6_remote_write::http::{Client, Credentials, Endpoint, Proxy, SecretSource, Tls};
use k6_remote_write::wire::Protocol;
use tempfile::TempDir;
use url::Url;

use crate::recording_receiver::{Recorder, Reply};

/// A user name and a password in files.
struct Files(TempDir);

impl Files {
    fn new(username: &str, password: &str) -> Self {
        let files = Self(tempfile::tempdir().expect("a directory"));
        write(files.0.path(), "username", username);
        write(files.0.path(), "password", password);
        files
    }

    fn client(&self, receiver: &Recorder) -> Client {
        let file = |name: &str| SecretSource::File(self.0.path().join(name).into());
        Client::new(&Endpoint {
            url: Url::parse(&receiver.url()).expect("valid").into(),
            timeout: Duration::from_secs(5),
            credentials: Credentials::Basic { username: file("username"), password: Some(file("password")) },
            headers: Vec::new(),
            tls: Tls { skip_verify: true, ..Tls::default() },
            proxy: Proxy::None,
        })
        .expect("valid")
    }
}

fn write(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).expect("written");
}

/// Sends one request without points, and returns its status.
fn send(client: &Client) -> Option<u16> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(client.send(Protocol::V1, Bytes::from_static(&[0]))).status
}

fn sent(receiver: &Recorder) -> Vec<String> {
    let decoded = |header: &str| BASE64_STANDARD.decode(header.strip_prefix("Basic ")?).ok();
    let pair = |header: &String| String::from_utf8(decoded(header).expect("base64")).expect("text");
    receiver.requests().iter().map(|request| pair(&request.headers["authorization"])).collect()
}

#[test]
fn a_request_between_the_replacement_of_two_files_is_sent_again() {
    for status in [401, 403] {
        for late in [Duration::ZERO, Duration::from_millis(100)] {
            let files = Files::new("new", "old");
            let directory = files.0.path().to_path_buf();
            let receiver = Recorder::start(move |request| {
                if request == 0 {
                    let directory = directory.clone();
                    let replace = move || {
                        thread::sleep(late);
                        write(&directory, "password", "new");
                    };
                    if late.is_zero() {
                        replace()
                    } else {
                        drop(thread::spawn(replace))
                    }
                    return Reply::Status(status);
                }
                Reply::Status(204)
            });
            assert_eq!(send(&files.client(&receiver)), Some(204));
            assert_eq!(sent(&receiver), ["new:old", "new:new"]);
        }
    }
}

#[test]
fn credentials_that_stay_wrong_are_sent_once_and_waited_for_once() {
    let files = Files::new("me", "wrong");
    let receiver = Recorder::start(|_| Reply::Status(401));
    let client = files.client(&receiver);
    assert_eq!(send(&client), Some(401));
    let begun = Instant::now();
    for _ in 0..3 {
        assert_eq!(send(&client), Some(401));
    }
    assert!(begun.elapsed() < Duration::from_millis(1400), "{:?}: it waits again", begun.elapsed());
    assert_eq!(sent(&receiver), ["me:wrong"; 4]);
    // One retry, also if the new credentials are wrong, too.
    write(files.0.path(), "password", "other");
    assert_eq!(send(&client), Some(401));
    assert_eq!(sent(&receiver)[4..], ["me:other"]);
}
