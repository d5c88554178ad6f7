//! Sends requests to one server, over connections that are kept.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error as ThisError;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::causes::{BoxError, causes};
use super::proxy::{Proxy, ProxyError, ProxyProtocol, ProxyServer};
use super::resolver::{Lookup, Resolver};
use super::session::LastHandshake;
use super::tls::{self, Names, Peer, Tls, TlsError};

/// Why settings of connections are not valid.
#[derive(Debug, ThisError)]
pub enum TransportError {
    /// The TLS settings are not valid.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The proxy is not valid.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The HTTP library reads no IPv6 address as the name in a handshake through a proxy.
    #[error(
        "https to an IPv6 address is not supported through a proxy: use a host name in the URL, or set `proxy` to direct"
    )]
    Ipv6ThroughProxy,
    /// Any other error of the HTTP library.
    #[error("failed to create the HTTP client: {}", shown(.0, 0))]
    Library(#[from] reqwest::Error),
}

/// Why there is no response. Shown with its causes, of which the last one is the most specific; it may contain secrets that
/// the other side has repeated.
#[derive(Debug, ThisError)]
pub(super) enum RequestError {
    /// Nothing came in time.
    #[error("no response within the timeout{}", through(.0))]
    Timeout(Option<Arc<ProxyServer>>),
    /// There was no connection, or no valid response.
    #[error("{}{}", at(at_proxy), failure(error))]
    #[allow(missing_docs)]
    Failed { error: reqwest::Error, at_proxy: Option<Arc<ProxyServer>> },
}

impl RequestError {
    /// Reports whether the server may have got the request.
    pub fn reached(&self) -> bool {
        !matches!(self, Self::Failed { error, .. } if error.is_connect() || error.is_builder())
    }

    /// Reports whether the proxy failed, and not the server.
    pub fn is_at_proxy(&self) -> bool {
        matches!(self, Self::Failed { at_proxy: Some(_), .. })
    }
}

/// Connections to one server.
pub(super) struct Transport {
    http: Client,
    /// Host in the URLs of requests, in place of the server's: the HTTP library sends it as the name in the TLS handshake.
    handshake_host: Option<String>,
    proxy: Option<Arc<ProxyServer>>,
    resolver: Resolver,
    last: LastHandshake,
}

impl Transport {
    /// Prepares connections to the server of `url`. Reads the certificates, and the environment's proxies.
    pub fn new(url: &Url, peer: Peer, tls: &Tls, proxy: &Proxy, resolver: Resolver) -> Result<Self, TransportError> {
        let proxy = proxy.server_for(url)?.map(Arc::new);
        let is_https = url.scheme() == "https";
        if is_https && proxy.is_some() && matches!(url.host(), Some(Host::Ipv6(_))) {
            return Err(TransportError::Ipv6ThroughProxy);
        }
        let last = LastHandshake::default();
        let mut config = config(url, peer, tls, proxy.as_deref(), &last)?;
        let server_name = if peer == Peer::Receiver { tls.server_name()? } else { None };
        let mut handshake_host = None;
        if let Some(name) = server_name.filter(|_| is_https && proxy.is_none()) {
            handshake_host = host_of(&name);
            // An address is never sent as a name, and the host of the URL is not the server's.
            config.enable_sni = handshake_host.is_some();
        }
        let instead = handshake_host.as_ref().and_then(|_| url.host_str()).map(String::from);
        // Without the environment's proxies, which are read here.
        let builder = Client::builder().no_proxy();
        let builder = match &proxy {
            Some(proxy) => builder.proxy(proxy.for_library()?),
            None => builder,
        };
        // By its defaults, connections on which nothing is acknowledged are closed after 30 to 60 seconds.
        #[cfg(miri)] // does not support these socket options
        let builder =
            builder.tcp_keepalive(None).tcp_keepalive_interval(None).tcp_keepalive_retries(None).tcp_user_timeout(None);
        let http = builder
            .user_agent(super::USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .dns_resolver(Lookup { resolver: resolver.clone(), instead })
            .tls_backend_preconfigured(config)
            .build()?;
        Ok(Self { http, handshake_host, proxy, resolver, last })
    }

    /// The proxy to the server.
    pub fn proxy(&self) -> Option<&ProxyServer> {
        self.proxy.as_deref()
    }

    /// The certificate that the server presented last, in DER, also if it was not accepted.
    pub fn presented_certificate(&self) -> Option<Vec<u8>> {
        self.last.certificate()
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
    pub async fn send(&self, request: Request<Bytes>, deadline: Instant) -> Result<Response, RequestError> {
        let is_https = request.uri().scheme_str() == Some("https");
        let failed = |error: reqwest::Error| {
            let proxy = self.proxy.as_ref().filter(|_| is_at_proxy(&error, is_https));
            // The URL may contain secrets.
            RequestError::Failed { at_proxy: proxy.cloned(), error: error.without_url() }
        };
        let request = self.prepared(request).map_err(failed)?;
        let mut response = match timeout_at(deadline, self.http.execute(request)).await {
            Ok(response) => response.map_err(failed)?,
            Err(_) => return Err(RequestError::Timeout(self.proxy.clone())),
        };
        if let Some(session) = self.last.session().filter(|_| is_https) {
            response.extensions_mut().insert(session);
        }
        Ok(response)
    }

    /// Returns a request for the HTTP library.
    fn prepared(&self, request: Request<Bytes>) -> reqwest::Result<reqwest::Request> {
        let authority = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        let mut request = reqwest::Request::try_from(request)?;
        if let (Some(host), Some(authority)) = (&self.handshake_host, authority) {
            request.headers_mut().entry(HOST).or_insert(authority);
            // Checked when it was made.
            let _ = request.url_mut().set_host(Some(host));
        }
        Ok(request)
    }
}

/// Returns the TLS configuration for the server of `url` and an https proxy.
fn config(
    url: &Url,
    peer: Peer,
    tls: &Tls,
    proxy: Option<&ProxyServer>,
    last: &LastHandshake,
) -> Result<ClientConfig, TlsError> {
    let https_proxy = proxy.filter(|proxy| proxy.protocol == ProxyProtocol::Https);
    let names = Names {
        server: url.host_str().filter(|_| url.scheme() == "https").and_then(name_of),
        proxy: https_proxy.and_then(|proxy| name_of(proxy.uri.host().unwrap_or_default())),
    };
    match tls.config(peer, names, last.clone()) {
        Err(TlsError::NoTrustedCa(_)) if url.scheme() == "http" && https_proxy.is_none() => {
            Ok(tls::empty_trust_config())
        }
        config => config,
    }
}

/// Returns the name of a URL's host in a TLS handshake.
fn name_of(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_string()).ok()
}

/// Returns a name as the host of a URL; `None` for an address, also in an unusual form.
fn host_of(name: &ServerName<'_>) -> Option<String> {
    let ServerName::DnsName(name) = name else { return None };
    match Host::parse(name.as_ref()) {
        Ok(Host::Domain(host)) => Some(host),
        _ => None,
    }
}

/// Reports whether a request failed between k6 and its proxy, or at the proxy. The HTTP library has its own errors for these; an
/// error of the system or of TLS is one of the connection with the server, inside of the tunnel.
fn is_at_proxy(error: &reqwest::Error, is_https: bool) -> bool {
    let of_connection = causes(error).nth(2);
    error.is_connect() && !(is_https && of_connection.is_some_and(|cause| cause.is::<io::Error>()))
}

fn through(proxy: &Option<Arc<ProxyServer>>) -> String {
    proxy.as_ref().map(|proxy| format!(" through the {proxy}")).unwrap_or_default()
}

fn at(proxy: &Option<Arc<ProxyServer>>) -> String {
    proxy.as_ref().map(|proxy| format!("{proxy}: ")).unwrap_or_default()
}

/// Returns the causes on one line. The two outermost errors say only at which step it failed.
fn failure(error: &reqwest::Error) -> String {
    match shown(error, 2) {
        causes if error.is_connect() => causes,
        causes if causes.is_empty() => "error sending request".into(),
        causes => format!("error sending request: {causes}"),
    }
}

/// Returns an error with its causes but the outermost, in clearer words where the HTTP library's say little.
fn shown(error: &(dyn Error + 'static), skipped: usize) -> String {
    let parts = causes(error).skip(skipped).map(ToString::to_string).filter(|part| part != "error resolving DNS");
    let parts = parts.map(|part| match &*part {
        "tunnel error: proxy authorization required" => "CONNECT was answered with status 407".into(),
        "tunnel error: unsuccessful" => "CONNECT was not answered with status 200".into(),
        _ => part,
    });
    parts.collect::<Vec<_>>().join(": ")
}
