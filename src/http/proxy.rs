//! Which proxy, if any, requests to a receiver go through.

use std::env;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

use super::no_proxy::NoProxy;
use super::secret_url::{SecretUrl, pair};
use crate::secret::Secret;

/// Proxy settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// The proxies of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[default]
    Environment,
    /// No proxy, even if the environment has one.
    None,
    /// The proxy with this URL: http, https, socks5 or socks5h, optionally with a password.
    Through(Secret),
}

/// Why a proxy cannot be used. The value is not shown, since it may contain a password.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ProxyError {
    /// The value is not the URL of a proxy.
    #[error(
        "invalid {0}: must be an http, https, socks5 or socks5h URL, such as http://proxy.example.com:3128; special \
         characters in its user name and password must be percent-encoded"
    )]
    Invalid(&'static str),
    /// In a CGI program anyone can set `HTTP_PROXY`, by a header.
    #[error("HTTP_PROXY is not used in a CGI program, which has REQUEST_METHOD: unset one of them, or set `proxy`")]
    Cgi,
}

/// Protocol that a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyProtocol {
    Http,
    Https,
    /// SOCKS 5; host names are resolved by the proxy if `resolves`.
    Socks {
        resolves: bool,
    },
}

/// A proxy server. Shown as "proxy http://host:port of HTTP_PROXY", without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProxyServer {
    pub protocol: ProxyProtocol,
    /// Scheme, host and port.
    pub uri: Uri,
    pub credentials: Option<ProxyCredentials>,
    /// Name of the option or variable that sets it.
    source: &'static str,
}

/// User name and password for a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProxyCredentials {
    pub username: Secret,
    pub password: Secret,
}

impl Proxy {
    /// Returns the proxy for requests to `url`.
    pub(super) fn server_for(&self, url: &Url) -> Result<Option<ProxyServer>, ProxyError> {
        match self {
            Self::Environment => Environment::read(|name| env::var_os(name)?.into_string().ok()).server_for(url),
            Self::None => Ok(None),
            Self::Through(text) => ProxyServer::parse("proxy", text.expose()).map(Some),
        }
    }

    /// Returns the proxy for requests to `url`, for people, if its credentials are sent to another machine unencrypted.
    pub fn with_unencrypted_credentials(&self, url: &SecretUrl) -> Option<String> {
        // A proxy that is not valid is an error elsewhere.
        let server = self.server_for(url.expose()).ok()??;
        let address = SecretUrl::from(Url::parse(&server.uri.to_string()).ok()?);
        let unencrypted = server.credentials.is_some() && server.protocol != ProxyProtocol::Https;
        (unencrypted && address.crosses_network()).then(|| server.to_string())
    }

    /// Reports whether a text is the URL of a proxy.
    pub fn is_url(text: &str) -> bool {
        text.contains("://") && ProxyServer::parse("proxy", text).is_ok()
    }
}

/// The proxies of the environment.
#[derive(Debug, Default)]
struct Environment {
    http: Option<Variable>,
    https: Option<Variable>,
    no_proxy: NoProxy,
    is_cgi: bool,
}

/// A variable that is set.
type Variable = (&'static str, Secret);

impl Environment {
    /// Reads the variables as Go's `httpproxy` does, those in lower case first. `ALL_PROXY`, which Go does not have, is for
    /// destinations without another, as curl reads it.
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&'static str; 2]| {
            let value = |name| Some((name, Secret::from(variable(name).filter(|value| !value.trim().is_empty())?)));
            names.into_iter().find_map(value)
        };
        let all = first(["all_proxy", "ALL_PROXY"]);
        Self {
            http: first(["http_proxy", "HTTP_PROXY"]).or_else(|| all.clone()),
            https: first(["https_proxy", "HTTPS_PROXY"]).or(all),
            no_proxy: first(["no_proxy", "NO_PROXY"])
                .map(|(_, list)| NoProxy::parse(list.expose()))
                .unwrap_or_default(),
            is_cgi: variable("REQUEST_METHOD").is_some_and(|value| !value.is_empty()),
        }
    }

    fn server_for(&self, url: &Url) -> Result<Option<ProxyServer>, ProxyError> {
        let variable = match url.scheme() {
            "https" => &self.https,
            "http" => &self.http,
            _ => &None,
        };
        let Some((name, value)) = variable.as_ref().filter(|_| !self.no_proxy.contains(url)) else { return Ok(None) };
        if self.is_cgi && name.eq_ignore_ascii_case("http_proxy") {
            return Err(ProxyError::Cgi);
        }
        ProxyServer::parse(name, value.expose()).map(Some)
    }
}

impl ProxyServer {
    /// Parses the value of `source`: a URL, or a host with an optional port, which is an HTTP proxy.
    fn parse(source: &'static str, text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let url = match Url::parse(text) {
            Ok(url) if url.has_host() => Ok(url),
            // Without a scheme: `host`, `host:3128`, which reads as a scheme, `127.0.0.1:3128`.
            _ if !text.contains("://") => Url::parse(&format!("http://{text}")),
            other => other,
        };
        let invalid = || ProxyError::Invalid(source);
        let url = url.map_err(|_| invalid())?;
        let (protocol, default_port) = match url.scheme() {
            "http" => (ProxyProtocol::Http, 80),
            "https" => (ProxyProtocol::Https, 443),
            "socks5" => (ProxyProtocol::Socks { resolves: false }, 1080),
            "socks5h" => (ProxyProtocol::Socks { resolves: true }, 1080),
            _ => return Err(invalid()),
        };
        let mut url = SecretUrl::from(url);
        let credentials = url
            .take_credentials()
            .map(|(username, password)| ProxyCredentials { username, password: password.unwrap_or_default() });
        let url = url.expose();
        // `/`, `?` or `#` in a password end the host: what was meant as the host is behind it.
        if text.contains('@') && credentials.is_none() {
            return Err(invalid());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(invalid)?;
        let uri = format!("{}://{host}:{}", url.scheme(), url.port().unwrap_or(default_port));
        let uri = uri.parse().map_err(|_| invalid())?;
        Ok(Self { protocol, uri, credentials, source })
    }
}

impl ProxyServer {
    /// Returns it for the HTTP library. Like all text there, its user name and password are not wiped from memory.
    pub fn for_library(&self) -> reqwest::Result<reqwest::Proxy> {
        let uri = self.uri.to_string();
        match (&self.protocol, &self.credentials) {
            (_, None) => reqwest::Proxy::all(uri),
            (ProxyProtocol::Http | ProxyProtocol::Https, Some(credentials)) => {
                Ok(reqwest::Proxy::all(uri)?.custom_http_auth(credentials.header()))
            }
            (ProxyProtocol::Socks { .. }, Some(pair)) => {
                let encoded = |text: &Secret| utf8_percent_encode(text.expose(), NON_ALPHANUMERIC).to_string();
                Ok(reqwest::Proxy::all(uri)?.basic_auth(&encoded(&pair.username), &encoded(&pair.password)))
            }
        }
    }

    /// Returns the secrets of requests through it, which it may repeat.
    pub fn secrets(&self) -> Vec<Secret> {
        let secrets = |credentials: &ProxyCredentials| match &credentials.password {
            // A user name without a password is a token.
            password if password.is_empty() => vec![credentials.username.clone()],
            password => vec![pair(&credentials.username, password), password.clone()],
        };
        self.credentials.as_ref().map(secrets).unwrap_or_default()
    }
}

impl ProxyCredentials {
    /// Returns the value of `Proxy-Authorization` (RFC 7617, section 2).
    pub fn header(&self) -> HeaderValue {
        let pair = pair(&self.username, &self.password);
        let value = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.expose())));
        let mut value = HeaderValue::from_str(&value).expect("base64 is valid in a header");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.uri.to_string();
        write!(f, "proxy {} of {}", uri.trim_end_matches('/'), self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(variables: &[(&str, &str)], url: &str) -> Result<Option<ProxyServer>, ProxyError> {
        let value = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.to_string());
        Environment::read(value).server_for(&Url::parse(url).expect("valid"))
    }

    fn shown(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let server = server(variables, url).expect("valid")?.to_string();
        Some(server.strip_prefix("proxy ").expect("what it is").into())
    }

    #[test]
    fn credentials_for_a_proxy_on_another_machine_are_encrypted_only_with_https() {
        let url = SecretUrl::from(Url::parse("https://example.com/w").expect("valid"));
        let shown = |proxy: &str| Proxy::Through(proxy.into()).with_unencrypted_credentials(&url);
        let proxy = Some("proxy http://proxy.example.com:3128 of proxy".to_string());
        assert_eq!(shown("http://me:hunter2@proxy.example.com:3128"), proxy);
        assert_eq!(shown("http://:hunter2@proxy.example.com:3128"), proxy);
        assert!(shown("socks5h://me:hunter2@proxy.example.com").is_some());
        for proxy in
            ["http://proxy.example.com", "https://me:hunter2@proxy.example.com", "http://me:hunter2@localhost:3128"]
        {
            assert_eq!(shown(proxy), None, "{proxy}");
        }
        assert_eq!(Proxy::None.with_unencrypted_credentials(&url), None);
    }

    /// The cases of Go's `TestProxyForURL`, but for those of lists, which [`super::super::no_proxy`] has, and for zones in
    /// IPv6 addresses, which URLs do not have here. Ports are written out, and unknown schemes are an error.
    #[test]
    fn proxies_are_chosen_as_in_go() {
        let (http, https) = ("http://example.com", "https://secure.tld/");
        for (variables, url, proxy) in [
            (&[("HTTP_PROXY", "127.0.0.1:8080")][..], http, Some("http://127.0.0.1:8080 of HTTP_PROXY")),
            (
                &[("HTTP_PROXY", "cache.corp.example.com:1234")],
                http,
                Some("http://cache.corp.example.com:1234 of HTTP_PROXY"),
            ),
            (&[("HTTP_PROXY", "cache.corp.example.com")], http, Some("http://cache.corp.example.com:80 of HTTP_PROXY")),
            (&[("HTTP_PROXY", "localhost")], http, Some("http://localhost:80 of HTTP_PROXY")),
            (
                &[("HTTP_PROXY", "https://cache.corp.example.com")],
                http,
                Some("https://cache.corp.example.com:443 of HTTP_PROXY"),
            ),
            (&[("HTTP_PROXY", "http://127.0.0.1:8080")], http, Some("http://127.0.0.1:8080 of HTTP_PROXY")),
            (&[("HTTP_PROXY", "https://127.0.0.1:8080")], http, Some("https://127.0.0.1:8080 of HTTP_PROXY")),
            (&[("HTTP_PROXY", "socks5://127.0.0.1")], http, Some("socks5://127.0.0.1:1080 of HTTP_PROXY")),
            (
                &[("HTTP_PROXY", "http.proxy.tld"), ("HTTPS_PROXY", "secure.proxy.tld")],
                "http://insecure.tld/",
                Some("http://http.proxy.tld:80 of HTTP_PROXY"),
            ),
            (
                &[("HTTP_PROXY", "http.proxy.tld"), ("HTTPS_PROXY", "secure.proxy.tld")],
                https,
                Some("http://secure.proxy.tld:80 of HTTPS_PROXY"),
            ),
            (
                &[("HTTP_PROXY", "http.proxy.tld"), ("HTTPS_PROXY", "https://secure.proxy.tld")],
                https,
                Some("https://secure.proxy.tld:443 of HTTPS_PROXY"),
            ),
            (&[("HTTP_PROXY", "http.proxy.tld")], https, None),
            (&[("HTTP_PROXY", "http.proxy.tld")], "ftp://insecure.tld/", None),
            (
                &[("HTTPS_PROXY", "https://secure.proxy.tld"), ("REQUEST_METHOD", "PUT")],
                https,
                Some("https://secure.proxy.tld:443 of HTTPS_PROXY"),
            ),
            (&[], http, None),
        ] {
            assert_eq!(shown(variables, url).as_deref(), proxy, "{variables:?} {url}");
        }
        let cgi = [("HTTP_PROXY", "http://10.1.2.3:8080"), ("REQUEST_METHOD", "PUT")];
        assert_eq!(server(&cgi, http), Err(ProxyError::Cgi));
        assert_eq!(server(&[("HTTP_PROXY", "foo://host")], http), Err(ProxyError::Invalid("HTTP_PROXY")));
    }

    /// As Go's `TestFromEnvironmentUpperAndLowerCase`.
    #[test]
    fn variables_in_lower_case_come_first() {
        let both = [
            ("HTTP_PROXY", "upper:1"),
            ("http_proxy", "lower:1"),
            ("HTTPS_PROXY", "upper:2"),
            ("https_proxy", "lower:2"),
            ("NO_PROXY", "example.com"),
            ("no_proxy", "example.org"),
        ];
        assert_eq!(shown(&both, "http://example.com").as_deref(), Some("http://lower:1 of http_proxy"));
        assert_eq!(shown(&both, "https://example.com").as_deref(), Some("http://lower:2 of https_proxy"));
        assert_eq!(shown(&both, "http://example.org"), None);
    }

    #[test]
    fn all_proxy_is_for_destinations_without_another_and_none_for_this_machine() {
        let all = [("ALL_PROXY", "socks5h://all"), ("HTTPS_PROXY", "secure:1"), ("HTTP_PROXY", " ")];
        assert_eq!(shown(&all, "http://example.com").as_deref(), Some("socks5h://all:1080 of ALL_PROXY"));
        assert_eq!(shown(&all, "https://example.com").as_deref(), Some("http://secure:1 of HTTPS_PROXY"));
        for host in ["localhost", "LOCALHOST:9090", "127.1", "127.9.9.9", "[::1]:9090"] {
            assert_eq!(shown(&all, &format!("http://{host}/")), None, "{host}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let credentials = |text| {
            let server = ProxyServer::parse("proxy", text).expect("valid");
            assert!(server.to_string().ends_with("proxy.test:3128 of proxy"), "{server}");
            server.credentials.map(|pair| (pair.username.expose().to_string(), pair.password.expose().to_string()))
        };
        let pair = |username: &str, password: &str| Some((username.to_string(), password.to_string()));
        assert_eq!(credentials("http://proxy.test:3128"), None);
        assert_eq!(credentials("http://me:a%20b%25%C3%A4@proxy.test:3128/"), pair("me", "a b%ä"));
        assert_eq!(credentials("me:hunter2@proxy.test:3128"), pair("me", "hunter2"));
        assert_eq!(credentials("https://:hunter2@proxy.test:3128"), pair("", "hunter2"));
        assert_eq!(credentials("socks5://me@proxy.test:3128"), pair("me", ""));
        for text in [
            "http://me:1/hunter2@proxy.test",
            "http://me:1?hunter2@proxy.test",
            "http://me:1#hunter2@h",
            "",
            "::",
            "http://",
        ] {
            let error = ProxyServer::parse("proxy", text).expect_err("not valid").to_string();
            assert!(error.starts_with("invalid proxy: must be ") && !error.contains("hunter2"), "{error}");
        }
        let header = ProxyCredentials { username: "Aladdin".into(), password: "open sesame".into() }.header();
        assert_eq!(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(header.is_sensitive());
    }
}
