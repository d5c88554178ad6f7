//! Whose the script's blocks are, when a run has several outputs of this kind.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use once_cell::sync::Lazy;

use super::document::Script;

/// The scripts whose blocks an open output of this process ships to, by their hash: the scripts have secrets.
static CLAIMED: Lazy<Mutex<BTreeSet<u64>>> = Lazy::new(Mutex::default);
static HASHER: Lazy<RandomState> = Lazy::new(RandomState::new);

/// The right to ship to a script's blocks: one output's alone, until it is dropped. `--out` given twice makes two outputs, and
/// each is handed the same script.
#[derive(Debug)]
pub struct Claim(u64);

impl Claim {
    /// Claims the blocks of `script`; `None` if another output has them.
    pub fn take(script: &Script) -> Option<Self> {
        let [ext, cloud] =
            [&script.ext, &script.cloud].map(|options| options.as_ref()?.get("apm").map(ToString::to_string));
        let hash = HASHER.hash_one((ext, cloud));
        // Made only if it is one: dropping a claim ends it.
        let is_new = claimed().insert(hash);
        is_new.then(|| Self(hash))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        claimed().remove(&self.0);
    }
}

fn claimed() -> MutexGuard<'static, BTreeSet<u64>> {
    // Nothing panics while the lock is held; if it ever does, the set is still whole.
    CLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_are_one_outputs_until_it_is_gone() {
        let script =
            |url: &str| Script { ext: Some(json!({ "apm": [{ "remoteWriteURL": url }] })), ..Script::default() };
        let first = Claim::take(&script("http://one-of-this-test/"));
        assert!(first.is_some());
        assert!(Claim::take(&script("http://one-of-this-test/")).is_none());
        assert!(Claim::take(&script("http://another-of-this-test/")).is_some());
        drop(first);
        assert!(Claim::take(&script("http://one-of-this-test/")).is_some());
    }
}
