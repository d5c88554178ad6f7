//! TLS client settings and their errors: real servers, with generated certificates.

use std::path::PathBuf;
use std::time::Duration;

use crate::tls_server::{Authority, Certificate, TlsServer, self_signed};
use bytes::Bytes;
use k6_remote_write::http::{Client, Credentials, Endpoint, FailedAt, Proxy, Tls, TlsVersion};
use k6_remote_write::wire::Protocol;
use rustls::version::{TLS12, TLS13};
use url::Url;

fn endpoint(url: &str, tls: Tls) -> Endpoint {
    Endpoint {
        url: Url::parse(url).expect("valid").into(),
        timeout: Duration::from_secs(10),
        credentials: Credentials::None,
        headers: Vec::new(),
        tls,
        proxy: Proxy::None,
    }
}

/// Sends one request: `Ok` if the receiver accepted it, otherwise the error.
fn send(url: &str, tls: Tls) -> Result<(), String> {
    let client = Client::new(&endpoint(url, tls)).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let response = runtime.block_on(client.send(Protocol::V1, Bytes::new()));
    if response.status == Some(204) { Ok(()) } else { Err(response.message) }
}

fn trusting(authority: &Authority) -> Tls {
    Tls { ca_certificate: Some(authority.file().into()), ..Tls::default() }
}

/// Returns the error of a request to a server with this certificate.
fn error(certificate: Certificate, tls: Tls) -> String {
    let server = TlsServer::start(certificate, &[&TLS13], None);
    send(&server.url("localhost"), tls).expect_err("not trusted")
}

#[test]
fn a_private_ca_is_trusted_by_name_and_by_address() {
    let authority = Authority::new();
    for host in ["localhost", "127.0.0.1"] {
        let server = TlsServer::start(authority.server(host), &[&TLS13], None);
        assert_eq!(send(&server.url(host), trusting(&authority)), Ok(()), "{host}");
    }
}

#[test]
fn an_error_names_the_problem_of_the_certificate() {
    let authority = Authority::new();
    let unknown = error(Authority::new().server("localhost"), trusting(&authority));
    assert!(unknown.contains("invalid peer certificate: UnknownIssuer"), "{unknown}");
    let system = error(authority.server("localhost"), Tls::default());
    assert!(system.contains("invalid peer certificate: UnknownIssuer"), "{system}");
    let expired = error(authority.expired("localhost"), trusting(&authority));
    assert!(expired.contains("certificate expired") && expired.contains("1609459200"), "{expired}");
    let other = error(authority.server("receiver.test"), trusting(&authority));
    assert!(other.contains(r#"not valid for name "localhost""#) && other.contains("receiver.test"), "{other}");
}

#[test]
fn a_server_name_replaces_the_host_of_the_url() {
    let authority = Authority::new();
    let named = |name: &str| Tls { server_name: Some(name.into()), ..trusting(&authority) };
    let server = TlsServer::start(authority.server("receiver.test"), &[&TLS13], None);
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(send(&server.url(host), named("receiver.test")), Ok(()));
        assert_eq!(server.names(), [Some("receiver.test".into())], "the name in the handshake");
    }
    let of_address = TlsServer::start(authority.server("192.0.2.1"), &[&TLS13], None);
    assert_eq!(send(&of_address.url("localhost"), named("192.0.2.1")), Ok(()));
    assert_eq!(of_address.names(), [None], "addresses are not names");
    let other = send(&server.url("127.0.0.1"), named("other.test")).expect_err("wrong name");
    assert!(other.contains(r#"not valid for name "other.test""#), "{other}");
    let wrong = send(&server.url("127.0.0.1"), named("no name")).expect_err("not a name");
    assert_eq!(wrong, r#"invalid tlsServerName "no name": must be a host name or an IP address"#);
}

#[test]
fn a_certificate_is_trusted_that_is_itself_the_trusted_file() {
    let authority = Authority::new();
    let own = |certificate: &Certificate| Tls {
        ca_certificate: Some(authority.write("own.pem", &certificate.pem).into()),
        ..Tls::default()
    };
    let outcome = |certificate: Certificate, tls: Tls| {
        let server = TlsServer::start(certificate, &[&TLS13, &TLS12], None);
        send(&server.url("localhost"), tls)
    };
    // Signed by itself, as CAs are, and signed by a CA that is not trusted.
    for certificate in [self_signed("localhost", 2099), authority.server("localhost")] {
        let tls = own(&certificate);
        assert_eq!(outcome(certificate, tls), Ok(()));
    }
    // But only with its own name, in its time, and no other.
    let certificate = self_signed("receiver.test", 2099);
    let tls = own(&certificate);
    assert!(outcome(certificate, tls).is_err_and(|error| error.contains("not valid for name \"localhost\"")));
    let certificate = self_signed("localhost", 2021);
    let tls = own(&certificate);
    assert!(outcome(certificate, tls).is_err_and(|error| error.contains("certificate expired")));
    let tls = own(&self_signed("localhost", 2099));
    assert!(outcome(self_signed("localhost", 2099), tls).is_err());
}

#[test]
fn verification_is_skipped_only_with_skip_verify() {
    for certificate in [Authority::new().server("other.test"), Authority::new().expired("localhost")] {
        let server = TlsServer::start(certificate, &[&TLS13], None);
        assert!(send(&server.url("localhost"), Tls::default()).is_err());
        let skip = Tls { skip_verify: true, ..Tls::default() };
        assert_eq!(send(&server.url("localhost"), skip), Ok(()));
    }
}

#[test]
fn tls_1_2_is_used_only_if_it_is_the_minimum() {
    let authority = Authority::new();
    let server = TlsServer::start(authority.server("localhost"), &[&TLS12], None);
    let rejected = send(&server.url("localhost"), trusting(&authority)).expect_err("too old");
    assert!(rejected.contains("ProtocolVersion"), "{rejected}");
    let older = Tls { minimum: TlsVersion::V1_2, ..trusting(&authority) };
    assert_eq!(send(&server.url("localhost"), older.clone()), Ok(()));
    let skip = Tls { skip_verify: true, ..older.clone() };
    assert_eq!(send(&server.url("localhost"), skip), Ok(()));
    let server = TlsServer::start(authority.server("localhost"), &[&TLS13], None);
    assert_eq!(send(&server.url("localhost"), older), Ok(()), "the minimum is not a maximum");
}

fn with_client_certificate(tls: Tls, certificate: PathBuf, key: PathBuf) -> Tls {
    Tls { client_certificate: Some(certificate.into()), client_certificate_key: Some(key.into()), ..tls }
}

#[test]
fn mutual_tls_needs_a_client_certificate_of_the_servers_ca() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = TlsServer::start(authority.server("localhost"), &[&TLS13], Some(&clients));
    let client = clients.client();
    let (certificate, key) = (clients.write("client.pem", &client.pem), clients.write("client.key", &client.key_pem));
    let with = with_client_certificate(trusting(&authority), certificate, key);
    assert_eq!(send(&server.url("localhost"), with), Ok(()));
    let without = send(&server.url("localhost"), trusting(&authority)).expect_err("no certificate");
    assert!(without.contains("CertificateRequired"), "{without}");
    let of_other_ca = authority.client();
    let (certificate, key) =
        (clients.write("other.pem", &of_other_ca.pem), clients.write("other.key", &of_other_ca.key_pem));
    let other = send(&server.url("localhost"), with_client_certificate(trusting(&authority), certificate, key))
        .expect_err("another CA");
    assert!(other.contains("received fatal alert"), "{other}");
    // Both may be in one file, the key first.
    let both = clients.write("both.pem", &format!("{}{}", client.key_pem, client.pem));
    assert_eq!(
        send(&server.url("localhost"), with_client_certificate(trusting(&authority), both.clone(), both)),
        Ok(())
    );
}

#[test]
fn a_client_certificate_does_not_go_to_an_https_proxy() {
    let authority = Authority::new();
    let client = authority.client();
    let (certificate, key) =
        (authority.write("client.pem", &client.pem), authority.write("client.key", &client.key_pem));
    let tls = with_client_certificate(trusting(&authority), certificate, key);
    let open = |proxy: &str| {
        let proxy = Proxy::Through(proxy.into());
        let endpoint = Endpoint { proxy, ..endpoint("https://receiver.test/", tls.clone()) };
        Client::new(&endpoint).err().map(|error| error.to_string())
    };
    let error = open("https://proxy.test").expect("not supported");
    assert!(error.starts_with("clientCertificate cannot be used with an https proxy"), "{error}");
    assert!(error.contains("use an http or socks5 proxy"), "{error}");
    assert_eq!((open("http://proxy.test"), open("socks5h://proxy.test")), (None, None));
}

#[test]
fn a_proxy_with_the_receivers_host_satisfies_the_rules_of_both() {
    let authority = Authority::new();
    let proxy = TlsServer::start(authority.server("localhost"), &[&TLS13], None);
    let error = |host: &str| {
        let tls = Tls { server_name: Some("other.test".into()), ..trusting(&authority) };
        let proxy = Proxy::Through((&*proxy.url("localhost")).into());
        let client = Client::new(&Endpoint { proxy, ..endpoint(&format!("https://{host}/"), tls) }).expect("valid");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let response = runtime.block_on(client.send(Protocol::V1, Bytes::new()));
        assert_eq!(response.failed_at, FailedAt::Proxy, "{}", response.message);
        response.message
    };
    // Trusted, but it is no proxy.
    assert!(error("receiver.test").ends_with("CONNECT was not answered with status 200"));
    let as_receiver = error("localhost");
    assert!(as_receiver.contains(r#"not valid for name "other.test""#), "{as_receiver}");
}

/// Made by `openssl x509 -req`.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBFzCBvQIUOtsgnFJKuKMJKTyHKrhAfxFIiekwCgYIKoZIzj0EAwIwDTELMAkG
A1UEAwwCY2EwIBcNMjYxMTI1MTcwMTQyWhgPMjEyNjExMDExNzAxNDJaMA0xCzAJ
BgNVBAMMAms2MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEK8RPihGfFF3PY2sZ
3qxGdFKwSoAaMX/4bEJIK4LxwZd4ZNjtUIPhqTVCptEyPqfigCj6D3JZUXtxpZgZ
n9zl0zAKBggqhkjOPQQDAgNJADBGAiEAiEq+p4zVseBGEiHL4tovLIQ1/teMb605
aEQf/aZAZe0CIQCrqo5sxfOgQ2fZ/UjhEqQJAYwBojpnEOYdCVCMloNlig==
-----END CERTIFICATE-----
";

#[test]
fn an_error_in_a_file_has_option_file_and_line() {
    let authority = Authority::new();
    let (client, other) = (authority.client(), authority.client());
    let (certificate, key) =
        (authority.write("client.pem", &client.pem), authority.write("client.key", &client.key_pem));
    let problem = |tls: Tls| Client::new(&endpoint("https://localhost/", tls)).err().expect("a mistake").to_string();
    let of_ca = |path: &PathBuf| problem(Tls { ca_certificate: Some(path.clone().into()), ..Tls::default() });
    let of_client = |certificate: &PathBuf, key: &PathBuf| {
        problem(with_client_certificate(trusting(&authority), certificate.clone(), key.clone()))
    };

    let gone = authority.file().with_file_name("gone.pem");
    assert!(
        of_ca(&gone).starts_with(&format!("caCertificate: {}: cannot read the file: No such file", gone.display()))
    );
    assert_eq!(of_ca(&"/dev/zero".into()), "caCertificate: /dev/zero: must be a regular file");
    let zero = PathBuf::from("/dev/zero");
    assert_eq!(of_client(&zero, &key), "clientCertificate: /dev/zero: must be a regular file");
    assert_eq!(of_client(&certificate, &zero), "clientCertificateKey: /dev/zero: must be a regular file");
    // The key itself in place of its path.
    let inline = of_client(&certificate, &PathBuf::from(&client.key_pem));
    assert!(inline.starts_with("clientCertificateKey: (no such file): cannot read the file: "), "{inline}");
    let path = authority.write("broken.pem", &format!("# ours\n{}", client.pem.replacen("MI", "M!", 1)));
    assert_eq!(of_ca(&path), format!("caCertificate: {}, line 3: invalid base64", path.display()));
    let path = authority.write("cut.pem", &client.pem[..100]);
    let expected = "line 1: BEGIN CERTIFICATE without END CERTIFICATE";
    assert_eq!(of_ca(&path), format!("caCertificate: {}, {expected}", path.display()));
    let path = authority.write("none.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let expected = "line 1: invalid certificate: ";
    assert!(of_ca(&path).starts_with(&format!("caCertificate: {}, {expected}", path.display())), "{}", of_ca(&path));
    assert!(of_client(&path, &key).starts_with(&format!("clientCertificate: {}, {expected}", path.display())));

    assert_eq!(
        of_client(&key, &certificate),
        format!(
            "clientCertificate: {}: must contain a certificate in PEM format, but contains PRIVATE KEY",
            key.display()
        )
    );
    assert_eq!(
        of_client(&certificate, &certificate),
        format!(
            "clientCertificateKey: {}: must contain a private key in PEM format, but contains CERTIFICATE",
            certificate.display()
        )
    );
    let path = authority.write("empty.key", "");
    assert!(
        of_client(&certificate, &path)
            .ends_with("must contain a private key in PEM format, but contains no PEM section")
    );
    let path = authority.write("other.key", &other.key_pem);
    let expected = format!("{}: the key does not match the certificate in {}", path.display(), certificate.display());
    assert_eq!(of_client(&certificate, &path), format!("clientCertificateKey: {expected}"));
    let path = authority.write("version1.pem", VERSION_1);
    let expected = format!("{}: the key does not match the certificate in {}", key.display(), path.display());
    assert_eq!(of_client(&path, &key), format!("clientCertificateKey: {expected}"), "of version 1, but valid");
    let encrypted = client.key_pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let path = authority.write("encrypted.key", &encrypted);
    assert!(of_client(&certificate, &path).contains("line 1: the private key must not be encrypted"));
    let path = authority.write("useless.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert!(
        of_client(&certificate, &path).starts_with(&format!("clientCertificateKey: {}: invalid key: ", path.display()))
    );
}
