//! The id of the run, for series that have one.

use once_cell::sync::Lazy;

use super::destination::TestRunOptions;

/// One for the process, which runs one test: every output and destination of it has the same.
static GENERATED: Lazy<String> = Lazy::new(|| format!("{:016x}", fastrand::u64(..)));

/// Returns the id for a destination's series, if they have one: k6 Cloud's, else the one that is set, else a generated one.
pub(super) fn id_for(options: &TestRunOptions, cloud: &str) -> Option<String> {
    let own = || options.id.clone().unwrap_or_else(|| GENERATED.clone());
    options.include_id.then(|| if cloud.is_empty() { own() } else { cloud.into() })
}
