//! One HTTP request.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use thiserror::Error;
use url::Url;

use super::auth::{Authorization, Credentials};
use super::redact::Redactor;
use super::response::Response;
use super::response::{self, causes};
use super::secret_file::SecretFileError;
use super::tls::{self, Tls, TlsError};
use crate::secret::Secret;
use crate::wire::Protocol;

const MAX_REDIRECTS: usize = 5;

const USER_AGENT: &str = concat!("k6-remote-write/", env!("CARGO_PKG_VERSION"));

/// What stands in the way of an HTTP client.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Credentials that are not where they should be.
    #[error(transparent)]
    Credentials(#[from] SecretFileError),
    /// TLS that cannot be spoken as it should.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Whatever else the library finds.
    #[error("the HTTP client cannot be made: {}", causes(.0))]
    Http(#[from] reqwest::Error),
}

/// Where requests go, and what they carry besides a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Without user and password.
    pub url: Url,
    /// How long a request, with its answer, may take.
    pub timeout: Duration,
    /// Who ships.
    pub credentials: Credentials,
    /// Further headers; those of the credentials and of the protocol go before them.
    pub headers: Vec<(String, Secret)>,
    /// How https is spoken.
    pub tls: Tls,
    /// The way there.
    pub proxy: Proxy,
}

/// The way to a receiver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// As `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// None, whatever the environment says.
    None,
    /// Through this one: a URL of http, https, socks5 or socks5h, which may have a password.
    Through(Secret),
}

/// Sends bodies to one URL.
pub struct Client {
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    authorization: Authorization,
}

impl Client {
    /// A client for an endpoint. Reads the files that credentials and certificates are in.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let tls = match endpoint.tls.client_config() {
            Err(TlsError::NoAuthorities(_)) if endpoint.url.scheme() == "http" => tls::empty_trust_config(),
            config => config?,
        };
        let builder = match &endpoint.proxy {
            Proxy::Environment => reqwest::Client::builder(),
            Proxy::None => reqwest::Client::builder().no_proxy(),
            Proxy::Through(url) => reqwest::Client::builder().proxy(reqwest::Proxy::all(url.expose())?),
        };
        #[cfg(miri)] // it knows no such options of a socket
        let builder =
            builder.tcp_keepalive(None).tcp_keepalive_interval(None).tcp_keepalive_retries(None).tcp_user_timeout(None);
        let http = builder
            .user_agent(USER_AGENT)
            .timeout(endpoint.timeout)
            .tls_backend_preconfigured(tls)
            .redirect(Policy::custom(|attempt| if may_follow(&attempt) { attempt.follow() } else { attempt.stop() }))
            .build()?;
        Ok(Self {
            http,
            url: endpoint.url.clone(),
            headers: own_headers(&endpoint.headers),
            authorization: Authorization::open(&endpoint.credentials)?,
        })
    }

    /// Which credentials go with every request, for people.
    pub fn credentials(&self) -> &'static str {
        self.authorization.kind(&self.headers)
    }

    /// Sends one compressed body of this version and says what came back. Never fails: an error is a response too.
    pub async fn send(&self, protocol: Protocol, body: Bytes) -> Response {
        let mut headers = self.headers.clone();
        headers.extend(protocol.headers().map(|(name, value)| header(name, value)));
        let mut redactor = Redactor::default();
        match self.authorization.headers(&self.url, &headers, &body) {
            Ok((own, inside)) => {
                headers.extend(own);
                inside.iter().for_each(|secret| redactor.add(secret.expose()));
            }
            Err(message) => return Response { message, ..Response::default() },
        }
        let sensitive = headers.values().filter(|value| value.is_sensitive());
        sensitive.filter_map(|value| value.to_str().ok()).for_each(|value| redactor.add_header(value));
        self.url.query_pairs().for_each(|(_, value)| redactor.add(&value));
        match self.http.post(self.url.clone()).headers(headers).body(body).send().await {
            Ok(response) => response::read(response, &mut redactor).await,
            Err(error) => Response { message: redactor.hide(&causes(&error.without_url())), ..Response::default() },
        }
    }
}

/// Only what keeps the method, the body and whom credentials are for: a POST that becomes a GET is lost.
fn may_follow(attempt: &Attempt<'_>) -> bool {
    let first = attempt.previous().first();
    let same_receiver = first.is_some_and(|first| first.origin() == attempt.url().origin());
    matches!(attempt.status().as_u16(), 307 | 308) && same_receiver && attempt.previous().len() <= MAX_REDIRECTS
}

fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    let name = HeaderName::from_bytes(name.as_bytes()).expect("a constant of the specification");
    (name, HeaderValue::from_static(value))
}

/// The user's own headers. All were found valid when the configuration was read.
fn own_headers(own: &[(String, Secret)]) -> HeaderMap {
    let header = |(name, value): &(String, Secret)| {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    own.iter().filter_map(header).collect()
}
