//! How https is spoken: whom this side believes, what it shows of itself, and which versions it takes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
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

use super::pem::{self, Broken};
use super::verifier::{FixedServerName, NoVerification};

/// How https is to be spoken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether the receiver may have any certificate.
    pub skip_verify: bool,
    /// The oldest version that may be spoken.
    pub minimum: TlsVersion,
    /// The file with the authorities to believe, instead of the system's.
    pub ca_certificate: Option<PathBuf>,
    /// The name that the receiver's certificate is to have, instead of the URL's host.
    pub server_name: Option<String>,
    /// The file with this side's certificate, and those of its authorities.
    pub client_certificate: Option<PathBuf>,
    /// The file with its key.
    pub client_certificate_key: Option<PathBuf>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TlsVersion {
    V1_2,
    #[default]
    V1_3,
}

/// What stands in the way of TLS, before any connection.
#[derive(Debug, ThisError)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{option}: {} cannot be read: {error}", path.display())]
    #[allow(missing_docs)]
    Unreadable { option: &'static str, path: PathBuf, error: io::Error },
    /// A file with a mistake.
    #[error("{option}: {}, line {line}: {problem}", path.display())]
    #[allow(missing_docs)]
    Broken { option: &'static str, path: PathBuf, line: usize, problem: String },
    /// A file without what it is for.
    #[error("{option}: {} has no {wanted} in PEM form; it has {found}", path.display())]
    #[allow(missing_docs)]
    Missing { option: &'static str, path: PathBuf, wanted: &'static str, found: String },
    /// Two files that do not belong together.
    #[error("{CLIENT_CERTIFICATE_KEY}: the key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    #[allow(missing_docs)]
    OtherKey { certificate: PathBuf, key: PathBuf },
    /// A key that cannot be used.
    #[error("{CLIENT_CERTIFICATE_KEY}: the key in {} cannot be used: {error}; RSA, ECDSA and Ed25519 can", key.display())]
    #[allow(missing_docs)]
    UnusableKey { key: PathBuf, error: Error },
    /// A name that nobody could have.
    #[error("tlsServerName is {0:?}; allowed is the name of a host, or an IP address")]
    ServerName(String),
    /// Nobody to believe.
    #[error(
        "this system has no certificates of authorities to believe ({0}): install them (often the package \
         ca-certificates), or name a file of them by caCertificate or SSL_CERT_FILE"
    )]
    NoAuthorities(Error),
}

const CA_CERTIFICATE: &str = "caCertificate";
const CLIENT_CERTIFICATE: &str = "clientCertificate";
const CLIENT_CERTIFICATE_KEY: &str = "clientCertificateKey";

impl Tls {
    /// What a TLS library needs to know. Reads the files, and the system's authorities.
    pub(super) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = match self.minimum {
            TlsVersion::V1_2 => &[&TLS13, &TLS12][..],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let verifier = self.verifier(&provider)?;
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("ring speaks both versions")
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(match (&self.client_certificate, &self.client_certificate_key) {
            (Some(certificate), Some(key)) => {
                let own = own_certificate(certificate, key, &provider)?;
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)))
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
                let builder = WebPkiServerVerifier::builder_with_provider(authorities(path)?, Arc::clone(provider));
                builder.build().expect("there is an authority, and no list of what is revoked")
            }
            None => Arc::new(Verifier::new(Arc::clone(provider)).map_err(TlsError::NoAuthorities)?),
        };
        Ok(match &self.server_name {
            Some(name) => {
                let valid = ServerName::try_from(name.clone()).map_err(|_| TlsError::ServerName(name.clone()))?;
                Arc::new(FixedServerName::new(valid, verifier))
            }
            None => verifier,
        })
    }
}

/// Believes nobody: for http, on a system without authorities.
pub(super) fn empty_trust_config() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().expect("ring speaks them");
    config.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

fn authorities(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    let text = read(CA_CERTIFICATE, path)?;
    for (certificate, line) in certificates(CA_CERTIFICATE, path, &text)? {
        store.add(certificate).map_err(|error| TlsError::Broken {
            option: CA_CERTIFICATE,
            path: path.into(),
            line,
            problem: format!("the certificate that begins here cannot be used: {error}"),
        })?;
    }
    Ok(Arc::new(store))
}

fn own_certificate(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(CLIENT_CERTIFICATE, certificate, &read(CLIENT_CERTIFICATE, certificate)?)?;
    let line = chain[0].1;
    let chain = chain.into_iter().map(|(certificate, _)| certificate).collect();
    let own = CertifiedKey::from_der(chain, private_key(key)?, provider);
    own.map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::OtherKey { certificate: certificate.into(), key: key.into() }
        }
        Error::InvalidCertificate(_) => TlsError::Broken {
            option: CLIENT_CERTIFICATE,
            path: certificate.into(),
            line,
            problem: format!("the certificate that begins here cannot be used: {error}"),
        },
        error => TlsError::UnusableKey { key: key.into(), error },
    })
}

/// The certificates of a file, at least one, with the lines that they begin in.
fn certificates(
    option: &'static str,
    path: &Path,
    text: &str,
) -> Result<Vec<(CertificateDer<'static>, usize)>, TlsError> {
    let sections = pem::sections(text).map_err(|broken| at(option, path, broken))?;
    let certificates = sections.iter().filter(|section| section.label == "CERTIFICATE");
    let certificates: Vec<_> = certificates
        .map(|section| section.read().map(|certificate| (certificate, section.line)))
        .collect::<Result<_, _>>()
        .map_err(|broken| at(option, path, broken))?;
    if certificates.is_empty() { Err(missing(option, path, "certificate", &sections)) } else { Ok(certificates) }
}

/// The first key of a file: PKCS#8, RSA (PKCS#1) or SEC1.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = zeroize::Zeroizing::new(read(CLIENT_CERTIFICATE_KEY, path)?);
    let broken = |broken| at(CLIENT_CERTIFICATE_KEY, path, broken);
    let sections = pem::sections(&text).map_err(broken)?;
    let is_key = |section: &&pem::Section<'_>| section.label.ends_with("PRIVATE KEY");
    let Some(section) = sections.iter().find(is_key) else {
        return Err(missing(CLIENT_CERTIFICATE_KEY, path, "private key", &sections));
    };
    if section.is_encrypted() {
        let problem = "is encrypted, and nobody is there to type its password: write it without one, by \
                       openssl pkey -in <this file> -out <another>";
        return Err(broken(section.broken(problem)));
    }
    section.read().map_err(broken)
}

fn read(option: &'static str, path: &Path) -> Result<String, TlsError> {
    let unreadable = |error| TlsError::Unreadable { option, path: path.into(), error };
    // Text between the sections may be of any encoding.
    Ok(String::from_utf8_lossy(&fs::read(path).map_err(unreadable)?).into_owned())
}

fn at(option: &'static str, path: &Path, Broken { line, problem }: Broken) -> TlsError {
    TlsError::Broken { option, path: path.into(), line, problem }
}

fn missing(option: &'static str, path: &Path, wanted: &'static str, sections: &[pem::Section<'_>]) -> TlsError {
    let found = match sections {
        [] => "nothing of the kind".into(),
        sections => sections.iter().map(|section| section.label).collect::<Vec<_>>().join(", "),
    };
    TlsError::Missing { option, path: path.into(), wanted, found }
}
