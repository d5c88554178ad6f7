//! Authentication: credentials, their sources, and the headers made from them.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::file::FilePath;
use super::secret_file::{SecretFile, SecretFileError};
use super::secret_url::pair;
use super::sigv4::{SigV4, Signer};
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
}

/// Source of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret itself.
    Inline(Secret),
    /// A file, which is read again for every request.
    File(FilePath),
}

impl<T: Into<Secret>> From<T> for SecretSource {
    fn from(text: T) -> Self {
        Self::Inline(text.into())
    }
}

/// Credentials with loaded secrets.
pub(super) enum Authorization {
    None,
    Basic { username: LoadedSecret, password: Option<LoadedSecret> },
    Bearer(LoadedSecret),
    SigV4(Signer),
}

/// Secret whose source was readable at least once.
pub(super) enum LoadedSecret {
    Inline(Secret),
    File(SecretFile<Secret>),
}

impl Authorization {
    /// Loads the secrets of `credentials`. Reads all their files, to find mistakes before the first request.
    pub fn open(credentials: &Credentials) -> Result<Self, SecretFileError> {
        Ok(match credentials {
            Credentials::None => Self::None,
            Credentials::Basic { username, password } => Self::Basic {
                username: LoadedSecret::open("usernameFile", username)?,
                password: password.as_ref().map(|password| LoadedSecret::open("passwordFile", password)).transpose()?,
            },
            Credentials::Bearer(token) => Self::Bearer(LoadedSecret::open("bearerTokenFile", token)?),
            Credentials::SigV4(settings) => Self::SigV4(Signer::open(settings)?),
        })
    }

    /// Description of the credentials in a request that also has the headers `others`, for log lines: "the request had …".
    pub fn description(&self, others: &HeaderMap) -> &'static str {
        match self {
            Self::Basic { .. } => "a user name and a password",
            Self::Bearer(_) => "a bearer token",
            Self::SigV4(_) => "an AWS signature",
            Self::None if others.contains_key(AUTHORIZATION) => "an Authorization header",
            Self::None => "no credentials",
        }
    }

    /// Returns the headers for a POST of `body` with the headers `others`, and the secrets that are in them in any form, those that
    /// identify the credentials first.
    pub fn headers(&self, url: &Url, others: &HeaderMap, body: &[u8]) -> Result<(HeaderMap, Vec<Secret>), String> {
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
            Self::SigV4(signer) => {
                let signed = signer.sign(url, others, body, SystemTime::now());
                return signed.map_err(|error| format!("failed to sign the request: {error}"));
            }
        };
        let mut value = HeaderValue::from_str(&authorization)
            .map_err(|_| "the credentials contain characters that are not valid in an HTTP header".to_string())?;
        value.set_sensitive(true);
        Ok((HeaderMap::from_iter([(AUTHORIZATION, value)]), secrets))
    }
}

impl Authorization {
    /// Reports whether files have other credentials now than those of which [`Self::headers`] has returned the secrets; `None`
    /// without files.
    pub fn differs_from(&self, sent: &[Secret]) -> Option<bool> {
        let current = match self {
            Self::Basic { username, password } => {
                let is_file = username.is_file() || password.as_ref().is_some_and(LoadedSecret::is_file);
                let password = password.as_ref().map(LoadedSecret::current).unwrap_or_default();
                is_file.then(|| vec![pair(&username.current(), &password)])
            }
            Self::Bearer(token) => token.is_file().then(|| vec![token.current()]),
            Self::SigV4(signer) => signer.current_keys_of_file(),
            Self::None => None,
        };
        Some(!sent.starts_with(&current?))
    }
}

impl LoadedSecret {
    fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    fn open(option: &'static str, source: &SecretSource) -> Result<Self, SecretFileError> {
        Ok(match source {
            SecretSource::Inline(text) => Self::Inline(text.clone()),
            SecretSource::File(path) => Self::File(SecretFile::open(option, path, parse_secret)?),
        })
    }

    fn current(&self) -> Secret {
        match self {
            Self::Inline(text) => text.clone(),
            Self::File(file) => file.current(),
        }
    }
}

/// Parses the text of a secret's file: one line, without the line break that editors add.
fn parse_secret(text: &str) -> Result<Secret, String> {
    match text.trim() {
        "" => Err("must not be empty".into()),
        text if text.contains(char::is_control) => Err("must be a single line".into()),
        text => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn sent(credentials: &Credentials) -> Option<String> {
        let authorization = Authorization::open(credentials).expect("readable");
        let url = Url::parse("http://host/w").expect("valid");
        let (headers, _) = authorization.headers(&url, &HeaderMap::new(), b"").expect("valid");
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
        let authorization =
            Authorization::open(&Credentials::Bearer(SecretSource::File(path.clone().into()))).expect("readable");
        let url = Url::parse("http://host/w").expect("valid");
        let sent = || authorization.headers(&url, &HeaderMap::new(), b"").expect("valid").0[AUTHORIZATION].clone();
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
        let error = Authorization::open(&credentials).err().expect("wrong").to_string();
        assert_eq!(error, format!("passwordFile: {}: must not be empty", path.display()));
    }
}
