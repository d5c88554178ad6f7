//! AWS access keys.

use crate::secret::Secret;

/// AWS access keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // AWS's names
pub struct KeyPair {
    pub access_key: Secret,
    pub secret_key: Secret,
    pub session_token: Option<Secret>,
}

impl KeyPair {
    pub(super) fn into_secrets(self) -> Vec<Secret> {
        [self.access_key, self.secret_key].into_iter().chain(self.session_token).collect()
    }
}
