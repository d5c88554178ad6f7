//! Certificates that are trusted: the system's, those of a file, or both.
//!
//! Go and curl accept a certificate that is itself in the list, be it a CA's or not. The TLS library accepts only those that
//! a CA in the list has signed, so [`Listed`] adds this.

use std::collections::HashSet;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use thiserror::Error as ThisError;

/// The system has no trusted CAs. Carries the system's reason.
#[derive(Debug, ThisError)]
#[error(
    "this system has no trusted CA certificates ({0}): install them (often the package ca-certificates), or set \
     caCertificate (or, on Linux, SSL_CERT_FILE) to a file of trusted CAs"
)]
pub struct NoTrustedCa(String);

/// Returns a verifier that trusts only `certificates`, of which each is a valid CA and there is at least one.
pub(super) fn only(
    certificates: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Arc<dyn ServerCertVerifier> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.iter().cloned());
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
    let by_ca = builder.build().expect("there is a trusted CA, and no revocation list");
    Arc::new(Listed { certificates: certificates.into_iter().collect(), by_ca })
}

/// Returns a verifier that trusts the system's CAs, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place, and the
/// `others`.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn system_and(
    others: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, NoTrustedCa> {
    let mut system = rustls_native_certs::load_native_certs();
    system.certs.extend(others);
    // What is no valid certificate is left out, as everywhere: one of many is no reason to trust none.
    system.certs.retain(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    if system.certs.is_empty() {
        let reasons: Vec<_> = system.errors.iter().map(ToString::to_string).collect();
        return Err(NoTrustedCa(if reasons.is_empty() { "no file has any".into() } else { reasons.join("; ") }));
    }
    Ok(only(system.certs, provider))
}

/// Returns a verifier that trusts what the system trusts, and the `others`.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(super) fn system_and(
    others: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, NoTrustedCa> {
    let system = rustls_platform_verifier::Verifier::new(Arc::clone(provider));
    let system = system.map_err(|error| NoTrustedCa(error.to_string()))?;
    Ok(if others.is_empty() { Arc::new(system) } else { Arc::new(Either { first: only(others, provider), system }) })
}

/// Trusts what one of two verifiers trusts. An error is the system's.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
#[derive(Debug)]
struct Either {
    first: Arc<dyn ServerCertVerifier>,
    system: rustls_platform_verifier::Verifier,
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
impl ServerCertVerifier for Either {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let first = self.first.verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        first.or_else(|_| self.system.verify_server_cert(certificate, intermediates, name, ocsp_response, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.first.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.first.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.first.supported_verify_schemes()
    }
}

/// Trusts what another verifier trusts, and certificates that are in the list themselves, for their names.
#[derive(Debug)]
struct Listed<V> {
    certificates: HashSet<CertificateDer<'static>>,
    by_ca: Arc<V>,
}

impl<V: ServerCertVerifier> ServerCertVerifier for Listed<V> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.by_ca.verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        match verified {
            Err(Error::InvalidCertificate(error))
                if is_not_signed(&error) && self.certificates.contains(certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_ca.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_ca.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_ca.supported_verify_schemes()
    }
}

/// Reports whether a certificate was rejected because no CA vouches for it. The library has checked its time before.
fn is_not_signed(error: &CertificateError) -> bool {
    match error {
        CertificateError::UnknownIssuer => true,
        CertificateError::Other(error) => error.0.to_string() == "CaUsedAsEndEntity",
        _ => false,
    }
}
