//! What a receiver presented and agreed to in its TLS handshakes.

use std::sync::Arc;

use parking_lot::Mutex;

/// TLS version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TlsVersion {
    V1_2,
    #[default]
    V1_3,
}

/// What was agreed with a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSession {
    /// Version of the session.
    pub version: TlsVersion,
    /// The receiver's certificate, in DER.
    pub certificate: Vec<u8>,
}

/// The last handshake with a server.
#[derive(Debug, Clone, Default)]
pub(super) struct LastHandshake(Arc<Mutex<Handshake>>);

#[derive(Debug, Default)]
struct Handshake {
    certificate: Option<Vec<u8>>,
    session: Option<Arc<TlsSession>>,
}

impl LastHandshake {
    /// The certificate that the server presented last, in DER, whether it was accepted or not.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.0.lock().certificate.clone()
    }

    /// The session that was agreed last.
    pub fn session(&self) -> Option<Arc<TlsSession>> {
        self.0.lock().session.clone()
    }

    /// Remembers a certificate before it is verified.
    pub fn presented(&self, certificate: &[u8]) {
        self.0.lock().certificate = Some(certificate.to_vec());
    }

    /// Remembers the version, unless the certificate is another's: a proxy's.
    pub fn agreed(&self, version: TlsVersion, certificate: &[u8]) {
        let mut last = self.0.lock();
        if last.certificate.as_deref() == Some(certificate) {
            last.session = Some(Arc::new(TlsSession { version, certificate: certificate.to_vec() }));
        }
    }
}
