//! TLS client settings: trusted CAs, client certificate, minimum version.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error, InconsistentKeys, RootCertStore};
use rustls_platform_verifier::Verifier;
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

use super::file::FilePath;
use super::pem::{self, PemError};
use super::verifier::{FixedServerName, NoVerification};

/// TLS settings of a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Disables the verification of the receiver's certificate.
    pub skip_verify: bool,
    /// Minimum version.
    pub minimum: TlsVersion,
    /// File of trusted CAs, in place of the system's.
    pub ca_certificate: Option<FilePath>,
    /// Name that the receiver's certificate must have, in place of the URL's host.
    pub server_name: Option<String>,
    /// File of the client certificate, with its intermediate CAs.
    pub client_certificate: Option<FilePath>,
    /// File of the client certificate's private key.
    pub client_certificate_key: Option<FilePath>,
}

/// TLS version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TlsVersion {
    V1_2,
    #[default]
    V1_3,
}

/// Why TLS settings are not valid. Detected before any connection.
#[derive(Debug, ThisError)]
pub enum TlsError {
    /// A file is not readable.
    #[error("{option}: {}: {problem}", path.shown())]
    #[allow(missing_docs)]
    Unreadable { option: &'static str, path: FilePath, problem: String },
    /// A file has a mistake.
    #[error("{option}: {}, line {line}: {problem}", path.shown())]
    #[allow(missing_docs)]
    Invalid { option: &'static str, path: FilePath, line: usize, problem: String },
    /// A file does not contain what its option needs.
    #[error("{option}: {}: must contain a {wanted} in PEM format, but contains {found}", path.shown())]
    #[allow(missing_docs)]
    Missing { option: &'static str, path: FilePath, wanted: &'static str, found: String },
    /// Key and certificate do not match.
    #[error("{CLIENT_CERTIFICATE_KEY}: {}: the key does not match the certificate in {}", key.shown(), certificate.shown())]
    #[allow(missing_docs)]
    KeyMismatch { certificate: FilePath, key: FilePath },
    /// The key is not valid, or its type is not supported.
    #[error("{CLIENT_CERTIFICATE_KEY}: {}: invalid key: {error}; must be an RSA, ECDSA or Ed25519 key", key.shown())]
    #[allow(missing_docs)]
    InvalidKey { key: FilePath, error: Error },
    /// `tlsServerName` is not a name that a certificate can have.
    #[error("invalid tlsServerName {0:?}: must be a host name or an IP address")]
    InvalidServerName(String),
    /// The system has no trusted CAs.
    #[error(
        "this system has no trusted CA certificates ({0}): install them (often the package ca-certificates), or set \
         caCertificate or SSL_CERT_FILE to a file of trusted CAs"
    )]
    NoTrustedCa(Error),
}

const CA_CERTIFICATE: &str = "caCertificate";
const CLIENT_CERTIFICATE: &str = "clientCertificate";
const CLIENT_CERTIFICATE_KEY: &str = "clientCertificateKey";

impl Tls {
    /// Returns the configuration for the TLS library. Reads the files, or the system's trusted CAs.
    pub(super) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = match self.minimum {
            TlsVersion::V1_2 => &[&TLS13, &TLS12][..],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let verifier = self.verifier(&provider)?;
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("ring supports both versions")
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(match (&self.client_certificate, &self.client_certificate_key) {
            (Some(certificate), Some(key)) => {
                let certified_key = certified_key(certificate, key, &provider)?;
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified_key)))
            }
            _ => config.with_no_client_auth(),
        })
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        if self.skip_verify {
            return Ok(Arc::new(NoVerification::new(provider)));
        }
        let verifier: Arc<dyn ServerCertVerifier> = match &self.ca_certificate {
            Some(path) => {
                let builder = WebPkiServerVerifier::builder_with_provider(trusted_cas(path)?, Arc::clone(provider));
                builder.build().expect("there is a trusted CA, and no revocation list")
            }
            None => Arc::new(Verifier::new(Arc::clone(provider)).map_err(TlsError::NoTrustedCa)?),
        };
        Ok(match &self.server_name {
            Some(name) => {
                let valid =
                    ServerName::try_from(name.clone()).map_err(|_| TlsError::InvalidServerName(name.clone()))?;
                Arc::new(FixedServerName::new(valid, verifier))
            }
            None => verifier,
        })
    }
}

/// Returns a configuration that trusts no CA: for http on a system without trusted CAs.
pub(super) fn empty_trust_config() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().expect("ring supports them");
    config.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

fn trusted_cas(path: &FilePath) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    let text = read(CA_CERTIFICATE, path)?;
    for (certificate, line) in certificates(CA_CERTIFICATE, path, &text)? {
        store.add(certificate).map_err(|error| TlsError::Invalid {
            option: CA_CERTIFICATE,
            path: path.clone(),
            line,
            problem: format!("invalid certificate: {error}"),
        })?;
    }
    Ok(Arc::new(store))
}

/// Reads the client certificate and its key.
fn certified_key(certificate: &FilePath, key: &FilePath, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(CLIENT_CERTIFICATE, certificate, &read(CLIENT_CERTIFICATE, certificate)?)?;
    let line = chain[0].1;
    let chain = chain.into_iter().map(|(certificate, _)| certificate).collect();
    let certified_key = CertifiedKey::from_der(chain, private_key(key)?, provider);
    certified_key.map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::KeyMismatch { certificate: certificate.clone(), key: key.clone() }
        }
        Error::InvalidCertificate(_) => TlsError::Invalid {
            option: CLIENT_CERTIFICATE,
            path: certificate.clone(),
            line,
            problem: format!("invalid certificate: {error}"),
        },
        error => TlsError::InvalidKey { key: key.clone(), error },
    })
}

/// Reads the certificates of a file, at least one, each with its first line.
fn certificates(
    option: &'static str,
    path: &FilePath,
    text: &str,
) -> Result<Vec<(CertificateDer<'static>, usize)>, TlsError> {
    let sections = pem::sections(text).map_err(|error| at(option, path, error))?;
    let certificates = sections.iter().filter(|section| section.label == "CERTIFICATE");
    let certificates: Vec<_> = certificates
        .map(|section| section.decode().map(|certificate| (certificate, section.line)))
        .collect::<Result<_, _>>()
        .map_err(|error| at(option, path, error))?;
    if certificates.is_empty() { Err(missing(option, path, "certificate", &sections)) } else { Ok(certificates) }
}

/// Reads the first key of a file: PKCS#8, RSA (PKCS#1) or SEC1.
fn private_key(path: &FilePath) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(CLIENT_CERTIFICATE_KEY, path)?;
    let invalid = |error| at(CLIENT_CERTIFICATE_KEY, path, error);
    let sections = pem::sections(&text).map_err(invalid)?;
    let is_key = |section: &&pem::Section<'_>| section.label.ends_with("PRIVATE KEY");
    let Some(section) = sections.iter().find(is_key) else {
        return Err(missing(CLIENT_CERTIFICATE_KEY, path, "private key", &sections));
    };
    if section.is_encrypted() {
        let problem =
            "the private key must not be encrypted: decrypt it with openssl pkey -in <this file> -out <new file>";
        return Err(invalid(section.error(problem)));
    }
    section.decode().map_err(invalid)
}

fn read(option: &'static str, path: &FilePath) -> Result<Zeroizing<String>, TlsError> {
    let bytes = path.read().map_err(|problem| TlsError::Unreadable { option, path: path.clone(), problem })?;
    // Text between the sections may have any encoding.
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Adds option and file to an error.
fn at(option: &'static str, path: &FilePath, PemError { line, problem }: PemError) -> TlsError {
    TlsError::Invalid { option, path: path.clone(), line, problem }
}

fn missing(option: &'static str, path: &FilePath, wanted: &'static str, sections: &[pem::Section<'_>]) -> TlsError {
    let found = match sections {
        [] => "no PEM section".into(),
        sections => sections.iter().map(|section| section.label).collect::<Vec<_>>().join(", "),
    };
    TlsError::Missing { option, path: path.clone(), wanted, found }
}
