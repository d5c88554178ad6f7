//! Proxies: what they get, and how their failures differ from those of the receiver.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use k6_remote_write::http::{Client, ClientError, Credentials, Endpoint, FailedAt, Proxy, Tls};
use k6_remote_write::wire::Protocol;
use url::Url;

fn client(url: &str, proxy: &str) -> Result<Client, ClientError> {
    Client::new(&Endpoint {
        url: Url::parse(url).expect("valid").into(),
        timeout: Duration::from_secs(10),
        credentials: Credentials::None,
        headers: Vec::new(),
        tls: Tls { skip_verify: true, ..Tls::default() },
        proxy: Proxy::Through(proxy.into()),
    })
}

/// Reads one request for authentication (RFC 1929), rejects it, and returns user name and password.
fn reject(listener: &TcpListener) -> [String; 2] {
    let (mut connection, _) = listener.accept().expect("a connection");
    let mut head = [0; 2];
    connection.read_exact(&mut head).expect("sent");
    connection.read_exact(&mut vec![0; head[1].into()]).expect("the methods");
    connection.write_all(&[5, 2]).expect("written");
    let mut text = |before: usize| {
        let mut bytes = vec![0; before + 1];
        connection.read_exact(&mut bytes).expect("sent");
        let mut bytes = vec![0; bytes[before].into()];
        connection.read_exact(&mut bytes).expect("sent");
        String::from_utf8(bytes).expect("text")
    };
    let pair = [text(1), text(0)];
    connection.write_all(&[1, 1]).expect("written");
    pair
}

#[test]
fn a_socks_proxy_gets_user_name_and_password_as_they_are() {
    for url in ["http://receiver.test/", "https://receiver.test/"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("known");
        let rejected = thread::spawn(move || reject(&listener));
        let client = client(url, &format!("socks5h://me%40home:a%2520%25%C3%A4%3A%2Fb@{address}")).expect("valid");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let response = runtime.block_on(client.send(Protocol::V1, Bytes::new()));
        assert_eq!(rejected.join().expect("no panic"), ["me@home", "a%20%ä:/b"]);
        assert_eq!(response.failed_at, FailedAt::Proxy);
        let message = response.message;
        assert!(message.starts_with(&format!("proxy socks5h://{address} of proxy: ")), "{message}");
        assert!(message.ends_with("SOCKS error: credentials not accepted"), "{message}");
    }
}

#[test]
fn https_to_an_ipv6_address_is_not_supported_through_a_proxy() {
    let error = |url| client(url, "http://proxy.test").err().map(|error| error.to_string());
    assert!(error("https://[::1]:9090/").is_some_and(|error| error.contains("use a host name in the URL")));
    assert_eq!((error("http://[::1]:9090/"), error("https://127.0.0.1/")), (None, None));
}

#[test]
fn a_failure_in_the_tunnel_is_the_receivers_and_one_before_it_the_proxys() {
    for (status, message, failed_at) in [
        ("200 OK", "received corrupt message of type InvalidContentType", FailedAt::Receiver),
        ("407 No", "CONNECT was answered with status 407", FailedAt::Proxy),
        ("403 No", "CONNECT was not answered with status 200", FailedAt::Proxy),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("known");
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            for answer in [format!("HTTP/1.1 {status}\r\n\r\n"), "HTTP/1.1 400 No\r\n\r\n".into()] {
                if connection.read(&mut [0; 4096]).is_ok_and(|len| len > 0) {
                    connection.write_all(answer.as_bytes()).expect("written");
                }
            }
        });
        let client = client("https://receiver.test/", &format!("http://{address}")).expect("valid");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let response = runtime.block_on(client.send(Protocol::V1, Bytes::new()));
        assert_eq!((response.failed_at, response.reached), (failed_at, false), "{}", response.message);
        assert!(response.message.ends_with(message), "{}", response.message);
    }
}
