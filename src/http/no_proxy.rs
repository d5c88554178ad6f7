//! `NO_PROXY`, read as Go's `golang.org/x/net/http/httpproxy` reads it, and so as k6 does for its own requests.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

/// Destinations that are reached without a proxy.
#[derive(Debug, Default)]
pub(super) struct NoProxy {
    rules: Vec<Rule>,
}

#[derive(Debug)]
enum Rule {
    All,
    Network(IpNet),
    Address(IpAddr, Option<u16>),
    /// Names that end in the suffix, which begins with a dot, and the name after that dot if `itself`.
    Names {
        suffix: String,
        itself: bool,
        port: Option<u16>,
    },
}

impl NoProxy {
    /// Parses a list: `*`, names, `*.name` and `.name`, addresses, networks; but for networks each with an optional port.
    /// What is none of these is ignored.
    pub fn parse(list: &str) -> Self {
        Self { rules: list.split(',').filter_map(|entry| Rule::parse(&entry.trim().to_lowercase())).collect() }
    }

    /// Reports whether `url` is reached without a proxy. `localhost` and loopback addresses always are.
    pub fn contains(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        match url.host() {
            Some(Host::Domain("localhost")) | None => true,
            Some(Host::Domain(name)) => self.rules.iter().any(|rule| rule.matches_name(name, port)),
            Some(Host::Ipv4(address)) => self.contains_address(address.into(), port),
            Some(Host::Ipv6(address)) => self.contains_address(IpAddr::from(address).to_canonical(), port),
        }
    }

    fn contains_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        address.is_loopback() || self.rules.iter().any(|rule| rule.matches_address(address, port))
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::All);
        }
        if let Ok(network) = entry.parse() {
            return Some(Self::Network(network));
        }
        // A bare IPv6 address has more colons, none of which is before a port.
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, port),
            _ => (entry, ""),
        };
        let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = address.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), port));
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let (name, itself) = host.strip_prefix('.').map_or((host, true), |name| (name, false));
        (!host.is_empty()).then(|| Self::Names { suffix: format!(".{}", ascii(name)), itself, port })
    }

    fn matches_name(&self, host: &str, actual: Option<u16>) -> bool {
        match self {
            Self::All => true,
            Self::Names { suffix, itself, port } => {
                (host.ends_with(suffix) || *itself && host == &suffix[1..]) && (port.is_none() || *port == actual)
            }
            Self::Network(_) | Self::Address(..) => false,
        }
    }

    fn matches_address(&self, address: IpAddr, actual: Option<u16>) -> bool {
        match self {
            Self::All => true,
            Self::Network(network) => network.contains(&address),
            Self::Address(wanted, port) => *wanted == address && (port.is_none() || *port == actual),
            Self::Names { .. } => false,
        }
    }
}

/// Returns an international name as URLs have it.
fn ascii(name: &str) -> String {
    if name.is_ascii() {
        return name.into();
    }
    Host::parse(name).map_or_else(|_| name.into(), |host| host.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(list: &str, url: &str) -> bool {
        NoProxy::parse(list).contains(&Url::parse(url).expect("valid"))
    }

    /// The cases of Go's `TestUseProxy`, and of `TestAllNoProxy`, whose list is `*`.
    #[test]
    fn hosts_are_matched_as_in_go() {
        let list = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, \
                    2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64";
        for (host, is_direct) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.0.0.2", true),
            ("[::1]", true),
            ("[::2]", false),
            ("192.168.1.1", true),
            ("192.168.1.2", false),
            ("192.168.1.3", true),
            ("192.168.1.4", false),
            ("10.0.0.2", true),
            ("[2001:db8::52:0:1]", true),
            ("[2001:db8::52:0:2]", false),
            ("[2001:db8::52:0:3]", true),
            ("[2002:db8:a::123]", true),
            ("[fe80::424b:c8be:1643:a1b6]", false),
            ("barbaz.net", false),
            ("www.barbaz.net", true),
            ("foobar.com", true),
            ("www.foobar.com", true),
            ("foofoobar.com", false),
            ("baz.com", false),
            ("localhost.net", false),
            ("local.localhost", false),
            ("barbarbaz.net", false),
            ("wildcard.io", false),
            ("nested.wildcard.io", true),
            ("awildcard.io", false),
        ] {
            let url = format!("http://{host}:80");
            assert_eq!(contains(list, &url), is_direct, "{host}");
            assert!(contains("*", &url), "{host}");
        }
    }

    /// The cases of Go's `TestProxyForURL` with a list, and of `TestInvalidNoProxy`.
    #[test]
    fn names_are_matched_as_in_go() {
        for (list, url, is_direct) in [
            ("example.com", "http://example.com/", true),
            (".example.com", "http://example.com/", false),
            ("ample.com", "http://example.com/", false),
            ("example.com", "http://foo.example.com/", true),
            (".foo.com", "http://example.com/", false),
            (".示例.com", "http://www.示例.com", true),
            ("xn--fsq092h.com", "http://www.示例.com", true),
            ("示例.com", "http://www.xn--fsq092h.com", true),
            (":1", "http://example.com:80", false),
        ] {
            assert_eq!(contains(list, url), is_direct, "{list} {url}");
        }
    }

    #[test]
    fn ports_case_and_addresses_in_other_forms_are_read() {
        for (list, url, is_direct) in [
            ("", "http://[::ffff:127.0.0.1]/", true),
            ("Example.COM:8080", "http://EXAMPLE.com:8080/", true),
            ("example.com:8080", "http://example.com/", false),
            ("example.com:443", "https://example.com/", true),
            ("example.com:", "https://example.com/", true),
            ("example.com:http", "http://example.com/", false),
            (" ,, ,[2001:db8::1]", "http://[2001:db8::1]:9/", true),
            ("::ffff:192.0.2.1", "http://192.0.2.1/", true),
            ("192.0.2.1", "http://192.0.2.1.example.com/", false),
            ("192.0.2.0/24", "http://192.0.2.255:1/", true),
            ("a,*,b", "http://example.com/", true),
            ("*", "http://192.0.2.1/", true),
            ("*example.com", "http://www.example.com/", false),
        ] {
            assert_eq!(contains(list, url), is_direct, "{list} {url}");
        }
    }
}
