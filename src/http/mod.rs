//! HTTP client: authentication, TLS and proxies, and no secret in what is logged.
//!
//! In comes a compressed body from [`crate::send`]; out goes a request to the receiver, and back comes its [`Response`]. The
//! next module, [`crate::wire`], has the headers of each protocol version.
//!
//! | file | content |
//! |---|---|
//! | `client` | one request to the receiver |
//! | `response` | the response, read within bounds |
//! | `web_page` | HTML → text |
//! | `auth` | credentials → `Authorization` header |
//! | `sigv4` | AWS keys → signature headers |
//! | `aws_identity` | a role → AWS keys, by AWS's crates |
//! | `aws_keys` | AWS keys |
//! | `oauth2` | client id and secret → a token |
//! | `renewal` | credentials that end, renewed before |
//! | `issuers` | connections to those that issue credentials |
//! | `body` | body → text, decoded within bounds |
//! | `redact` | bytes without secrets |
//! | `escapes` | text as servers repeat it |
//! | `secret_source` | where a secret comes from |
//! | `secret_file` | secrets in files, read for every request |
//! | `transport` | requests over kept connections |
//! | `resolver` | host names → addresses, on its own thread |
//! | `causes` | an error with its causes |
//! | `proxy` | options and environment → the proxy, if any |
//! | `no_proxy` | `NO_PROXY` |
//! | `tls` | TLS settings → TLS configuration |
//! | `trust` | trusted certificates |
//! | `verifier` | who verifies which certificate |
//! | `session` | what a server presented and agreed to |
//! | `certificate` | certificate → text for people |
//! | `pem` | certificates and keys in PEM files |
//! | `file` | files that options name |
//! | `credential_names` | names of headers and parameters with credentials |
//! | `secret_url` | URLs, shown without their secrets |

mod client;
mod response;
mod web_page;
mod auth;
mod sigv4;
mod aws_identity;
mod aws_keys;
mod oauth2;
mod renewal;
mod issuers;
mod body;
mod redact;
mod escapes;
mod secret_source;
mod secret_file;
mod transport;
mod resolver;
mod causes;
mod proxy;
mod no_proxy;
mod tls;
mod trust;
mod verifier;
mod session;
mod certificate;
mod pem;
mod file;
mod secret_url;
mod credential_names;

pub use auth::{AuthorizationError, Credentials};
pub use aws_keys::KeyPair;
pub use certificate::Certificate;
pub use client::{Client, ClientError, Endpoint};
pub use credential_names::names_credentials;
pub use file::FilePath;
pub use oauth2::OAuth2;
pub use proxy::{Proxy, ProxyError};
pub use response::{FailedAt, Response};
pub use secret_file::SecretFileError;
pub use secret_source::SecretSource;
pub use secret_url::SecretUrl;
pub use session::{TlsSession, TlsVersion};
pub use sigv4::{AwsKeys, SigV4};
pub use tls::{Tls, TlsError};
pub use transport::TransportError;
pub use trust::NoTrustedCa;

const USER_AGENT: &str = concat!("k6-remote-write/", env!("CARGO_PKG_VERSION"));
