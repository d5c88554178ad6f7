//! A tunnel through an HTTP proxy, for https (RFC 9110, section 9.3.6).

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;

use super::proxy::ProxyCredentials;
use super::stream::{BoxError, Stream};

/// Why there is no tunnel.
#[derive(Debug, Error)]
#[error("CONNECT was answered with status {0}")]
struct Refused(StatusCode);

/// Has the proxy at the other end of `stream` connect to the host of `to`. Returns the bytes to and from that host.
pub(super) async fn open(stream: Stream, to: &Uri, credentials: Option<&ProxyCredentials>) -> Result<Stream, BoxError> {
    let authority = format!("{}:{}", to.host().unwrap_or_default(), port(to));
    let mut request = Request::connect(&authority).header(HOST, &authority).header(USER_AGENT, super::USER_AGENT);
    if let Some(credentials) = credentials {
        request = request.header(PROXY_AUTHORIZATION, credentials.header());
    }
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    if !response.status().is_success() {
        return Err(Refused(response.status()).into());
    }
    Ok(Box::new(TokioIo::new(hyper::upgrade::on(response).await?)))
}

/// Returns the port of a URL.
pub(super) fn port(uri: &Uri) -> u16 {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    uri.port_u16().unwrap_or(default)
}
