//! Who ships: what options say of it, and what is sent of that.

use std::path::PathBuf;

use crate::http::{self, AwsKeys, KeyPair, SecretSource};
use crate::secret::Secret;

/// Who ships: a bearer token, or else an `Authorization` among the headers, or else basic authentication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // their names say it
pub struct AuthOptions {
    pub username: Option<SecretSource>,
    pub password: Option<SecretSource>,
    pub bearer_token: Option<SecretSource>,
}

/// How to sign requests for AWS, if a region is set once all is read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SigV4Options {
    pub region: Option<String>,
    pub service: String,
    pub access_key: Option<String>,
    pub secret_key: Option<Secret>,
    pub session_token: Option<Secret>,
    pub profile: Option<String>,
    /// Where profiles are.
    pub file: PathBuf,
}

impl Default for SigV4Options {
    fn default() -> Self {
        Self {
            region: None,
            service: "aps".into(),
            access_key: None,
            secret_key: None,
            session_token: None,
            profile: None,
            file: PathBuf::new(),
        }
    }
}

impl AuthOptions {
    /// What is sent, of all that there is.
    pub(super) fn sent(&self, sigv4: &SigV4Options, headers: &[(String, Secret)]) -> http::Credentials {
        if let Some(region) = &sigv4.region {
            let (region, service) = (region.clone(), sigv4.service.clone());
            return http::Credentials::SigV4(http::SigV4 { region, service, keys: sigv4.keys() });
        }
        match (&self.bearer_token, &self.username) {
            (Some(token), _) => http::Credentials::Bearer(token.clone()),
            (None, Some(username)) if !has_authorization(headers) => {
                http::Credentials::Basic { username: username.clone(), password: self.password.clone() }
            }
            _ => http::Credentials::None,
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
                file: self.file.clone(),
                name: self.profile.clone().unwrap_or_else(|| "default".into()),
            },
        }
    }
}

/// Whether the headers say themselves who ships.
pub(super) fn has_authorization(headers: &[(String, Secret)]) -> bool {
    headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}
