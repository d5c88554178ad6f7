//! Connections to a receiver: straight or through a proxy, with TLS where the URL or the proxy wants it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error as ThisError;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::proxy::{ProxyProtocol, ProxyServer};
use super::resolver::Resolver;
use super::stream::{BoxError, Stream};
use super::tls::TlsSession;
use super::tunnel::{self, port};

/// A failure between k6 and the receiver's proxy, or of the proxy itself.
#[derive(Debug, ThisError)]
#[error("{proxy}")]
pub(super) struct ProxyFailure {
    proxy: String,
    source: BoxError,
}

/// Makes the connections to one receiver.
#[derive(Clone)]
pub(super) struct Connector {
    pub tcp: HttpConnector<Resolver>,
    pub resolver: Resolver,
    pub tls: Arc<ClientConfig>,
    /// Name in the handshake with the receiver, in place of the URL's host.
    pub server_name: Option<ServerName<'static>>,
    pub proxy: Option<Arc<ProxyServer>>,
    /// TLS settings for the proxy: without the receiver's client certificate and name.
    pub proxy_tls: Arc<ClientConfig>,
}

impl Connector {
    async fn connect(mut self, to: Uri) -> Result<ReceiverConnection, BoxError> {
        let is_https = to.scheme_str() == Some("https");
        let mut forwards = false;
        let stream: Stream = match self.proxy.clone() {
            None => Box::new(self.tcp.call(to.clone()).await?.into_inner()),
            Some(proxy) => {
                forwards = !is_https && !matches!(proxy.protocol, ProxyProtocol::Socks { .. });
                let connected = self.connect_through(&proxy, &to).await;
                connected.map_err(|source| ProxyFailure { proxy: proxy.to_string(), source })?
            }
        };
        if !is_https {
            return Ok(ReceiverConnection { stream: TokioIo::new(stream), forwards, session: None });
        }
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(&to)?,
        };
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?;
        let session = TlsSession::of(stream.get_ref().1).map(Arc::new);
        let stream: Stream = Box::new(stream);
        Ok(ReceiverConnection { stream: TokioIo::new(stream), forwards, session })
    }

    /// Returns a connection to the receiver through a tunnel, or to a proxy that forwards plain requests.
    async fn connect_through(&mut self, proxy: &ProxyServer, to: &Uri) -> Result<Stream, BoxError> {
        let mut stream: Stream = Box::new(self.tcp.call(proxy.uri.clone()).await?.into_inner());
        match proxy.protocol {
            ProxyProtocol::Socks { resolves } => {
                let to = if resolves { to.clone() } else { self.resolved(to).await? };
                let mut socks = SocksV5::new(proxy.uri.clone(), Ready(Some(stream)));
                if let Some(pair) = &proxy.credentials {
                    socks = socks.with_auth(pair.username.expose().into(), pair.password.expose().into());
                }
                return Ok(Box::new(socks.call(to).await?.into_inner()));
            }
            ProxyProtocol::Https => {
                let tls = TlsConnector::from(Arc::clone(&self.proxy_tls));
                stream = Box::new(tls.connect(server_name(&proxy.uri)?, stream).await?);
            }
            ProxyProtocol::Http => {}
        }
        if to.scheme_str() == Some("https") {
            return tunnel::open(stream, to, proxy.credentials.as_ref()).await;
        }
        Ok(stream)
    }

    /// Returns a URL with an address in place of its host: for a proxy that does not resolve names.
    async fn resolved(&mut self, to: &Uri) -> Result<Uri, BoxError> {
        let host = to.host().unwrap_or_default();
        let address = self.resolver.resolve(host).await?.into_iter().next();
        let mut address = address.ok_or_else(|| io::Error::other(format!("{host} has no address")))?;
        address.set_port(port(to));
        let scheme = to.scheme_str().unwrap_or_default();
        Ok(Uri::builder().scheme(scheme).authority(address.to_string()).path_and_query("/").build()?)
    }
}

/// Returns the name of a URL's host in a TLS handshake.
fn server_name(uri: &Uri) -> Result<ServerName<'static>, BoxError> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    Ok(ServerName::try_from(host.to_string())?)
}

type Connecting = Pin<Box<dyn Future<Output = Result<ReceiverConnection, BoxError>> + Send>>;

impl Service<Uri> for Connector {
    type Response = ReceiverConnection;
    type Error = BoxError;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Connecting {
        Box::pin(self.clone().connect(to))
    }
}

/// A connection over which requests to the receiver are sent.
pub(super) struct ReceiverConnection {
    stream: TokioIo<Stream>,
    /// True if a proxy at the other end forwards requests, which then have the whole URL.
    forwards: bool,
    /// The TLS session with the receiver.
    session: Option<Arc<TlsSession>>,
}

impl Connection for ReceiverConnection {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.forwards);
        match &self.session {
            Some(session) => connected.extra(Arc::clone(session)),
            None => connected,
        }
    }
}

impl hyper::rt::Read for ReceiverConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for ReceiverConnection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
}

/// A stream that exists already, where a connector is expected.
struct Ready(Option<Stream>);

impl Service<Uri> for Ready {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<TokioIo<Stream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::Error::other("used already")))
    }
}
