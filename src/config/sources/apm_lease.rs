//! Leases of the script's blocks, for runs with several outputs of this kind.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use once_cell::sync::Lazy;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::document::Script;

/// The scripts whose blocks are leased to an open output of this process, by hash: the scripts have secrets.
static LEASED: Lazy<Mutex<BTreeSet<u64>>> = Lazy::new(Mutex::default);
static HASHER: Lazy<RandomState> = Lazy::new(RandomState::new);

/// The right to send to a script's blocks, which one output has until this is dropped. `--out` given twice makes two outputs with
/// the same script.
#[derive(Debug)]
pub struct ApmBlockLease(u64);

impl ApmBlockLease {
    /// Leases the blocks of `script`; `None` if another output has them.
    pub fn acquire(script: &Script) -> Option<Self> {
        let [ext, cloud] = [&script.ext, &script.cloud]
            .map(|options| options.expose().get("apm").map(|apm| Zeroizing::new(apm.to_string())));
        let hash = HASHER.hash_one((ext.as_deref(), cloud.as_deref()));
        // Made only if it is one: dropping a lease ends it.
        let is_new = LEASED.lock().insert(hash);
        is_new.then(|| Self(hash))
    }
}

impl Drop for ApmBlockLease {
    fn drop(&mut self) {
        LEASED.lock().remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_belong_to_one_output_until_it_is_closed() {
        let script =
            |url: &str| Script { ext: json!({ "apm": [{ "remoteWriteURL": url }] }).into(), ..Script::default() };
        let first = ApmBlockLease::acquire(&script("http://one-of-this-test/"));
        assert!(first.is_some());
        assert!(ApmBlockLease::acquire(&script("http://one-of-this-test/")).is_none());
        assert!(ApmBlockLease::acquire(&script("http://another-of-this-test/")).is_some());
        drop(first);
        assert!(ApmBlockLease::acquire(&script("http://one-of-this-test/")).is_some());
    }
}
