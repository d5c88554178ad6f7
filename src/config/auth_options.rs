//! Options of authentication, and the credentials that follow from them.

use crate::http::{self, AwsKeys, Credentials, FilePath, KeyPair, SecretSource};
use crate::secret::Secret;

/// Options of authentication. A signature takes precedence over a token, that over an `Authorization` header, and that over
/// user name and password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names of the options
pub struct AuthOptions {
    pub username: Option<SecretSource>,
    pub password: Option<SecretSource>,
    pub bearer_token: Option<SecretSource>,
    pub sigv4: SigV4Options,
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
    /// The shared credentials file, which has the profiles.
    pub file: Option<FilePath>,
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
            _ => AwsKeys::Profile {
                file: self.file.clone().unwrap_or_else(|| ".aws/credentials".into()),
                name: self.profile.clone().unwrap_or_else(|| "default".into()),
            },
        }
    }
}

/// Reports whether the headers have credentials.
pub(super) fn has_authorization(headers: &[(String, Secret)]) -> bool {
    headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}
