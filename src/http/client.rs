//! HTTP client of one destination: builds a request, sends it, and returns the response without secrets.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, LOCATION, USER_AGENT};
use http::uri::InvalidUri;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use thiserror::Error;
use tokio::time::{Instant, timeout};
use url::Url;

use super::auth::{Authorization, AuthorizationError, Credentials, NoCredentials};
use super::certificate::Certificate;
use super::issuers::Issuers;
use super::proxy::{Proxy, ProxyServer};
use super::redact::{Redactor, without_scheme};
use super::resolver::Resolver;
use super::response::{self, FailedAt, Response};
use super::secret_url::{SecretUrl, may_be_secret};
use super::tls::{Peer, Tls};
use super::transport::{RequestError, Transport, TransportError};
use crate::secret::Secret;
use crate::wire::Protocol;

const MAX_REDIRECTS: usize = 5;

/// How long the files of a secret may take to be replaced, one after the other.
const REPLACEMENT_PAUSE: Duration = Duration::from_millis(500);

/// Why an HTTP client cannot be created.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The credentials are not valid.
    #[error(transparent)]
    Credentials(#[from] AuthorizationError),
    /// The settings of TLS or of the proxy are not valid.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The system has no thread for resolving names.
    #[error("failed to start a background thread: {0}")]
    Thread(#[from] io::Error),
    /// The URL contains characters that are not valid in a request.
    #[error("the URL is not valid in a request: {0}")]
    Url(#[from] InvalidUri),
}

/// URL of a receiver, with all settings of the requests to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// URL without user name and password.
    pub url: SecretUrl,
    /// Maximum time of a request, with its response.
    pub timeout: Duration,
    /// Credentials of every request.
    pub credentials: Credentials,
    /// Additional headers. They do not replace those of the protocol and of the credentials.
    pub headers: Vec<(String, Secret)>,
    /// TLS settings, for https.
    pub tls: Tls,
    /// Proxy between k6 and the receiver.
    pub proxy: Proxy,
}

/// Sends request bodies to one URL.
pub struct Client {
    transport: Transport,
    url: SecretUrl,
    timeout: Duration,
    headers: HeaderMap,
    authorization: Authorization,
    /// The secrets of every request but those of the authorization: a receiver or a proxy may repeat them.
    secrets: Vec<Secret>,
    /// Whether the receiver rejected the credentials of the last request.
    credentials_rejected: AtomicBool,
}

impl Client {
    /// Creates a client. Reads the files of credentials and certificates, and the environment's proxies.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let mut headers = user_headers(&endpoint.headers);
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(super::USER_AGENT));
        // Checked here, so that it cannot fail later.
        endpoint.url.expose().as_str().parse::<Uri>()?;
        let resolver = Resolver::start()?;
        let issuers = Issuers { tls: endpoint.tls.clone(), proxy: endpoint.proxy.clone(), resolver: resolver.clone() };
        let url = endpoint.url.expose();
        let transport = Transport::new(url, Peer::Receiver, &endpoint.tls, &endpoint.proxy, resolver)?;
        let mut secrets = secrets(endpoint);
        secrets.extend(transport.proxy().map(ProxyServer::secrets).unwrap_or_default());
        Ok(Self {
            transport,
            url: endpoint.url.clone(),
            timeout: endpoint.timeout,
            headers,
            secrets,
            credentials_rejected: AtomicBool::new(false),
            authorization: Authorization::open(&endpoint.credentials, &issuers)?,
        })
    }

    /// Description of the proxy, for people: "proxy http://proxy.example.com:3128 of HTTP_PROXY"; `None` without one.
    pub fn proxy(&self) -> Option<String> {
        self.transport.proxy().map(ToString::to_string)
    }

    /// The addresses of the receiver's host.
    ///
    /// # Errors
    /// What the system says about a name that it does not know.
    pub async fn addresses(&self) -> Result<Vec<IpAddr>, String> {
        let resolving = timeout(self.timeout, self.transport.addresses(self.url.expose())).await;
        resolving.map_err(|_| "the system's resolver does not answer".to_string())?.map_err(|error| error.to_string())
    }

    /// The certificate that the receiver presented last, also if it was not accepted.
    pub fn presented_certificate(&self) -> Option<Certificate> {
        Certificate::parse(&self.transport.presented_certificate()?)
    }

    /// Description of the credentials in every request, for log lines: "the request had …".
    pub fn credentials(&self) -> &'static str {
        self.authorization.description(&self.headers)
    }

    /// Sends one compressed body of `protocol` and returns the response. Never fails: an error is a response without a status.
    ///
    /// If the receiver rejects credentials of files that are being replaced, or that their issuer can replace, the request is sent
    /// again with the new ones.
    pub async fn send(&self, protocol: Protocol, body: Bytes) -> Response {
        let (response, sent) = self.attempt(protocol, body.clone()).await;
        if !matches!(response.status, Some(401 | 403)) {
            self.credentials_rejected.store(false, Ordering::Relaxed);
            return response;
        }
        let is_first = !self.credentials_rejected.swap(true, Ordering::Relaxed);
        let mut is_replaced = self.authorization.differs_from(&sent).await;
        // Of two files the second may still be written. Waits once, not for credentials that stay wrong.
        if is_replaced == Some(false) && is_first {
            tokio::time::sleep(REPLACEMENT_PAUSE).await;
            is_replaced = self.authorization.differs_from(&sent).await;
        }
        if is_replaced != Some(true) {
            return response;
        }
        let (response, _) = self.attempt(protocol, body).await;
        self.credentials_rejected.store(matches!(response.status, Some(401 | 403)), Ordering::Relaxed);
        response
    }

    /// Sends a request once. Returns the response, and the secrets of the credentials.
    async fn attempt(&self, protocol: Protocol, body: Bytes) -> (Response, Vec<Secret>) {
        let mut headers = self.headers.clone();
        headers.extend(protocol.headers().map(|(name, value)| header(name, value)));
        let mut redactor = Redactor::default();
        self.secrets.iter().for_each(|secret| redactor.add(secret.clone()));
        let sent = match self.authorization.headers(self.url.expose(), &headers, &body).await {
            Ok((authorization, sent)) => {
                headers.extend(authorization);
                sent
            }
            Err(NoCredentials::Invalid(message)) => {
                return (Response { message, ..Response::default() }, Vec::new());
            }
            Err(NoCredentials::NotIssued(message)) => {
                let failed_at = FailedAt::Issuer;
                return (Response { message, failed_at, ..Response::default() }, Vec::new());
            }
        };
        sent.iter().for_each(|secret| redactor.add(secret.clone()));
        let deadline = Instant::now() + self.timeout;
        let response = match self.post(headers, body, deadline).await {
            Ok(response) => response::read(response, deadline, &redactor).await,
            Err(error) => response::failed(&error, &redactor),
        };
        (response, sent)
    }

    /// Sends a request, and follows redirects that keep the method, the body and the receiver: a POST that becomes a GET has
    /// no body, and another receiver must not get the credentials.
    async fn post(
        &self,
        headers: HeaderMap,
        body: Bytes,
        deadline: Instant,
    ) -> Result<reqwest::Response, RequestError> {
        let mut url = self.url.expose().clone();
        let mut redirects = 0;
        loop {
            let mut request = Request::new(body.clone());
            *request.method_mut() = Method::POST;
            *request.headers_mut() = headers.clone();
            // The first URL was checked, and others are followed only if they are valid.
            *request.uri_mut() = url.as_str().parse().unwrap_or_default();
            let response = self.transport.send(request, deadline).await?;
            match self.redirection(&url, &response) {
                Some(next) if redirects < MAX_REDIRECTS => url = next,
                _ => return Ok(response),
            }
            redirects += 1;
        }
    }

    /// Returns the URL that a response redirects to, if it may be followed.
    fn redirection(&self, url: &Url, response: &reqwest::Response) -> Option<Url> {
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let next = url.join(location).ok()?;
        let may_follow = matches!(response.status().as_u16(), 307 | 308) && next.origin() == self.url.expose().origin();
        (may_follow && next.as_str().parse::<Uri>().is_ok()).then_some(next)
    }
}

/// Returns the secrets that `endpoint` has besides its credentials.
fn secrets(endpoint: &Endpoint) -> Vec<Secret> {
    let mut secrets = Vec::from_iter(endpoint.url.secrets());
    let headers = endpoint.headers.iter().map(|(name, value)| (name, without_scheme(value)));
    secrets.extend(headers.filter(|(name, value)| may_be_secret(name, value)).map(|(_, value)| value));
    secrets
}

fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    let name = HeaderName::from_bytes(name.as_bytes()).expect("a constant of the specification");
    (name, HeaderValue::from_static(value))
}

/// Returns the user's headers. The configuration has checked that they are valid.
fn user_headers(headers: &[(String, Secret)]) -> HeaderMap {
    let header = |(name, value): &(String, Secret)| {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    headers.iter().filter_map(header).collect()
}
