//! What tells the receiver who ships: a kind of credentials, and where they are.

use std::path::PathBuf;
use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;

use super::secret_file::{SecretFile, SecretFileError};
use super::sigv4::{SigV4, Signer};
use crate::secret::Secret;

/// Who ships.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody says.
    #[default]
    None,
    /// HTTP's basic authentication.
    Basic {
        /// Without a colon.
        username: SecretSource,
        /// Any text.
        password: Option<SecretSource>,
    },
    /// A token.
    Bearer(SecretSource),
    /// Signatures for AWS.
    SigV4(SigV4),
}

/// A text, here or in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The text itself.
    Inline(Secret),
    /// The file, which is read again for every request.
    File(PathBuf),
}

impl<T: Into<Secret>> From<T> for SecretSource {
    fn from(text: T) -> Self {
        Self::Inline(text.into())
    }
}

/// Credentials that are at hand.
pub(super) enum Authorization {
    None,
    Basic { username: LoadedSecret, password: Option<LoadedSecret> },
    Bearer(LoadedSecret),
    SigV4(Signer),
}

pub(super) enum LoadedSecret {
    Inline(Secret),
    File(SecretFile<Secret>),
}

impl Authorization {
    /// Looks into all files for the first time.
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

    /// What is sent, beside these headers, for people.
    pub fn kind(&self, others: &HeaderMap) -> &'static str {
        match self {
            Self::Basic { .. } => "a user name and a password",
            Self::Bearer(_) => "a bearer token",
            Self::SigV4(_) => "a signature for AWS",
            Self::None if others.contains_key(AUTHORIZATION) => "an Authorization header",
            Self::None => "none",
        }
    }

    /// The headers that go with a POST of `body`, and all secrets that are in them in another form.
    pub fn headers(&self, url: &Url, others: &HeaderMap, body: &[u8]) -> Result<(HeaderMap, Vec<Secret>), String> {
        let (authorization, inside) = match self {
            Self::None => return Ok(Default::default()),
            Self::Basic { username, password } => {
                let password = password.as_ref().map_or_else(|| "".into(), LoadedSecret::current);
                let pair = Secret::from(format!("{}:{}", username.current().expose(), password.expose()));
                (format!("Basic {}", BASE64_STANDARD.encode(pair.expose())), vec![password])
            }
            Self::Bearer(token) => {
                let token = token.current();
                (format!("Bearer {}", token.expose()), vec![token])
            }
            Self::SigV4(signer) => {
                let signed = signer.sign(url, others, body, SystemTime::now());
                let headers = signed.map_err(|error| format!("the request cannot be signed: {error}"))?;
                return Ok((headers, Vec::new()));
            }
        };
        let mut value = HeaderValue::from_str(Secret::from(authorization).expose())
            .map_err(|_| "the credentials have characters that no header can have".to_string())?;
        value.set_sensitive(true);
        Ok((HeaderMap::from_iter([(AUTHORIZATION, value)]), inside))
    }
}

impl LoadedSecret {
    fn open(option: &'static str, source: &SecretSource) -> Result<Self, SecretFileError> {
        Ok(match source {
            SecretSource::Inline(text) => Self::Inline(text.clone()),
            SecretSource::File(path) => Self::File(SecretFile::open(option, path, text_of)?),
        })
    }

    fn current(&self) -> Secret {
        match self {
            Self::Inline(text) => text.clone(),
            Self::File(file) => file.current(),
        }
    }
}

/// Editors end files with a line break, which is nobody's password.
fn text_of(text: &str) -> Result<Secret, String> {
    match text.trim() {
        "" => Err("is empty".into()),
        text if text.contains(char::is_control) => Err("has more than one line".into()),
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
    fn each_kind_is_sent_as_its_specification_says() {
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
    fn files_are_read_for_every_request_without_their_line_breaks() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs::write(&path, " one\r\n").expect("written");
        let authorization =
            Authorization::open(&Credentials::Bearer(SecretSource::File(path.clone()))).expect("readable");
        let url = Url::parse("http://host/w").expect("valid");
        let sent = || authorization.headers(&url, &HeaderMap::new(), b"").expect("valid").0[AUTHORIZATION].clone();
        assert_eq!(sent(), "Bearer one");
        fs::write(&path, "two").expect("written");
        assert_eq!(sent(), "Bearer two");
        fs::write(&path, "two\nlines").expect("written");
        assert_eq!(sent(), "Bearer two");
    }

    #[test]
    fn a_file_without_a_secret_is_told_with_its_option() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        fs::write(&path, "\n").expect("written");
        let credentials =
            Credentials::Basic { username: "me".into(), password: Some(SecretSource::File(path.clone())) };
        let error = Authorization::open(&credentials).err().expect("wrong").to_string();
        assert_eq!(error, format!("passwordFile: {} is empty", path.display()));
    }
}
