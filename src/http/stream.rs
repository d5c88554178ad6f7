//! The bytes of a connection, whatever it consists of.

use std::error::Error;

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes to and from a server: TCP, TLS, a tunnel, or layers of these.
pub(super) type Stream = Box<dyn ByteStream>;

/// What a [`Stream`] can do.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Any error of a connection. Its causes say more.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Returns an error with its causes, the outermost first.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
