//! OAuth 2.0 client credentials: a token from a token endpoint, which is kept until shortly before its end (RFC 6749, section 4.4).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::body::Body;
use super::redact::Redactor;
use super::renewal::{Lease, Renewal};
use super::secret_file::SecretFileError;
use super::secret_source::{LoadedSecret, SecretSource};
use super::secret_url::SecretUrl;
use super::transport::Transport;
use crate::secret::Secret;
use crate::text::{one_line, truncate};

/// Maximum time of a request for a token.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum size of a response with a token: identity providers put groups and roles into it.
const MAX_TOKEN_BYTES: usize = 64 << 10;

/// Maximum length of the endpoint's own words in a message.
const MAX_MESSAGE_CHARS: usize = 300;

/// Settings for OAuth 2.0 client credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// Id of the client at the identity provider.
    pub client_id: Secret,
    /// Its secret.
    pub client_secret: SecretSource,
    /// Token endpoint.
    pub token_url: SecretUrl,
    /// Scopes to ask for; may be empty.
    pub scopes: Vec<String>,
    /// Additional parameters of the request for a token, such as `audience`.
    pub parameters: Vec<(String, Secret)>,
}

/// Tokens of one client.
pub(super) struct TokenSource {
    settings: OAuth2,
    secret: LoadedSecret,
    transport: Transport,
    tokens: Renewal<Secret>,
    /// True once the endpoint has accepted id and secret in the body, and not in a header: RFC 6749, section 2.3.1, leaves the
    /// choice to it.
    in_body: AtomicBool,
}

/// A successful response (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: Option<String>,
    /// Seconds; some endpoints write them as a text.
    expires_in: Option<Value>,
}

/// An error response (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl TokenSource {
    /// Reads the secret's file, to find mistakes before the first request. `transport` leads to the token endpoint.
    pub fn open(settings: &OAuth2, transport: Transport) -> Result<Self, SecretFileError> {
        let secret = LoadedSecret::open("oauth2ClientSecretFile", &settings.client_secret)?;
        let settings = settings.clone();
        Ok(Self { settings, secret, transport, tokens: Renewal::default(), in_body: AtomicBool::new(false) })
    }

    /// Returns a valid token.
    ///
    /// # Errors
    /// What the token endpoint has answered, without secrets.
    pub async fn token(&self) -> Result<Secret, String> {
        self.tokens.get(async || self.fetch().await).await
    }

    /// Forgets a token that the receiver has rejected.
    pub async fn discard(&self, rejected: &Secret) {
        self.tokens.discard(|token| token == rejected).await;
    }

    async fn fetch(&self) -> Result<Lease<Secret>, String> {
        let in_body = self.in_body.load(Ordering::Relaxed);
        let first = self.request(in_body).await;
        let answer = match first {
            // As Go does: it may be that the endpoint reads them only in the other place.
            Err(Failure { status: Some(400 | 401), .. }) => match self.request(!in_body).await {
                Ok(lease) => {
                    self.in_body.store(!in_body, Ordering::Relaxed);
                    Ok(lease)
                }
                Err(_) => first,
            },
            first => first,
        };
        answer.map_err(|failure| format!("no token from {}: {}", self.settings.token_url.shown(), failure.message))
    }

    async fn request(&self, in_body: bool) -> Result<Lease<Secret>, Failure> {
        let secret = self.secret.current();
        let mut redactor = Redactor::default();
        redactor.add(secret.clone());
        self.settings.token_url.secrets().for_each(|secret| redactor.add(secret));
        self.settings.parameters.iter().for_each(|(_, value)| redactor.add(value.clone()));
        self.transport
            .proxy()
            .map(|proxy| proxy.secrets())
            .into_iter()
            .flatten()
            .for_each(|secret| redactor.add(secret));
        let request = self.token_request(&secret, in_body, &mut redactor)?;
        let deadline = Instant::now() + TIMEOUT;
        let sent = self.transport.send(request, deadline).await;
        let response = sent.map_err(|error| Failure::without_status(redactor.redact_text(&error.to_string())))?;
        let status = response.status();
        let body = Body::read_up_to(MAX_TOKEN_BYTES, response, deadline).await;
        let bytes = Zeroizing::new(body.bytes);
        if status == StatusCode::OK {
            return lease(&bytes).map_err(Failure::without_status);
        }
        let message = match serde_json::from_slice::<ErrorResponse>(&bytes) {
            Ok(answer) => format!("{}: {}", answer.error, answer.error_description),
            Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
        };
        let message = one_line(&redactor.redact_text(&message));
        let message = truncate(message.trim_end_matches([':', ' ']), MAX_MESSAGE_CHARS);
        Err(Failure { status: Some(status.as_u16()), message: format!("status {status}: {message}") })
    }

    fn token_request(
        &self,
        secret: &Secret,
        in_body: bool,
        redactor: &mut Redactor,
    ) -> Result<Request<Bytes>, Failure> {
        let settings = &self.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !settings.scopes.is_empty() {
            form.append_pair("scope", &settings.scopes.join(" "));
        }
        settings.parameters.iter().for_each(|(name, value)| _ = form.append_pair(name, value.expose()));
        if in_body {
            form.append_pair("client_id", settings.client_id.expose()).append_pair("client_secret", secret.expose());
        }
        let mut request = Request::new(Bytes::from(form.finish()));
        *request.method_mut() = Method::POST;
        let invalid = |_| Failure::without_status("the URL is not valid in a request".into());
        *request.uri_mut() = settings.token_url.expose().as_str().parse().map_err(invalid)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
        if !in_body {
            // RFC 6749, section 2.3.1: both are encoded as in a form first.
            let encoded = |text: &Secret| form_urlencoded::byte_serialize(text.expose().as_bytes()).collect::<String>();
            let pair = Secret::from(format!("{}:{}", encoded(&settings.client_id), encoded(secret)));
            let value = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.expose())));
            let mut value = HeaderValue::from_str(&value).expect("base64 is valid in a header");
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
            redactor.add(pair);
        }
        Ok(request)
    }
}

/// Why there is no token.
struct Failure {
    status: Option<u16>,
    message: String,
}

impl Failure {
    fn without_status(message: String) -> Self {
        Self { status: None, message }
    }
}

/// Reads a successful response. An error does not contain any part of it.
fn lease(bytes: &[u8]) -> Result<Lease<Secret>, String> {
    let Ok(response) = serde_json::from_slice::<TokenResponse>(bytes) else {
        return Err("status 200, but the response is not a JSON object with an access_token: check the URL".into());
    };
    let token = Secret::from(response.access_token);
    if response.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err("the token is of another type than bearer, which is not supported".into());
    }
    let valid_for = match response.expires_in {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Number(number)) => number.as_u64().or_else(|| number.as_f64().map(|seconds| seconds as u64)),
        _ => None,
    };
    Ok(Lease { value: token, valid_for: valid_for.map(Duration::from_secs) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_as_identity_providers_write_it() {
        for (text, seconds) in [
            (r#"{"access_token":"t","token_type":"Bearer","expires_in":3599,"ext_expires_in":3599}"#, Some(3599)),
            (r#"{"access_token":"t","token_type":"bearer","expires_in":"3599"}"#, Some(3599)),
            (r#"{"access_token":"t","expires_in":59.9}"#, Some(59)),
            (r#"{"access_token":"t","expires_in":null}"#, None),
            (r#"{"access_token":"t","expires_in":-1}"#, Some(0)),
            (r#"{"access_token":"t"}"#, None),
        ] {
            let lease = lease(text.as_bytes()).expect("valid");
            assert_eq!((lease.value.expose(), lease.valid_for), ("t", seconds.map(Duration::from_secs)), "{text}");
        }
    }

    #[test]
    fn an_invalid_response_is_not_repeated() {
        for text in [
            "",
            "<html>hunter2</html>",
            r#"{"access_token":{"hunter2":1}}"#,
            r#"{"token":"hunter2"}"#,
            r#"{"access_token":"hunter2","token_type":"mac"}"#,
        ] {
            let error = lease(text.as_bytes()).expect_err("invalid");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
