//! AWS keys of an identity: a role of the machine or the pod, by AWS's own crates, over the connections of this one.
//!
//! Web identity (EKS with IRSA), EKS Pod Identity and ECS, instance profiles (IMDSv2), and profiles that assume a role.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::region::Region;
use bytes::Bytes;
use http::Request;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};
use url::{Url, form_urlencoded};

use super::aws_keys::KeyPair;
use super::body::Body;
use super::causes::causes;
use super::issuers::Issuers;
use super::redact::Redactor;
use super::renewal::{Lease, Renewal};
use super::transport::RequestError;
use crate::secret::Secret;
use crate::text::{one_line, truncate};

/// Maximum time of a fetch, with all attempts: in a network that drops packets, the metadata service costs several seconds.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Maximum time of one request, if AWS's crate has no shorter one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Keys without an end are read again after half of this, since their file may have changed.
const REREAD: Duration = Duration::from_secs(600);

/// Maximum size of a response.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Maximum length of an error in a message.
const MAX_MESSAGE_CHARS: usize = 400;

/// Variables and files with tokens, of which an error that comes before a request may have one.
const TOKENS: [&str; 1] = ["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
const TOKEN_FILES: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];

/// An identity, of which AWS's variables and files say more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AwsIdentity {
    /// Profile that has or assumes a role; without one, the first that AWS's default chain finds.
    pub profile: Option<String>,
}

/// Current keys of an identity.
pub(super) struct IdentityKeys {
    identity: AwsIdentity,
    region: String,
    issuers: Issuers,
    keys: Renewal<KeyPair>,
}

impl IdentityKeys {
    /// Prepares an identity in `region`. Asks for nothing yet.
    pub fn new(identity: AwsIdentity, region: &str, issuers: Issuers) -> Self {
        Self { identity, region: region.into(), issuers, keys: Renewal::default() }
    }

    /// Returns valid keys.
    ///
    /// # Errors
    /// What AWS has answered, without secrets.
    pub async fn current(&self) -> Result<KeyPair, String> {
        self.keys.get(async || self.fetch().await).await
    }

    /// Forgets keys that AWS has rejected.
    pub async fn discard(&self, rejected: impl Fn(&KeyPair) -> bool) {
        self.keys.discard(rejected).await;
    }

    async fn fetch(&self) -> Result<Lease<KeyPair>, String> {
        let region = Region::new(self.region.clone());
        let http = Http { issuers: self.issuers.clone(), sent: Arc::default() };
        let config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_sleep_impl(TokioSleep::new())
            .with_http_client(http.clone());
        let fetched = async {
            match &self.identity.profile {
                Some(name) => {
                    let builder = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name);
                    builder.build().provide_credentials().await
                }
                None => {
                    let builder = DefaultCredentialsChain::builder().configure(config.clone()).region(region);
                    builder.build().await.provide_credentials().await
                }
            }
        };
        match timeout(TIMEOUT, fetched).await {
            Ok(Ok(credentials)) => Ok(lease(&credentials)),
            Ok(Err(error)) => Err(format!("no AWS keys: {}", shown(&error, &http.sent.lock()))),
            Err(_) => Err("no AWS keys: no response within the timeout".into()),
        }
    }
}

fn lease(credentials: &Credentials) -> Lease<KeyPair> {
    let value = KeyPair {
        access_key: credentials.access_key_id().into(),
        secret_key: credentials.secret_access_key().into(),
        session_token: credentials.session_token().map(Into::into),
    };
    let left = |end: SystemTime| end.duration_since(SystemTime::now()).unwrap_or_default();
    Lease { value, valid_for: Some(credentials.expiry().map_or(REREAD, left)) }
}

/// Returns an error with its causes on one line, without secrets.
fn shown(error: &CredentialsError, sent: &[Secret]) -> String {
    let mut parts: Vec<_> = causes(error).map(ToString::to_string).collect();
    parts.dedup();
    let mut redactor = Redactor::default();
    sent.iter().for_each(|token| redactor.add(token.clone()));
    let variable = |name: &str| std::env::var(name).ok();
    let tokens = TOKENS.into_iter().filter_map(variable);
    let files = TOKEN_FILES.into_iter().filter_map(variable).filter_map(|path| std::fs::read_to_string(path).ok());
    tokens.chain(files).for_each(|token| redactor.add(Secret::from(token.trim())));
    truncate(&one_line(&redactor.redact_text(&parts.join(": "))), MAX_MESSAGE_CHARS)
}

/// Returns the tokens in a request: of a web identity, a container, or the metadata service.
fn tokens(request: &Request<SdkBody>) -> Vec<Secret> {
    let headers = ["authorization", "x-aws-ec2-metadata-token"].into_iter();
    let in_headers = headers.filter_map(|name| Some(Secret::from(request.headers().get(name)?.to_str().ok()?)));
    let form = form_urlencoded::parse(request.body().bytes().unwrap_or_default());
    let in_form = form.filter(|(name, _)| name == "WebIdentityToken").map(|(_, token)| Secret::from(&*token));
    in_headers.chain(in_form).collect()
}

/// HTTP for AWS's crates, in one fetch.
#[derive(Debug, Clone)]
struct Http {
    issuers: Issuers,
    /// Tokens of the requests, which an answer may repeat.
    sent: Arc<Mutex<Vec<Secret>>>,
}

impl HttpClient for Http {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let limits = [settings.connect_timeout(), settings.read_timeout()];
        // One limit for both: a connection that takes longer is none of a metadata service.
        let limit = limits.into_iter().flatten().max().unwrap_or(REQUEST_TIMEOUT).min(REQUEST_TIMEOUT);
        SharedHttpConnector::new(LimitedHttp { http: self.clone(), limit })
    }
}

#[derive(Debug)]
struct LimitedHttp {
    http: Http,
    limit: Duration,
}

impl HttpConnector for LimitedHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, limit) = (self.http.clone(), self.limit);
        HttpConnectorFuture::new(async move { http.send(request, Instant::now() + limit).await })
    }
}

impl Http {
    async fn send(&self, request: HttpRequest, deadline: Instant) -> Result<HttpResponse, ConnectorError> {
        let user = |error: &dyn Error| ConnectorError::user(error.to_string().into());
        let url = Url::parse(request.uri()).map_err(|error| user(&error))?;
        let transport = self.issuers.connect(&url).map_err(|error| user(&error))?;
        let request: Request<SdkBody> = request.try_into_http1x().map_err(|error| user(&error))?;
        self.sent.lock().extend(tokens(&request));
        let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
        let host = url.origin().ascii_serialization();
        let response = transport.send(request, deadline).await.map_err(|error| match error {
            RequestError::Timeout(_) => ConnectorError::timeout(format!("{host}: {error}").into()),
            RequestError::Failed { .. } => ConnectorError::io(format!("{host}: {error}").into()),
        })?;
        let mut answer = http::Response::new(SdkBody::empty());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = SdkBody::from(Body::read_up_to(MAX_BODY_BYTES, response, deadline).await.bytes);
        HttpResponse::try_from(answer).map_err(|error| user(&error))
    }
}
