//! An error with its causes.

use std::error::Error;

/// Any error of a connection. Its causes say more.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Returns an error with its causes, the outermost first.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
