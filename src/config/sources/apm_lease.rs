//! Whose the script's blocks are, when a run has several outputs of this kind.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use once_cell::sync::Lazy;
use parking_lot::Mutex;

use super::document::Script;

/// The scripts whose blocks an open output of this process ships to, by their hash: the scripts have secrets.
static LEASED: Lazy<Mutex<BTreeSet<u64>>> = Lazy::new(Mutex::default);
static HASHER: Lazy<RandomState> = Lazy::new(RandomState::new);

/// The right to ship to a script's blocks: one output's alone, until it is dropped. `--out` given twice makes two outputs, and
/// each is handed the same script.
#[derive(Debug)]
pub struct ApmBlockLease(u64);

impl ApmBlockLease {
    /// Leases the blocks of `script`; `None` if another output has them.
    pub fn acquire(script: &Script) -> Option<Self> {
        let [ext, cloud] =
            [&script.ext, &script.cloud].map(|options| options.as_ref()?.get("apm").map(ToString::to_string));
        let hash = HASHER.hash_one((ext, cloud));
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
    fn blocks_are_one_outputs_until_it_is_gone() {
        let script =
            |url: &str| Script { ext: Some(json!({ "apm": [{ "remoteWriteURL": url }] })), ..Script::default() };
        let first = ApmBlockLease::acquire(&script("http://one-of-this-test/"));
        assert!(first.is_some());
        assert!(ApmBlockLease::acquire(&script("http://one-of-this-test/")).is_none());
        assert!(ApmBlockLease::acquire(&script("http://another-of-this-test/")).is_some());
        drop(first);
        assert!(ApmBlockLease::acquire(&script("http://one-of-this-test/")).is_some());
    }
}
