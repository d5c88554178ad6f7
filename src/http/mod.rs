//! One HTTP request and what comes back: credentials, TLS, proxies, and no secret in what is logged.
//!
//! In comes a compressed body from [`crate::send`]; out goes a request to the destination, and back a [`Response`].

mod client;
mod response;
mod redact;
mod auth;
mod sigv4;
mod secret_file;
mod tls;
mod verifier;
mod pem;

pub use auth::{Credentials, SecretSource};
pub use client::{Client, ClientError, Endpoint, Proxy};
pub use response::Response;
pub use secret_file::SecretFileError;
pub use sigv4::{AwsKeys, KeyPair, SigV4};
pub use tls::{Tls, TlsError, TlsVersion};
