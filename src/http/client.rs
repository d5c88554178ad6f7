//! HTTP client of one destination: builds a request, sends it, and returns the response without secrets.

use std::env;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use thiserror::Error;
use url::Url;

use super::auth::{Authorization, Credentials};
use super::redact::{Redactor, without_scheme};
use super::resolver::Resolver;
use super::response::Response;
use super::response::{self, causes};
use super::secret_file::SecretFileError;
use super::secret_url::SecretUrl;
use super::tls::{self, Tls, TlsError};
use crate::secret::Secret;
use crate::wire::Protocol;

const MAX_REDIRECTS: usize = 5;

/// How long the files of a secret may take to be replaced, one after the other.
const REPLACEMENT_PAUSE: Duration = Duration::from_millis(500);

const USER_AGENT: &str = concat!("k6-remote-write/", env!("CARGO_PKG_VERSION"));

/// Why an HTTP client cannot be created.
#[derive(Debug, Error)]
pub enum ClientError {
    /// A file of credentials is not valid.
    #[error(transparent)]
    Credentials(#[from] SecretFileError),
    /// The TLS settings are not valid.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system has no thread for resolving names.
    #[error("failed to start a background thread: {0}")]
    Thread(#[from] io::Error),
    /// Any other error of the HTTP library.
    #[error("failed to create the HTTP client: {}", causes(.0))]
    Http(#[from] reqwest::Error),
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

/// Proxy settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// The proxies of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[default]
    Environment,
    /// No proxy, even if the environment has one.
    None,
    /// The proxy with this URL: http, https, socks5 or socks5h, optionally with a password.
    Through(Secret),
}

/// Variables with the URL of a proxy, which may have a password; also in lower case.
const PROXY_VARIABLES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

impl Proxy {
    /// Returns user names and passwords of the proxies, which they may repeat.
    fn secrets(&self) -> Vec<Secret> {
        let urls = match self {
            Self::None => Vec::new(),
            Self::Through(url) => vec![url.clone()],
            Self::Environment => {
                let variables = PROXY_VARIABLES.iter().flat_map(|name| [name.to_string(), name.to_ascii_lowercase()]);
                variables.filter_map(|name| env::var(name).ok()).map(Secret::from).collect()
            }
        };
        // As the HTTP library reads it, the scheme may be missing.
        let url = |text: &Secret| {
            Url::parse(text.expose()).or_else(|_| Url::parse(&format!("http://{}", text.expose()))).ok()
        };
        urls.iter().filter_map(url).flat_map(|url| SecretUrl::from(url).user_secrets()).collect()
    }
}

/// Sends request bodies to one URL.
pub struct Client {
    http: reqwest::Client,
    url: SecretUrl,
    headers: HeaderMap,
    authorization: Authorization,
    /// The secrets of every request but those of the authorization: a receiver or a proxy may repeat them.
    secrets: Vec<Secret>,
    /// Whether the receiver rejected the credentials of the last request.
    credentials_rejected: AtomicBool,
}

impl Client {
    /// Creates a client. Reads the files of credentials and certificates.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let tls = match endpoint.tls.client_config() {
            Err(TlsError::NoTrustedCa(_)) if endpoint.url.expose().scheme() == "http" => tls::empty_trust_config(),
            config => config?,
        };
        let builder = match &endpoint.proxy {
            Proxy::Environment => reqwest::Client::builder(),
            Proxy::None => reqwest::Client::builder().no_proxy(),
            Proxy::Through(url) => reqwest::Client::builder().proxy(reqwest::Proxy::all(url.expose())?),
        };
        #[cfg(miri)] // does not support these socket options
        let builder =
            builder.tcp_keepalive(None).tcp_keepalive_interval(None).tcp_keepalive_retries(None).tcp_user_timeout(None);
        let http = builder
            .user_agent(USER_AGENT)
            .timeout(endpoint.timeout)
            .dns_resolver(Resolver::start()?)
            .tls_backend_preconfigured(tls)
            .redirect(Policy::custom(|attempt| if may_follow(&attempt) { attempt.follow() } else { attempt.stop() }))
            .build()?;
        Ok(Self {
            http,
            url: endpoint.url.clone(),
            headers: user_headers(&endpoint.headers),
            secrets: secrets(endpoint),
            credentials_rejected: AtomicBool::new(false),
            authorization: Authorization::open(&endpoint.credentials)?,
        })
    }

    /// Description of the credentials in every request, for log lines: "the request had …".
    pub fn credentials(&self) -> &'static str {
        self.authorization.description(&self.headers)
    }

    /// Sends one compressed body of `protocol` and returns the response. Never fails: an error is a response without a status.
    ///
    /// If the receiver rejects credentials of files that are being replaced, the request is sent again with what they have then.
    pub async fn send(&self, protocol: Protocol, body: Bytes) -> Response {
        let (response, sent) = self.attempt(protocol, body.clone()).await;
        if !matches!(response.status, Some(401 | 403)) {
            self.credentials_rejected.store(false, Ordering::Relaxed);
            return response;
        }
        let is_first = !self.credentials_rejected.swap(true, Ordering::Relaxed);
        let mut is_replaced = self.authorization.differs_from(&sent);
        // Of two files the second may still be written. Waits once, not for credentials that stay wrong.
        if is_replaced == Some(false) && is_first {
            tokio::time::sleep(REPLACEMENT_PAUSE).await;
            is_replaced = self.authorization.differs_from(&sent);
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
        let sent = match self.authorization.headers(self.url.expose(), &headers, &body) {
            Ok((authorization, sent)) => {
                headers.extend(authorization);
                sent
            }
            Err(message) => return (Response { message, ..Response::default() }, Vec::new()),
        };
        sent.iter().for_each(|secret| redactor.add(secret.clone()));
        let response = match self.http.post(self.url.expose().clone()).headers(headers).body(body).send().await {
            Ok(response) => response::read(response, &redactor).await,
            Err(error) => response::failed(error, &redactor),
        };
        (response, sent)
    }
}

/// Reports whether a redirect keeps the method, the body and the receiver: a POST that becomes a GET has no body, and another
/// receiver must not get the credentials.
fn may_follow(attempt: &Attempt<'_>) -> bool {
    let original = attempt.previous().first();
    let same_receiver = original.is_some_and(|original| original.origin() == attempt.url().origin());
    matches!(attempt.status().as_u16(), 307 | 308) && same_receiver && attempt.previous().len() <= MAX_REDIRECTS
}

/// Returns the secrets that `endpoint` has besides its credentials.
fn secrets(endpoint: &Endpoint) -> Vec<Secret> {
    let mut secrets = Vec::from_iter(endpoint.url.secrets());
    secrets.extend(endpoint.headers.iter().map(|(_, value)| without_scheme(value)));
    secrets.extend(endpoint.proxy.secrets());
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
