//! Keeps secrets out of words from outside: a receiver, or what stands before it, may say again what it was sent.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use crate::secret::{MASK, Secret};

/// A shorter one is in many words by chance, and is no secret.
const MIN_SECRET_BYTES: usize = 4;

/// All that must not be shown of one request.
#[derive(Default)]
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    /// Hides this, and its base64.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < MIN_SECRET_BYTES {
            return;
        }
        self.0.push(secret.into());
        self.0.push(BASE64_STANDARD_NO_PAD.encode(secret).into());
        self.0.push(BASE64_URL_SAFE_NO_PAD.encode(secret).into());
    }

    /// Hides the value of a header, and, of `Basic …` and the like, what stands behind the first word.
    pub fn add_header(&mut self, value: &str) {
        self.add(value);
        if let Some((_, credentials)) = value.split_once(' ') {
            self.add(credentials);
        }
    }

    /// The words without what must not be shown.
    pub fn hide(&mut self, words: &str) -> String {
        // The longest first, since one may be a part of another.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        self.0.iter().fold(words.to_string(), |words, secret| words.replace(secret.expose(), MASK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_also_in_base64() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2");
        redactor.add("hunter2-and-more");
        redactor.add("a");
        let said = "hunter2: hunter2-and-more, aHVudGVyMg==, a";
        assert_eq!(redactor.hide(said), "***: ***, ***==, a");
    }

    #[test]
    fn of_a_header_its_credentials_are_hidden_alone_too() {
        let mut redactor = Redactor::default();
        redactor.add_header("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(redactor.hide("wrong credentials QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "wrong credentials ***");
        assert_eq!(redactor.hide("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== is wrong"), "*** is wrong");
    }
}
