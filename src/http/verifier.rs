//! Certificate verifiers: one for all handshakes of a client, and one for `insecureSkipTLSVerify`.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::session::{LastHandshake, TlsVersion};

/// Leaves verification to other verifiers, and remembers the server's handshake. The HTTP library has one TLS configuration for
/// server and https proxy, so the name in the handshake decides which of them it is.
#[derive(Debug)]
pub(super) struct Remembering {
    pub server: Arc<dyn ServerCertVerifier>,
    /// Name in the server's certificate, in place of that in the handshake.
    pub server_name: Option<ServerName<'static>>,
    pub proxy: Option<ProxyVerifier>,
    pub last: LastHandshake,
}

/// Verifies an https proxy.
#[derive(Debug)]
pub(super) struct ProxyVerifier {
    pub name: ServerName<'static>,
    pub verifier: Arc<dyn ServerCertVerifier>,
    /// True if the server's URL has the same host. A certificate must then satisfy both verifiers.
    pub is_server: bool,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(proxy) = self.proxy.as_ref().filter(|proxy| proxy.name == *name) {
            let verified = proxy.verifier.verify_server_cert(certificate, intermediates, name, ocsp_response, now)?;
            if !proxy.is_server {
                return Ok(verified);
            }
        }
        self.last.presented(certificate);
        let name = self.server_name.as_ref().unwrap_or(name);
        self.server.verify_server_cert(certificate, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.last.agreed(TlsVersion::V1_2, certificate);
        self.server.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.last.agreed(TlsVersion::V1_3, certificate);
        self.server.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.server.supported_verify_schemes()
    }
}

/// Accepts any certificate.
#[derive(Debug)]
pub(super) struct NoVerification {
    schemes: Vec<SignatureScheme>,
}

impl NoVerification {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self { schemes: provider.signature_verification_algorithms.supported_schemes() }
    }
}

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
