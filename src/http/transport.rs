//! Sends requests to one server, over connections that are kept.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use thiserror::Error as ThisError;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::connector::{Connector, ProxyFailure};
use super::proxy::{Proxy, ProxyError, ProxyProtocol, ProxyServer};
use super::resolver::Resolver;
use super::stream::{BoxError, causes};
use super::tls::{self, Peer, Tls, TlsError};
use super::verifier::PresentedCertificate;

/// Time after which an idle connection is checked, the interval of these checks, and their number.
#[cfg(not(miri))] // does not support these socket options
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(15), 3);

/// Time after which a connection on which nothing is acknowledged is closed.
#[cfg(all(target_os = "linux", not(miri)))]
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(30);

/// Why settings of connections are not valid.
#[derive(Debug, ThisError)]
pub enum TransportError {
    /// The TLS settings are not valid.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The proxy is not valid.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Why there is no response. Shown with its causes, of which the last one is the most specific; it may contain secrets that
/// the other side has repeated.
#[derive(Debug, ThisError)]
pub(super) enum RequestError {
    /// Nothing came in time.
    #[error("no response within the timeout{}", through(.0))]
    Timeout(Option<Arc<ProxyServer>>),
    /// There was no connection, or no valid response.
    #[error("{}", shown(.0))]
    Failed(#[from] legacy::Error),
}

impl RequestError {
    /// Reports whether the server may have got the request.
    pub fn reached(&self) -> bool {
        !matches!(self, Self::Failed(error) if error.is_connect())
    }

    /// Reports whether the proxy failed, and not the server.
    pub fn is_at_proxy(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        causes(error).any(|cause| cause.is::<ProxyFailure>())
    }
}

/// Connections to one server.
pub(super) struct Transport {
    http: legacy::Client<Connector, Full<Bytes>>,
    proxy: Option<Arc<ProxyServer>>,
    resolver: Resolver,
    presented: PresentedCertificate,
}

impl Transport {
    /// Prepares connections to the server of `url`. Reads the certificates, and the environment's proxies.
    pub fn new(url: &Url, peer: Peer, tls: &Tls, proxy: &Proxy, resolver: Resolver) -> Result<Self, TransportError> {
        let proxy = proxy.server_for(url)?.map(Arc::new);
        let presented = PresentedCertificate::default();
        let server_config = match tls.config(peer, presented.clone()) {
            Err(TlsError::NoTrustedCa(_)) if url.scheme() == "http" => tls::empty_trust_config(),
            config => config?,
        };
        let proxy_config = match &proxy {
            Some(proxy) if proxy.protocol == ProxyProtocol::Https => {
                tls.config(Peer::Proxy, PresentedCertificate::default())?
            }
            _ => tls::empty_trust_config(),
        };
        let connector = Connector {
            tcp: tcp(resolver.clone()),
            resolver: resolver.clone(),
            tls: Arc::new(server_config),
            server_name: if peer == Peer::Receiver { tls.server_name()? } else { None },
            proxy: proxy.clone(),
            proxy_tls: Arc::new(proxy_config),
        };
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        Ok(Self { http: builder.pool_timer(TokioTimer::new()).build(connector), proxy, resolver, presented })
    }

    /// The proxy to the server.
    pub fn proxy(&self) -> Option<&ProxyServer> {
        self.proxy.as_deref()
    }

    /// The certificate that the server presented last, in DER, also if it was not accepted.
    pub fn presented_certificate(&self) -> Option<Vec<u8>> {
        self.presented.get()
    }

    /// Resolves the host of a URL, by the system.
    pub async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, BoxError> {
        match url.host() {
            Some(Host::Domain(name)) => Ok(self.resolver.resolve(name).await?.iter().map(SocketAddr::ip).collect()),
            Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
            None => Ok(Vec::new()),
        }
    }

    /// Sends a request, and returns the response, of which the body is not read.
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, RequestError> {
        let credentials = self.proxy.as_ref().and_then(|proxy| proxy.credentials.as_ref());
        // Other requests go through a tunnel, and the proxy does not see them.
        if let Some(credentials) = credentials.filter(|_| request.uri().scheme_str() == Some("http")) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, credentials.header());
        }
        match timeout_at(deadline, self.http.request(request)).await {
            Ok(response) => Ok(response?),
            Err(_) => Err(RequestError::Timeout(self.proxy.clone())),
        }
    }
}

fn tcp(resolver: Resolver) -> HttpConnector<Resolver> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    #[cfg(not(miri))]
    {
        let (after, interval, retries) = KEEPALIVE;
        tcp.set_keepalive(Some(after));
        tcp.set_keepalive_interval(Some(interval));
        tcp.set_keepalive_retries(Some(retries));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT));
    }
    tcp
}

fn through(proxy: &Option<Arc<ProxyServer>>) -> String {
    proxy.as_ref().map(|proxy| format!(" through the {proxy}")).unwrap_or_default()
}

/// Returns the causes on one line. The outermost error says only at which step it failed.
fn shown(error: &legacy::Error) -> String {
    let parts: Vec<_> = causes(error).skip(1).map(ToString::to_string).collect();
    match parts.is_empty() {
        _ if error.is_connect() => parts.join(": "),
        true => "error sending request".into(),
        false => format!("error sending request: {}", parts.join(": ")),
    }
}
