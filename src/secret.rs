//! Text that is never shown.

use std::fmt;

use zeroize::Zeroize;

/// A password, a token, a key, or text that may have one. It has no `Display`, its `Debug` is `***`, and this copy of it is wiped
/// from memory when it is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

/// The text that is shown instead of a secret.
pub const MASK: &str = "***";

impl Secret {
    /// Returns the secret, for the one who needs it. Must not become part of a message.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reports whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?} {:?} {:#?}", Some(&secret), [&secret]), "*** Some(***) [\n    ***,\n]");
        assert_eq!(secret.expose(), "hunter2");
    }
}
