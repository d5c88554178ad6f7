//! AWS signatures, version 4: one for each request, over its headers and its body.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningError, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::aws_identity::{AwsIdentity, IdentityKeys};
use super::aws_keys::KeyPair;
use super::file::FilePath;
use super::issuers::Issuers;
use super::secret_file::{SecretFile, SecretFileError};
use crate::secret::Secret;

/// Settings for AWS signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigV4 {
    /// Region of the receiver.
    pub region: String,
    /// AWS's name of the service: `aps` is Amazon Managed Service for Prometheus.
    pub service: String,
    /// Keys to sign with.
    pub keys: AwsKeys,
}

/// Source of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsKeys {
    /// The keys themselves.
    Inline(KeyPair),
    /// Those of a profile or of another identity, in the order of AWS's tools.
    Shared {
        /// Shared credentials file. Keys that it has for the profile are read again for every request.
        credentials_file: FilePath,
        /// Shared config file, which has profiles without keys.
        config_file: FilePath,
        /// Profile; without one it is `default`, or the identity of the machine or pod.
        profile: Option<String>,
    },
}

/// Signs requests with the current keys.
pub(super) struct Signer {
    region: String,
    service: String,
    keys: KeySource,
    /// The signature covers the body in either case. With a separate checksum header the receiver can report which part differs.
    checksum: PayloadChecksumKind,
}

enum KeySource {
    Inline(KeyPair),
    Profile(SecretFile<KeyPair>),
    Identity(Box<IdentityKeys>),
}

impl Signer {
    /// Creates a signer. Reads the keys' file, to find mistakes before the first request.
    pub fn open(settings: &SigV4, issuers: &Issuers) -> Result<Self, SecretFileError> {
        let keys = match &settings.keys {
            AwsKeys::Inline(pair) => KeySource::Inline(pair.clone()),
            AwsKeys::Shared { credentials_file, config_file, profile } => {
                let name = profile.clone().unwrap_or_else(|| DEFAULT_PROFILE.into());
                let text =
                    |file: &FilePath| file.read().map(|bytes| Zeroizing::new(String::from_utf8_lossy(&bytes).into()));
                let section = |file| text(file).ok().and_then(|text: Zeroizing<String>| Section::find(&text, &name));
                let is_elsewhere = match section(credentials_file) {
                    Some(section) => !section.has_keys(),
                    None => profile.is_none() || section(config_file).is_some(),
                };
                if is_elsewhere {
                    let identity = AwsIdentity { profile: profile.clone() };
                    KeySource::Identity(Box::new(IdentityKeys::new(identity, &settings.region, issuers.clone())))
                } else {
                    let parse = move |text: &str| parse_profile(text, &name);
                    KeySource::Profile(SecretFile::open("sigV4Profile", credentials_file, parse)?)
                }
            }
        };
        let (region, service) = (settings.region.clone(), settings.service.clone());
        Ok(Self { region, service, keys, checksum: PayloadChecksumKind::XAmzSha256 })
    }

    /// Description of the credentials, for log lines: "the request had …".
    pub fn description(&self) -> &'static str {
        match self.keys {
            KeySource::Inline(_) | KeySource::Profile(_) => "an AWS signature",
            KeySource::Identity(_) => "an AWS signature of a role",
        }
    }

    /// Returns the current keys.
    ///
    /// # Errors
    /// Why an identity has none, without secrets.
    pub async fn keys(&self) -> Result<KeyPair, String> {
        Ok(match &self.keys {
            KeySource::Inline(pair) => pair.clone(),
            KeySource::Profile(file) => file.current(),
            KeySource::Identity(identity) => identity.current().await?,
        })
    }

    /// Returns the headers that sign a POST of `body` with `headers` at the time `now`, and the secrets that they have or are made
    /// from.
    pub fn sign(
        &self,
        pair: KeyPair,
        url: &Url,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(HeaderMap, Vec<Secret>), SigningError> {
        let token = pair.session_token.as_ref().map(|token| token.expose().to_string());
        let identity =
            Credentials::new(pair.access_key.expose(), pair.secret_key.expose(), token, None, "k6-remote-write").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = self.checksum;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(now)
            .settings(settings)
            .build()
            .expect("all parameters are set")
            .into();
        let headers = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let request = SignableRequest::new("POST", url.as_str(), headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        let signed = instructions.headers().filter_map(|(name, value)| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        });
        let signed: HeaderMap = signed.collect();
        let signature = signed.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.rsplit_once("Signature="));
        let signature = signature.map(|(_, signature)| Secret::from(signature));
        Ok((signed, pair.into_secrets().into_iter().chain(signature).collect()))
    }

    /// Returns the secrets of the current keys, if they are in a file, and of new ones if those that were sent are of an identity.
    pub async fn other_keys(&self, sent: &[Secret]) -> Option<Vec<Secret>> {
        match &self.keys {
            KeySource::Inline(_) => None,
            KeySource::Profile(file) => Some(file.current().into_secrets()),
            KeySource::Identity(identity) => {
                identity.discard(|keys| sent.starts_with(&keys.clone().into_secrets())).await;
                Some(identity.current().await.ok()?.into_secrets())
            }
        }
    }
}

/// Name of the profile where none is set.
const DEFAULT_PROFILE: &str = "default";

/// Fields of one profile in a shared file: `[name]`, or `[profile name]` in a config file, and below it `key = value`.
struct Section(Vec<(String, Zeroizing<String>)>);

impl Section {
    fn find(text: &str, profile: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
        let heading = |line: &str| {
            let name = line.strip_prefix('[')?.split_once(']')?.0.trim();
            Some(name.strip_prefix("profile ").map_or(name, str::trim).to_string())
        };
        let mut lines = lines.skip_while(|line| heading(line).as_deref() != Some(profile)).peekable();
        lines.next()?;
        let fields = lines.take_while(|line| heading(line).is_none()).filter_map(|line| line.split_once('='));
        let field =
            |(name, value): (&str, &str)| (name.trim().to_ascii_lowercase(), Zeroizing::new(value.trim().into()));
        Some(Self(fields.map(field).collect()))
    }

    fn field(&self, wanted: &str) -> Option<Secret> {
        let found = self.0.iter().find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| value.as_str().into())
    }

    fn has_keys(&self) -> bool {
        self.field("aws_access_key_id").is_some() || self.field("aws_secret_access_key").is_some()
    }
}

/// Parses the keys of one profile.
fn parse_profile(text: &str, profile: &str) -> Result<KeyPair, String> {
    let section = Section::find(text, profile).ok_or_else(|| format!("profile {profile:?} not found"))?;
    let required = |name: &str| section.field(name).ok_or_else(|| format!("{name} not found in profile {profile:?}"));
    Ok(KeyPair {
        access_key: required("aws_access_key_id")?,
        secret_key: required("aws_secret_access_key")?,
        session_token: section.field("aws_session_token"),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    use PayloadChecksumKind::{NoHeader, XAmzSha256};

    const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const TOKEN: &str = concat!(
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRq",
        "TflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75Y",
        "U9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9K",
        "SYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
    );
    const FORM: &str = "application/x-www-form-urlencoded";
    const FORM_UTF8: &str = "application/x-www-form-urlencoded; charset=utf-8";

    /// AWS's signing test suite, version 4: all POST requests that differ on the wire.
    #[test]
    fn signatures_match_the_test_suite_of_aws() {
        type Vector<'a> =
            (&'a str, &'a str, &'a [(&'static str, &'a str)], &'a str, Option<&'a str>, PayloadChecksumKind, &'a str);
        let vectors: &[Vector<'_>] = &[
            (
                "post-vanilla",
                "/",
                &[],
                "",
                None,
                NoHeader,
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-vanilla-query",
                "/?Param1=value1",
                &[],
                "",
                None,
                NoHeader,
                "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
            ),
            (
                "post-header-key-sort",
                "/",
                &[("my-header1", "value1")],
                "",
                None,
                NoHeader,
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                "post-header-value-case",
                "/",
                &[("my-header1", "VALUE1")],
                "",
                None,
                NoHeader,
                "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            ),
            (
                "post-sts-header-before",
                "/",
                &[],
                "",
                Some(TOKEN),
                NoHeader,
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
            (
                "post-x-www-form-urlencoded",
                "/",
                &[("content-type", FORM), ("content-length", "13")],
                "Param1=value1",
                None,
                XAmzSha256,
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ),
            (
                "post-x-www-form-urlencoded-parameters",
                "/",
                &[("content-type", FORM_UTF8), ("content-length", "13")],
                "Param1=value1",
                None,
                XAmzSha256,
                "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
            ),
        ];
        // 2015-08-30T12:36:00Z
        let time = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        for &(name, path, headers, body, token, checksum, signature) in vectors {
            let keys = KeyPair {
                access_key: "AKIDEXAMPLE".into(),
                secret_key: KEY.into(),
                session_token: token.map(Into::into),
            };
            let (region, service) = ("us-east-1".into(), "service".into());
            let signer = Signer { region, service, keys: KeySource::Inline(keys.clone()), checksum };
            let headers = headers
                .iter()
                .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("valid")));
            let url = Url::parse(&format!("https://example.amazonaws.com{path}")).expect("valid");
            let (signed, secrets) = signer.sign(keys, &url, &headers.collect(), body.as_bytes(), time).expect("signed");
            assert!(secrets.contains(&KEY.into()) && secrets.contains(&signature.into()), "{name}");
            let authorization = signed["authorization"].to_str().expect("text");
            assert!(authorization.ends_with(&format!("Signature={signature}")), "{name}: {authorization}");
            assert!(signed.iter().all(|(_, value)| value.is_sensitive()), "{name}");
        }
    }

    #[test]
    fn a_profile_is_read_from_a_shared_credentials_file() {
        let text = "\
# of the team
[default]
aws_access_key_id = AKID0
aws_secret_access_key=k/0+=

[profile load]
region = eu-west-1
  AWS_Access_Key_Id = AKID1
; aws_secret_access_key = old
aws_secret_access_key = k1
aws_session_token = t1==
[empty]
";
        let pair = |access_key: &str, secret_key: &str, token: Option<&str>| KeyPair {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            session_token: token.map(Into::into),
        };
        assert_eq!(parse_profile(text, "default"), Ok(pair("AKID0", "k/0+=", None)));
        assert_eq!(parse_profile(text, "load"), Ok(pair("AKID1", "k1", Some("t1=="))));
        assert_eq!(parse_profile(text, "empty"), Err("aws_access_key_id not found in profile \"empty\"".into()));
        assert_eq!(parse_profile(text, "other"), Err("profile \"other\" not found".into()));
    }
}
