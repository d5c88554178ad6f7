//! TLS client settings: trusted CAs, client certificate, minimum version.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error, InconsistentKeys, RootCertStore};
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

use super::file::FilePath;
use super::pem::{self, PemError};
use super::session::{LastHandshake, TlsVersion};
use super::trust::{self, NoTrustedCa};
use super::verifier::{NoVerification, ProxyVerifier, Remembering};

/// TLS settings of a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Disables the verification of the receiver's certificate.
    pub skip_verify: bool,
    /// Minimum version.
    pub minimum: TlsVersion,
    /// File of trusted CAs, in place of the system's.
    pub ca_certificate: Option<FilePath>,
    /// Name of the receiver in the handshake and in its certificate, in place of the URL's host.
    pub server_name: Option<String>,
    /// File of the client certificate, with its intermediate CAs.
    pub client_certificate: Option<FilePath>,
    /// File of the client certificate's private key.
    pub client_certificate_key: Option<FilePath>,
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
    /// A client certificate would also go to an https proxy, since the HTTP library has one TLS configuration for both.
    #[error(
        "{CLIENT_CERTIFICATE} cannot be used with an https proxy, which would get it, too: use an http or socks5 proxy, \
         through which TLS with the receiver stays end to end"
    )]
    ClientCertificateForProxy,
    /// The system has no trusted CAs.
    #[error(transparent)]
    NoTrustedCa(#[from] NoTrustedCa),
}

const CA_CERTIFICATE: &str = "caCertificate";
const CLIENT_CERTIFICATE: &str = "clientCertificate";
const CLIENT_CERTIFICATE_KEY: &str = "clientCertificateKey";

/// What a connection is to. The client certificate and `tlsServerName` are for receivers alone, and without verification an
/// issuer would give its credentials to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Receiver,
    /// Of credentials: a token endpoint, a service of AWS. The CAs of `caCertificate` are trusted beside the system's, since it may
    /// be another's, and TLS 1.2 is accepted.
    Issuer,
}

/// The names of those to which TLS connections are made.
#[derive(Debug)]
pub(super) struct Names {
    /// The host of the server's URL, if that is https.
    pub server: Option<ServerName<'static>>,
    /// The host of an https proxy.
    pub proxy: Option<ServerName<'static>>,
}

impl Tls {
    /// Returns the settings for connections to `peer`, of which `last` will have the last handshake. Reads the files, or the
    /// system's trusted CAs.
    pub(super) fn config(&self, peer: Peer, names: Names, last: LastHandshake) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = match (self.minimum, peer) {
            (TlsVersion::V1_3, Peer::Receiver) => &[&TLS13][..],
            _ => &[&TLS13, &TLS12],
        };
        let server: Arc<dyn ServerCertVerifier> = match peer {
            Peer::Receiver if self.skip_verify => Arc::new(NoVerification::new(&provider)),
            Peer::Receiver => match self.trusted_cas()? {
                Some(certificates) => trust::only(certificates, &provider),
                None => trust::system_and(Vec::new(), &provider)?,
            },
            Peer::Issuer => self.system_and_trusted_cas(&provider)?,
        };
        let proxy = match names.proxy {
            None => None,
            Some(name) => Some(ProxyVerifier {
                verifier: match self.skip_verify {
                    true => Arc::new(NoVerification::new(&provider)),
                    false => self.system_and_trusted_cas(&provider)?,
                },
                is_server: names.server.as_ref() == Some(&name),
                name,
            }),
        };
        let has_https_proxy = proxy.is_some();
        let server_name = if peer == Peer::Receiver { self.server_name()? } else { None };
        let verifier = Arc::new(Remembering { server, server_name, proxy, last });
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_protocol_versions(versions).expect("ring supports both versions");
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        Ok(match (&self.client_certificate, &self.client_certificate_key) {
            (Some(_), Some(_)) if peer == Peer::Receiver && has_https_proxy => {
                return Err(TlsError::ClientCertificateForProxy);
            }
            (Some(certificate), Some(key)) if peer == Peer::Receiver => {
                let certified_key = certified_key(certificate, key, &provider)?;
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified_key)))
            }
            _ => config.with_no_client_auth(),
        })
    }

    /// Returns the name for the handshake with the receiver, if it is not the URL's host.
    pub(super) fn server_name(&self) -> Result<Option<ServerName<'static>>, TlsError> {
        let name =
            |name: &String| ServerName::try_from(name.clone()).map_err(|_| TlsError::InvalidServerName(name.clone()));
        self.server_name.as_ref().map(name).transpose()
    }

    /// Returns a verifier for those that may be another's.
    fn system_and_trusted_cas(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        Ok(trust::system_and(self.trusted_cas()?.unwrap_or_default(), provider)?)
    }

    /// Returns the certificates of `caCertificate`, each of which is valid as a CA.
    fn trusted_cas(&self) -> Result<Option<Vec<CertificateDer<'static>>>, TlsError> {
        let Some(path) = &self.ca_certificate else { return Ok(None) };
        let text = read(CA_CERTIFICATE, path)?;
        let certificates = certificates(CA_CERTIFICATE, path, &text)?.into_iter().map(|(certificate, line)| {
            let invalid = |error| TlsError::Invalid {
                option: CA_CERTIFICATE,
                path: path.clone(),
                line,
                problem: format!("invalid certificate: {error}"),
            };
            RootCertStore::empty().add(certificate.clone()).map_err(invalid)?;
            Ok(certificate)
        });
        certificates.collect::<Result<_, _>>().map(Some)
    }
}

/// Returns a configuration that trusts no CA: for http on a system without trusted CAs.
pub(super) fn empty_trust_config() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().expect("ring supports them");
    config.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

/// Reads the client certificate and its key.
fn certified_key(certificate: &FilePath, key: &FilePath, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(CLIENT_CERTIFICATE, certificate, &read(CLIENT_CERTIFICATE, certificate)?)?;
    let line = chain[0].1;
    let chain: Vec<_> = chain.into_iter().map(|(certificate, _)| certificate).collect();
    let invalid_key = |error| TlsError::InvalidKey { key: key.clone(), error };
    let signing_key = provider.key_provider.load_private_key(private_key(key)?).map_err(invalid_key)?;
    let of_version_1 = is_of_version_1(&chain[0]);
    let certified_key = CertifiedKey::new(chain, signing_key);
    // The TLS library does not read certificates of version 1, but sends them.
    let matches = match certified_key.key.public_key() {
        Some(key) if of_version_1 && contains(&certified_key.cert[0], &key) => Ok(()),
        Some(_) if of_version_1 => Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)),
        _ => certified_key.keys_match(),
    };
    match matches {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified_key),
        Err(Error::InconsistentKeys(_)) => {
            Err(TlsError::KeyMismatch { certificate: certificate.clone(), key: key.clone() })
        }
        Err(error) => Err(TlsError::Invalid {
            option: CLIENT_CERTIFICATE,
            path: certificate.clone(),
            line,
            problem: format!("invalid certificate: {error}"),
        }),
    }
}

/// Reports whether a certificate is of X.509 version 1: it starts with its serial number, others with their version
/// (RFC 5280, section 4.1).
fn is_of_version_1(certificate: &CertificateDer<'_>) -> bool {
    const SERIAL_NUMBER: u8 = 0x02;
    let contents = |sequence: &[u8]| {
        let &[0x30, len, ..] = sequence else { return None };
        // The length itself, or the number of its bytes.
        let start = if len < 0x80 { 2 } else { 2 + usize::from(len & 0x7f) };
        sequence.get(start..).map(<[u8]>::to_vec)
    };
    let first = contents(certificate).and_then(|signed| contents(&signed)).and_then(|fields| fields.first().copied());
    first == Some(SERIAL_NUMBER)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
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
