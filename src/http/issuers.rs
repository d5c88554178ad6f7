//! Connections to those that issue credentials: token endpoints, AWS's services.

use url::{Host, Url};

use super::proxy::Proxy;
use super::resolver::Resolver;
use super::tls::{Peer, Tls};
use super::transport::{Transport, TransportError};

/// Makes the connections to issuers, with the settings of the receiver but for its client certificate, its name, and
/// `insecureSkipTLSVerify`.
#[derive(Debug, Clone)]
pub(super) struct Issuers {
    pub tls: Tls,
    pub proxy: Proxy,
    pub resolver: Resolver,
}

impl Issuers {
    /// Prepares connections to the server of `url`.
    pub fn connect(&self, url: &Url) -> Result<Transport, TransportError> {
        let proxy = if is_local(url) { &Proxy::None } else { &self.proxy };
        Transport::new(url, Peer::Issuer, &self.tls, proxy, self.resolver.clone())
    }
}

/// Reports whether a URL is of this machine or its link, where metadata services are: a proxy cannot reach them, and must not
/// get what they answer.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
        // Those of EC2 and EKS are in fd00:ec2::/32.
        Some(Host::Ipv6(address)) => address.is_loopback() || address.segments()[..2] == [0xfd00, 0xec2],
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_reached_without_a_proxy() {
        let local = |url: &str| is_local(&Url::parse(url).expect("valid"));
        for url in
            ["http://169.254.169.254/latest", "http://169.254.170.23/v1", "http://[fd00:ec2::254]/", "http://[::1]:1/"]
        {
            assert!(local(url), "{url}");
        }
        for url in ["https://sts.eu-west-1.amazonaws.com/", "http://10.0.0.1/", "http://[fd00::1]/"] {
            assert!(!local(url), "{url}");
        }
    }
}
