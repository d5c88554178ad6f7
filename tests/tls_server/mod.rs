//! A TLS receiver on the loopback interface, and certificates for it.

#![allow(dead_code)] // each test file uses only some functions

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use tempfile::TempDir;

/// A certificate authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate, its chain, and its key.
pub struct Certificate {
    pub pem: String,
    pub key_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        // The names must differ: clients identify an authority by its name.
        params.distinguished_name.push(DnType::CommonName, format!("Authority {}", fastrand::u64(..)));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("valid");
        Self { issuer, directory: tempfile::tempdir().expect("a directory") }
    }

    /// Returns a certificate for a server with this name.
    pub fn server(&self, name: &str) -> Certificate {
        self.sign(params(name, ExtendedKeyUsagePurpose::ServerAuth))
    }

    /// Returns an expired server certificate.
    pub fn expired(&self, name: &str) -> Certificate {
        let mut params = params(name, ExtendedKeyUsagePurpose::ServerAuth);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        self.sign(params)
    }

    /// Returns a client certificate.
    pub fn client(&self) -> Certificate {
        self.sign(params("k6.test", ExtendedKeyUsagePurpose::ClientAuth))
    }

    /// Writes its own certificate to a file.
    pub fn file(&self) -> PathBuf {
        self.write("ca.pem", &self.issuer.pem())
    }

    /// Writes a file to the authority's directory.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }

    fn sign(&self, params: CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Certificate {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key"),
        }
    }
}

fn params(name: &str, usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_string()]).expect("a name");
    params.extended_key_usages = vec![usage];
    params
}

/// A receiver that accepts all requests after a successful handshake.
pub struct TlsServer {
    address: SocketAddr,
}

impl TlsServer {
    /// Starts a receiver with this certificate and these TLS versions. With `clients`, it requires client certificates of\n    /// that authority.
    pub fn start(
        certificate: Certificate,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Authority>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions);
        let builder = builder.expect("known versions");
        let builder = match clients {
            Some(authority) => {
                let mut store = RootCertStore::empty();
                store.add(authority.issuer.der().clone()).expect("valid");
                let verifier = WebPkiClientVerifier::builder_with_provider(store.into(), provider).build();
                builder.with_client_cert_verifier(verifier.expect("an authority"))
            }
            None => builder.with_no_client_auth(),
        };
        let config = Arc::new(builder.with_single_cert(certificate.chain, certificate.key).expect("valid"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("known");
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                thread::spawn(move || serve(&config, connection));
            }
        });
        Self { address }
    }

    pub fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/api/v1/write", self.address.port())
    }
}

/// Responds to one request with 204, or returns None if the handshake fails, which TLS reports to the client.
fn serve(config: &Arc<ServerConfig>, mut connection: TcpStream) -> Option<()> {
    let mut session = ServerConnection::new(Arc::clone(config)).ok()?;
    let mut stream = rustls::Stream::new(&mut session, &mut connection);
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        let len = stream.read(&mut buffer).ok().filter(|&len| len > 0)?;
        request.extend_from_slice(&buffer[..len]);
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok()?;
    session.send_close_notify();
    session.complete_io(&mut connection).ok()?;
    Some(())
}
