//! HTTP client: authentication, TLS and proxies, and no secret in what is logged.
//!
//! In comes a compressed body from [`crate::send`]; out goes a request to the receiver, and back comes its [`Response`]. The
//! next module, [`crate::wire`], has the headers of each protocol version.
//!
//! | file | content |
//! |---|---|
//! | `client` | one request to the receiver |
//! | `resolver` | host names → addresses, on its own thread |
//! | `auth` | credentials → `Authorization` header |
//! | `sigv4` | AWS keys → signature headers |
//! | `secret_url` | URLs, shown without their secrets |
//! | `file` | files that options name |
//! | `secret_file` | secrets in files, read for every request |
//! | `tls` | TLS settings → TLS configuration |
//! | `verifier` | certificate verification with a fixed name, or none |
//! | `pem` | certificates and keys in PEM files |
//! | `response` | the response, read within bounds |
//! | `body` | body → text, decoded within bounds |
//! | `web_page` | HTML → text |
//! | `redact` | bytes without secrets |
//! | `escapes` | text as servers repeat it |

mod client;
mod resolver;
mod response;
mod body;
mod web_page;
mod redact;
mod escapes;
mod auth;
mod sigv4;
mod secret_file;
mod tls;
mod verifier;
mod pem;
mod file;
mod secret_url;

pub use auth::{Credentials, SecretSource};
pub use client::{Client, ClientError, Endpoint, Proxy};
pub use file::FilePath;
pub use response::Response;
pub use secret_file::SecretFileError;
pub use secret_url::SecretUrl;
pub use sigv4::{AwsKeys, KeyPair, SigV4};
pub use tls::{Tls, TlsError, TlsVersion};
