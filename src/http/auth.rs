//! Authentication: credentials, their sources, and the headers made from them.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

use super::issuers::Issuers;
use super::oauth2::{OAuth2, TokenSource};
use super::secret_file::SecretFileError;
use super::secret_source::{LoadedSecret, SecretSource};
use super::secret_url::pair;
use super::sigv4::{SigV4, Signer};
use super::transport::TransportError;
use crate::secret::Secret;

/// Credentials for a receiver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// No authentication.
    #[default]
    None,
    /// HTTP basic authentication.
    Basic {
        /// User name, without a colon.
        username: SecretSource,
        /// Password: any text.
        password: Option<SecretSource>,
    },
    /// Bearer token.
    Bearer(SecretSource),
    /// AWS signatures.
    SigV4(SigV4),
    /// Tokens of an OAuth 2.0 token endpoint.
    OAuth2(OAuth2),
}

/// Why credentials cannot be used. Detected before any request.
#[derive(Debug, Error)]
pub enum AuthorizationError {
    /// A file is not valid.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The settings of connections to an issuer are not valid.
    #[error(transparent)]
    Issuer(#[from] TransportError),
}

/// Why a request has no credentials.
#[derive(Debug)]
pub(super) enum NoCredentials {
    /// Theirs is not a valid form.
    Invalid(String),
    /// Their issuer gave none; the message is without secrets.
    NotIssued(String),
}

/// Credentials with loaded secrets.
pub(super) enum Authorization {
    None,
    Basic { username: LoadedSecret, password: Option<LoadedSecret> },
    Bearer(LoadedSecret),
    SigV4(Signer),
    OAuth2(Box<TokenSource>),
}

impl Authorization {
    /// Loads the secrets of `credentials`. Reads all their files, to find mistakes before the first request, and prepares
    /// connections to those that issue credentials, but asks for none yet.
    pub fn open(credentials: &Credentials, issuers: &Issuers) -> Result<Self, AuthorizationError> {
        Ok(match credentials {
            Credentials::None => Self::None,
            Credentials::Basic { username, password } => Self::Basic {
                username: LoadedSecret::open("usernameFile", username)?,
                password: password.as_ref().map(|password| LoadedSecret::open("passwordFile", password)).transpose()?,
            },
            Credentials::Bearer(token) => Self::Bearer(LoadedSecret::open("bearerTokenFile", token)?),
            Credentials::SigV4(settings) => Self::SigV4(Signer::open(settings, issuers)?),
            Credentials::OAuth2(settings) => {
                let transport = issuers.connect(settings.token_url.expose())?;
                Self::OAuth2(Box::new(TokenSource::open(settings, transport)?))
            }
        })
    }

    /// Description of the credentials in a request that also has the headers `others`, for log lines: "the request had …".
    pub fn description(&self, others: &HeaderMap) -> &'static str {
        match self {
            Self::Basic { password: None, .. } => "a user name without a password",
            Self::Basic { .. } => "a user name and a password",
            Self::Bearer(_) => "a bearer token",
            Self::SigV4(signer) => signer.description(),
            Self::OAuth2(_) => "an OAuth 2.0 token",
            Self::None if others.contains_key(AUTHORIZATION) => "an Authorization header",
            Self::None => "no credentials",
        }
    }

    /// Returns the headers for a POST of `body` with the headers `others`, and the secrets that are in them in any form, those that
    /// identify the credentials first.
    ///
    /// # Errors
    /// What is wrong with the credentials, or why their issuer gives none, without secrets.
    pub async fn headers(
        &self,
        url: &Url,
        others: &HeaderMap,
        body: &[u8],
    ) -> Result<(HeaderMap, Vec<Secret>), NoCredentials> {
        let (authorization, secrets) = match self {
            Self::None => return Ok(Default::default()),
            Self::Basic { username, password } => {
                let username = username.current();
                let password = password.as_ref().map(LoadedSecret::current);
                let pair = pair(&username, password.as_ref().unwrap_or(&Secret::default()));
                // A user name without a password is a token.
                let secret = password.filter(|password| !password.is_empty()).unwrap_or(username);
                (Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.expose()))), vec![pair, secret])
            }
            Self::Bearer(token) => {
                let token = token.current();
                (Zeroizing::new(format!("Bearer {}", token.expose())), vec![token])
            }
            Self::OAuth2(source) => {
                let token = source.token().await.map_err(NoCredentials::NotIssued)?;
                (Zeroizing::new(format!("Bearer {}", token.expose())), vec![token])
            }
            Self::SigV4(signer) => {
                let keys = signer.keys().await.map_err(NoCredentials::NotIssued)?;
                let signed = signer.sign(keys, url, others, body, SystemTime::now());
                return signed.map_err(|error| NoCredentials::Invalid(format!("failed to sign the request: {error}")));
            }
        };
        let mut value = HeaderValue::from_str(&authorization)
            .map_err(|_| "the credentials contain characters that are not valid in an HTTP header")
            .map_err(|message| NoCredentials::Invalid(message.into()))?;
        value.set_sensitive(true);
        Ok((HeaderMap::from_iter([(AUTHORIZATION, value)]), secrets))
    }
}

impl Authorization {
    /// Reports whether files have other credentials now than those of which [`Self::headers`] has returned the secrets, or whether
    /// an issuer gives others; `None` where they cannot change.
    pub async fn differs_from(&self, sent: &[Secret]) -> Option<bool> {
        let current = match self {
            Self::Basic { username, password } => {
                let is_file = username.is_file() || password.as_ref().is_some_and(LoadedSecret::is_file);
                let password = password.as_ref().map(LoadedSecret::current).unwrap_or_default();
                is_file.then(|| vec![pair(&username.current(), &password)])
            }
            Self::Bearer(token) => token.is_file().then(|| vec![token.current()]),
            Self::SigV4(signer) => signer.other_keys(sent).await,
            Self::OAuth2(source) => {
                source.discard(sent.first()?).await;
                Some(vec![source.token().await.ok()?])
            }
            Self::None => None,
        };
        Some(!sent.starts_with(&current?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::proxy::Proxy;
    use super::super::resolver::Resolver;
    use super::super::tls::Tls;
    use super::*;

    fn open(credentials: &Credentials) -> Result<Authorization, AuthorizationError> {
        let resolver = Resolver::start().expect("a thread");
        Authorization::open(credentials, &Issuers { tls: Tls::default(), proxy: Proxy::None, resolver })
    }

    fn headers(authorization: &Authorization) -> HeaderMap {
        let url = Url::parse("http://host/w").expect("valid");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let headers = runtime.block_on(authorization.headers(&url, &HeaderMap::new(), b""));
        headers.expect("valid").0
    }

    fn sent(credentials: &Credentials) -> Option<String> {
        let headers = headers(&open(credentials).expect("readable"));
        assert!(headers.values().all(HeaderValue::is_sensitive));
        headers.get(AUTHORIZATION).map(|value| value.to_str().expect("text").to_string())
    }

    #[test]
    fn each_kind_of_credentials_follows_its_specification() {
        let basic = |username: &str, password: Option<&str>| Credentials::Basic {
            username: username.into(),
            password: password.map(Into::into),
        };
        assert_eq!(sent(&Credentials::None), None);
        // RFC 7617, section 2.
        let aladdin = basic("Aladdin", Some("open sesame"));
        assert_eq!(sent(&aladdin).as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(sent(&basic("Aladdin", None)).as_deref(), Some("Basic QWxhZGRpbjo="));
        assert_eq!(sent(&basic("test", Some("123£"))).as_deref(), Some("Basic dGVzdDoxMjPCow=="));
        assert_eq!(sent(&Credentials::Bearer("mF_9.B5f-4.1JqM".into())).as_deref(), Some("Bearer mF_9.B5f-4.1JqM"));
    }

    #[test]
    fn files_are_read_for_every_request_and_line_breaks_are_trimmed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("token");
        fs::write(&path, " one\r\n").expect("written");
        let credentials = Credentials::Bearer(SecretSource::File(path.clone().into()));
        let authorization = open(&credentials).expect("readable");
        let sent = || headers(&authorization)[AUTHORIZATION].clone();
        assert_eq!(sent(), "Bearer one");
        fs::write(&path, "two").expect("written");
        assert_eq!(sent(), "Bearer two");
        fs::write(&path, "two\nlines").expect("written");
        assert_eq!(sent(), "Bearer two");
    }

    #[test]
    fn an_error_on_an_empty_file_names_the_option() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("password");
        fs::write(&path, "\n").expect("written");
        let credentials =
            Credentials::Basic { username: "me".into(), password: Some(SecretSource::File(path.clone().into())) };
        let error = open(&credentials).err().expect("wrong").to_string();
        assert_eq!(error, format!("passwordFile: {}: must not be empty", path.display()));
    }
}
