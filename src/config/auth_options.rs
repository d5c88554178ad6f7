//! Options of authentication, and the credentials that follow from them.

use crate::http::{self, AwsKeys, Credentials, FilePath, KeyPair, OAuth2, SecretSource, SecretUrl};
use crate::secret::Secret;

/// Options of authentication. A signature and OAuth 2.0 exclude all others; a token takes precedence over an `Authorization`
/// header, and that over user name and password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names of the options
pub struct AuthOptions {
    pub username: Option<SecretSource>,
    pub password: Option<SecretSource>,
    pub bearer_token: Option<SecretSource>,
    pub sigv4: SigV4Options,
    pub oauth2: OAuth2Options,
}

/// Options of AWS signatures. Requests are signed if a region is set once all sources are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SigV4Options {
    pub region: Option<String>,
    pub service: String,
    pub access_key: Option<Secret>,
    pub secret_key: Option<Secret>,
    pub session_token: Option<Secret>,
    pub profile: Option<String>,
    /// The shared credentials file.
    pub credentials_file: Option<FilePath>,
    /// The shared config file.
    pub config_file: Option<FilePath>,
}

/// Options of OAuth 2.0 client credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct OAuth2Options {
    pub client_id: Option<Secret>,
    pub client_secret: Option<SecretSource>,
    pub token_url: Option<SecretUrl>,
    pub scopes: Vec<String>,
    pub parameters: Vec<(String, Secret)>,
}

impl AuthOptions {
    /// The credentials of requests that have these headers.
    pub fn credentials(&self, headers: &[(String, Secret)]) -> Credentials {
        if let Some(region) = self.sigv4.region.clone() {
            return Credentials::SigV4(http::SigV4 {
                region,
                service: self.sigv4.service.clone(),
                keys: self.sigv4.keys(),
            });
        }
        if let Some(oauth2) = self.oauth2.credentials() {
            return Credentials::OAuth2(oauth2);
        }
        match (&self.bearer_token, &self.username) {
            (Some(token), _) => Credentials::Bearer(token.clone()),
            (None, Some(username)) if !has_authorization(headers) => {
                Credentials::Basic { username: username.clone(), password: self.password.clone() }
            }
            _ => Credentials::None,
        }
    }
}

impl SigV4Options {
    fn keys(&self) -> AwsKeys {
        match (&self.access_key, &self.secret_key) {
            (Some(access_key), Some(secret_key)) => AwsKeys::Inline(KeyPair {
                access_key: access_key.clone(),
                secret_key: secret_key.clone(),
                session_token: self.session_token.clone(),
            }),
            _ => AwsKeys::Shared {
                credentials_file: self.credentials_file.clone().unwrap_or_else(|| ".aws/credentials".into()),
                config_file: self.config_file.clone().unwrap_or_else(|| ".aws/config".into()),
                profile: self.profile.clone(),
            },
        }
    }
}

impl OAuth2Options {
    fn credentials(&self) -> Option<OAuth2> {
        Some(OAuth2 {
            client_id: self.client_id.clone()?,
            client_secret: self.client_secret.clone()?,
            token_url: self.token_url.clone()?,
            scopes: self.scopes.clone(),
            parameters: self.parameters.clone(),
        })
    }

    /// Returns the options that are required and not set.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let required = [
            ("oauth2ClientId", self.client_id.is_some()),
            ("oauth2ClientSecret", self.client_secret.is_some()),
            ("oauth2TokenUrl", self.token_url.is_some()),
        ];
        required.into_iter().filter(|(_, is_set)| !is_set).map(|(name, _)| name).collect()
    }
}

/// Reports whether the headers have credentials.
pub(super) fn has_authorization(headers: &[(String, Secret)]) -> bool {
    headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}
