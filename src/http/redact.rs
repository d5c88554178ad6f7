//! Redaction of secrets in text from outside: a receiver or a proxy may repeat what it was sent.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use crate::secret::{MASK, Secret};

/// A shorter text occurs by chance, and is not a secret.
const MIN_SECRET_BYTES: usize = 4;

/// Secrets of one request.
#[derive(Default)]
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    /// Adds a secret, also in its base64 encodings.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < MIN_SECRET_BYTES {
            return;
        }
        self.0.push(secret.into());
        self.0.push(BASE64_STANDARD_NO_PAD.encode(secret).into());
        self.0.push(BASE64_URL_SAFE_NO_PAD.encode(secret).into());
    }

    /// Adds the value of a header, and the part after a scheme such as `Basic`.
    pub fn add_header(&mut self, value: &str) {
        self.add(value);
        if let Some((_, credentials)) = value.split_once(' ') {
            self.add(credentials);
        }
    }

    /// Returns `text` with every secret masked.
    pub fn redact(&mut self, text: &str) -> String {
        // The longest first, since one secret may be a part of another.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        self.0.iter().fold(text.to_string(), |text, secret| text.replace(secret.expose(), MASK))
    }

    /// Returns the start of a longer text with every secret masked, and without a last word, which may be the start of a secret.
    pub fn redact_start(&mut self, text: &str) -> String {
        let cut = self.0.iter().map(|secret| cut_secret_bytes(text, secret.expose())).max().unwrap_or(0);
        let text = &text[..text.len() - cut];
        // It may be a secret in an encoding that is not known here.
        let text = &text[..text.rfind(char::is_whitespace).unwrap_or(0)];
        self.redact(text)
    }
}

/// Returns the length of the longest start of `secret` that `text` ends with.
fn cut_secret_bytes(text: &str, secret: &str) -> usize {
    let starts = secret.char_indices().map(|(len, _)| len).rev();
    starts.into_iter().find(|&len| text.ends_with(&secret[..len])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_cut_is_not_shown() {
        let mut redactor = Redactor::default();
        redactor.add("open sesame now");
        redactor.add("open");
        for text in ["no: open", "no: open ses", "no: open sesame no", "no: opaque"] {
            assert_eq!(redactor.redact_start(text), "no:", "{text}");
        }
        assert_eq!(redactor.redact_start("open sesame now was wrong"), "*** was");
    }

    #[test]
    fn secrets_are_masked_also_in_base64() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2");
        redactor.add("hunter2-and-more");
        redactor.add("a");
        let text = "hunter2: hunter2-and-more, aHVudGVyMg==, a";
        assert_eq!(redactor.redact(text), "***: ***, ***==, a");
    }

    #[test]
    fn credentials_of_a_header_are_masked_without_their_scheme_too() {
        let mut redactor = Redactor::default();
        redactor.add_header("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(redactor.redact("wrong credentials QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "wrong credentials ***");
        assert_eq!(redactor.redact("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== is wrong"), "*** is wrong");
    }
}
