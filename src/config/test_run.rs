//! The id of the run, for series that should carry one.

use once_cell::sync::Lazy;

use super::Destination;

/// One for the process, which runs one test: every output and destination of it has the same.
static MADE: Lazy<String> = Lazy::new(|| format!("{:016x}", fastrand::u64(..)));

/// The id that the destination's series get, if they should have one: k6 Cloud's own, else the one that was given, else one
/// that is made.
pub(super) fn id_for(destination: &Destination, cloud: &str) -> Option<String> {
    let given = || destination.test_run_id.clone().unwrap_or_else(|| MADE.clone());
    destination.include_test_run_id.then(|| if cloud.is_empty() { given() } else { cloud.into() })
}
