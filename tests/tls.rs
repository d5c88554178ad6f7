//! Whom https believes, and what it says when it does not: real servers, with certificates made here.

mod tls_server;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use k6_remote_write::http::{Client, Credentials, Endpoint, Proxy, Tls, TlsVersion};
use k6_remote_write::wire::Protocol;
use rustls::version::{TLS12, TLS13};
use tls_server::{Authority, Certificate, TlsServer};
use url::Url;

fn endpoint(url: &str, tls: Tls) -> Endpoint {
    Endpoint {
        url: Url::parse(url).expect("valid"),
        timeout: Duration::from_secs(10),
        credentials: Credentials::None,
        headers: Vec::new(),
        tls,
        proxy: Proxy::None,
    }
}

/// Sends one request: `Ok` if the receiver took it, or the words of the error.
fn send(url: &str, tls: Tls) -> Result<(), String> {
    let client = Client::new(&endpoint(url, tls)).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let response = runtime.block_on(client.send(Protocol::V1, Bytes::new()));
    if response.status == Some(204) { Ok(()) } else { Err(response.message) }
}

fn believing(authority: &Authority) -> Tls {
    Tls { ca_certificate: Some(authority.file()), ..Tls::default() }
}

/// What `send` says to a server with this certificate.
fn words(certificate: Certificate, tls: Tls) -> String {
    let server = TlsServer::start(certificate, &[&TLS13], None);
    send(&server.url("localhost"), tls).expect_err("not believed")
}

#[test]
fn an_authority_of_ones_own_is_believed_by_name_and_by_address() {
    let authority = Authority::new();
    for host in ["localhost", "127.0.0.1"] {
        let server = TlsServer::start(authority.server(host), &[&TLS13], None);
        assert_eq!(send(&server.url(host), believing(&authority)), Ok(()), "{host}");
    }
}

#[test]
fn the_certificates_problem_is_told() {
    let authority = Authority::new();
    let unknown = words(Authority::new().server("localhost"), believing(&authority));
    assert!(unknown.contains("invalid peer certificate: UnknownIssuer"), "{unknown}");
    let system = words(authority.server("localhost"), Tls::default());
    assert!(system.contains("invalid peer certificate: UnknownIssuer"), "{system}");
    let expired = words(authority.expired("localhost"), believing(&authority));
    assert!(expired.contains("certificate expired") && expired.contains("1609459200"), "{expired}");
    let other = words(authority.server("receiver.test"), believing(&authority));
    assert!(other.contains(r#"not valid for name "localhost""#) && other.contains("receiver.test"), "{other}");
}

#[test]
fn another_name_can_be_asked_for() {
    let authority = Authority::new();
    let named = |name: &str| Tls { server_name: Some(name.into()), ..believing(&authority) };
    let server = TlsServer::start(authority.server("receiver.test"), &[&TLS13], None);
    assert_eq!(send(&server.url("127.0.0.1"), named("receiver.test")), Ok(()));
    let other = send(&server.url("127.0.0.1"), named("other.test")).expect_err("another name");
    assert!(other.contains(r#"not valid for name "other.test""#), "{other}");
    let wrong = send(&server.url("127.0.0.1"), named("no name")).expect_err("no name");
    assert_eq!(wrong, r#"tlsServerName is "no name"; allowed is the name of a host, or an IP address"#);
}

#[test]
fn nothing_is_verified_only_where_that_is_asked_for() {
    for certificate in [Authority::new().server("other.test"), Authority::new().expired("localhost")] {
        let server = TlsServer::start(certificate, &[&TLS13], None);
        assert!(send(&server.url("localhost"), Tls::default()).is_err());
        let skip = Tls { skip_verify: true, ..Tls::default() };
        assert_eq!(send(&server.url("localhost"), skip), Ok(()));
    }
}

#[test]
fn tls_1_2_is_spoken_only_where_that_is_asked_for() {
    let authority = Authority::new();
    let server = TlsServer::start(authority.server("localhost"), &[&TLS12], None);
    let refused = send(&server.url("localhost"), believing(&authority)).expect_err("too old");
    assert!(refused.contains("ProtocolVersion"), "{refused}");
    let older = Tls { minimum: TlsVersion::V1_2, ..believing(&authority) };
    assert_eq!(send(&server.url("localhost"), older.clone()), Ok(()));
    let skip = Tls { skip_verify: true, ..older.clone() };
    assert_eq!(send(&server.url("localhost"), skip), Ok(()));
    let server = TlsServer::start(authority.server("localhost"), &[&TLS13], None);
    assert_eq!(send(&server.url("localhost"), older), Ok(()), "a minimum is no maximum");
}

fn showing(tls: Tls, certificate: PathBuf, key: PathBuf) -> Tls {
    Tls { client_certificate: Some(certificate), client_certificate_key: Some(key), ..tls }
}

#[test]
fn mutual_tls_needs_this_sides_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = TlsServer::start(authority.server("localhost"), &[&TLS13], Some(&clients));
    let own = clients.client();
    let (certificate, key) = (clients.write("own.pem", &own.pem), clients.write("own.key", &own.key_pem));
    let shown = showing(believing(&authority), certificate, key);
    assert_eq!(send(&server.url("localhost"), shown), Ok(()));
    let without = send(&server.url("localhost"), believing(&authority)).expect_err("no certificate");
    assert!(without.contains("CertificateRequired"), "{without}");
    let strange = authority.client();
    let (certificate, key) = (clients.write("other.pem", &strange.pem), clients.write("other.key", &strange.key_pem));
    let other = send(&server.url("localhost"), showing(believing(&authority), certificate, key)).expect_err("another");
    assert!(other.contains("received fatal alert"), "{other}");
    // Both may be in one file, the key first.
    let both = clients.write("both.pem", &format!("{}{}", own.key_pem, own.pem));
    assert_eq!(send(&server.url("localhost"), showing(believing(&authority), both.clone(), both)), Ok(()));
}

#[test]
fn a_mistake_in_a_file_is_told_with_option_file_and_line() {
    let authority = Authority::new();
    let (own, other) = (authority.client(), authority.client());
    let (certificate, key) = (authority.write("own.pem", &own.pem), authority.write("own.key", &own.key_pem));
    let problem = |tls: Tls| Client::new(&endpoint("https://localhost/", tls)).err().expect("a mistake").to_string();
    let of_ca = |path: &PathBuf| problem(Tls { ca_certificate: Some(path.clone()), ..Tls::default() });
    let of_own = |certificate: &PathBuf, key: &PathBuf| {
        problem(showing(believing(&authority), certificate.clone(), key.clone()))
    };

    let gone = authority.file().with_file_name("gone.pem");
    assert!(of_ca(&gone).starts_with(&format!("caCertificate: {} cannot be read: No such file", gone.display())));
    let path = authority.write("broken.pem", &format!("# ours\n{}", own.pem.replacen("MI", "M!", 1)));
    assert_eq!(of_ca(&path), format!("caCertificate: {}, line 3: this is no base64", path.display()));
    let path = authority.write("cut.pem", &own.pem[..100]);
    let expected = "line 1: the CERTIFICATE that begins here has no end";
    assert_eq!(of_ca(&path), format!("caCertificate: {}, {expected}", path.display()));
    let path = authority.write("none.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let expected = "line 1: the certificate that begins here cannot be used: ";
    assert!(of_ca(&path).starts_with(&format!("caCertificate: {}, {expected}", path.display())), "{}", of_ca(&path));
    assert!(of_own(&path, &key).starts_with(&format!("clientCertificate: {}, {expected}", path.display())));

    assert_eq!(
        of_own(&key, &certificate),
        format!("clientCertificate: {} has no certificate in PEM form; it has PRIVATE KEY", key.display())
    );
    assert_eq!(
        of_own(&certificate, &certificate),
        format!("clientCertificateKey: {} has no private key in PEM form; it has CERTIFICATE", certificate.display())
    );
    let path = authority.write("empty.key", "");
    assert!(of_own(&certificate, &path).ends_with("has no private key in PEM form; it has nothing of the kind"));
    let path = authority.write("other.key", &other.key_pem);
    let expected = format!("the key in {} is not that of the certificate in {}", path.display(), certificate.display());
    assert_eq!(of_own(&certificate, &path), format!("clientCertificateKey: {expected}"));
    let encrypted = own.key_pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let path = authority.write("encrypted.key", &encrypted);
    assert!(of_own(&certificate, &path).contains("line 1: the ENCRYPTED PRIVATE KEY that begins here is encrypted"));
    let path = authority.write("useless.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert!(of_own(&certificate, &path).starts_with(&format!("clientCertificateKey: the key in {}", path.display())));
}
