//! Redaction of secrets in what comes from outside: a receiver or a proxy may repeat what it was sent, in any form, and cut.
//!
//! Works on the bytes as they came, before anything else reads, cleans or cuts them.

use once_cell::sync::OnceCell;
use zeroize::Zeroizing;

use super::escapes::{Decoded, decode_word, words};
use crate::secret::{MASK, Secret};

/// So many bytes in a row are a part of a secret, not chance: a receiver may have cut it.
const PART_BYTES: usize = 8;

/// A shorter secret is one only where it is a word.
const MIN_BYTES: usize = 4;

/// How many escapes or encodings may be within each other.
const MAX_DEPTH: usize = 3;

/// Secrets of one request.
#[derive(Default)]
pub(super) struct Redactor {
    secrets: Vec<Secret>,
    patterns: OnceCell<Patterns>,
}

/// What to look for.
#[derive(Default)]
struct Patterns {
    /// Secrets in each of their forms.
    whole: Vec<Zeroizing<Vec<u8>>>,
    /// Parts of the longer ones, sorted.
    parts: Zeroizing<Vec<u64>>,
}

impl Redactor {
    /// Adds a secret.
    pub fn add(&mut self, secret: Secret) {
        if !secret.is_empty() {
            self.secrets.push(secret);
        }
    }

    /// Returns `bytes` with every secret masked.
    pub fn redact(&self, bytes: &[u8]) -> Vec<u8> {
        let mut covered = vec![false; bytes.len()];
        self.patterns().cover(bytes, &mut covered, MAX_DEPTH);
        masked(bytes, &covered)
    }

    /// Returns a text with every secret masked.
    pub fn redact_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact(text.as_bytes())).into_owned()
    }

    /// Returns the start of longer bytes with every secret masked, and without what may be the start of a secret.
    pub fn redact_start(&self, bytes: &[u8]) -> Vec<u8> {
        let end = self.patterns().begin_of_cut(bytes);
        // The last word may be the start of a secret in an encoding that is not known here.
        let end = bytes[..end].iter().rposition(u8::is_ascii_whitespace).unwrap_or(0);
        let mut covered = vec![false; bytes.len()];
        self.patterns().cover(bytes, &mut covered, MAX_DEPTH);
        masked(&bytes[..end], &covered)
    }

    fn patterns(&self) -> &Patterns {
        self.patterns.get_or_init(|| Patterns::of(&self.secrets))
    }
}

/// Words before the credentials in a header, which are usual in messages.
const SCHEMES: [&str; 6] = ["basic", "bearer", "digest", "token", "apikey", "negotiate"];

/// Returns the value of a header without its scheme.
pub(super) fn without_scheme(value: &Secret) -> Secret {
    match value.expose().split_once(' ') {
        Some((scheme, credentials)) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            credentials.trim().into()
        }
        _ => value.clone(),
    }
}

/// Returns bytes with a mask in place of each run of covered ones.
fn masked(bytes: &[u8], covered: &[bool]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        match (covered[at], at > 0 && covered[at - 1]) {
            (false, _) => masked.push(*byte),
            (true, true) => {}
            (true, false) => masked.extend_from_slice(MASK.as_bytes()),
        }
    }
    masked
}

/// Calls `found` with each form of `bytes` that has fewer escapes, and with each of these without tags and on one line.
fn each_form(bytes: &[u8], mut found: impl FnMut(&Decoded)) {
    let mut form = Some(Decoded::original(bytes));
    for _ in 0..=MAX_DEPTH {
        let Some(current) = form else { return };
        for form in [Some(&current), current.without_tags().as_ref()].into_iter().flatten() {
            found(form);
            form.fold().iter().for_each(&mut found);
        }
        form = current.unescape();
    }
}

impl Patterns {
    fn of(secrets: &[Secret]) -> Self {
        let mut patterns = Self::default();
        for secret in secrets {
            each_form(secret.expose().as_bytes(), |form| patterns.add(&form.bytes));
            // ISO 8859-1, as servers have it that take headers for text.
            let latin_1: Option<Vec<u8>> = secret.expose().chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            if let Some(latin_1) = latin_1.map(Zeroizing::new) {
                patterns.add(&latin_1);
            }
        }
        patterns.parts.sort_unstable();
        patterns
    }

    fn add(&mut self, secret: &[u8]) {
        if secret.iter().all(u8::is_ascii_whitespace) || self.whole.iter().any(|known| **known == secret) {
            return;
        }
        self.whole.push(Zeroizing::new(secret.to_vec()));
        self.parts.extend(secret.windows(PART_BYTES).map(part));
    }

    /// Marks the bytes that are part of a secret.
    fn cover(&self, bytes: &[u8], covered: &mut [bool], depth: usize) {
        each_form(bytes, |form| {
            let mut cover = |begin, end| {
                let (begin, end) = form.range(begin, end);
                covered[begin..end].fill(true);
            };
            self.find(&form.bytes, &mut cover);
            if depth > 0 {
                for (begin, end) in words(&form.bytes) {
                    let is_secret = |decoded: &Zeroizing<Vec<u8>>| self.is_in(decoded, depth - 1);
                    if decode_word(&form.bytes[begin..end]).iter().any(is_secret) {
                        cover(begin, end);
                    }
                }
            }
        });
    }

    /// Calls `found` with the range of each secret, or part of one.
    fn find(&self, bytes: &[u8], found: &mut impl FnMut(usize, usize)) {
        for (at, window) in bytes.windows(PART_BYTES).enumerate() {
            if self.parts.binary_search(&part(window)).is_ok() {
                found(at, at + PART_BYTES);
            }
        }
        for secret in self.whole.iter().filter(|secret| secret.len() < PART_BYTES) {
            let alone = |at: usize, end: usize| {
                let is_word = |byte: Option<&u8>| {
                    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
                };
                !is_word(at.checked_sub(1).and_then(|before| bytes.get(before))) && !is_word(bytes.get(end))
            };
            for (at, window) in bytes.windows(secret.len()).enumerate() {
                let end = at + secret.len();
                if window == &***secret && (secret.len() >= MIN_BYTES || alone(at, end)) {
                    found(at, end);
                }
            }
        }
    }

    /// Reports whether there is a secret in the bytes that a word stands for: a short one only if it is all of them, since any
    /// word stands for something.
    fn is_in(&self, bytes: &[u8], depth: usize) -> bool {
        let mut covered = vec![false; bytes.len()];
        self.cover(bytes, &mut covered, depth);
        let mut runs = covered.split(|covered| !covered).map(<[bool]>::len);
        covered.iter().all(|covered| *covered) || runs.any(|len| len >= MIN_BYTES)
    }

    /// Returns where the longest start of a secret begins that the bytes end with.
    fn begin_of_cut(&self, bytes: &[u8]) -> usize {
        let mut begin = bytes.len();
        each_form(bytes, |form| {
            let text = &form.bytes;
            for secret in &self.whole {
                let longest = (1..secret.len().min(text.len() + 1)).rev().find(|&len| text.ends_with(&secret[..len]));
                if let Some(len) = longest {
                    begin = begin.min(form.range(text.len() - len, text.len()).0);
                }
            }
        });
        begin
    }
}

fn part(window: &[u8]) -> u64 {
    window.iter().fold(0, |part, byte| part << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let mut redactor = Redactor::default();
        secrets.iter().for_each(|secret| redactor.add((*secret).into()));
        redactor
    }

    fn start(redactor: &Redactor, text: &str) -> String {
        String::from_utf8(redactor.redact_start(text.as_bytes())).expect("text")
    }

    #[test]
    fn a_secret_that_is_cut_is_not_shown() {
        let redactor = redactor(&["open sesame now", "open"]);
        for text in
            ["no: open", "no: open ses", "no: open sesame no", "no: opaque", "no: open%20ses", "no: open\\u0020ses"]
        {
            assert_eq!(start(&redactor, text), "no:", "{text}");
        }
        assert_eq!(start(&redactor, "open sesame now was wrong"), "*** was");
        // Cut by the receiver.
        assert_eq!(redactor.redact_text("wrong: open sesame…"), "wrong: ***…");
        assert_eq!(redactor.redact_text("wrong: …n sesame no…"), "wrong: …***…");
    }

    #[test]
    fn secrets_are_masked_in_every_form() {
        let secret = "a  b\t\"c\" & <d>/\u{e4}%2Fe\\f+g'h";
        let redactor = redactor(&[secret]);
        let json = serde_json::to_string(secret).expect("JSON");
        let ascii: String =
            json.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) }).collect();
        let html = secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        let percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for text in [
            secret.to_string(),
            json.trim_matches('"').into(),
            ascii.trim_matches('"').replace('/', "\\/").replace('<', "\\u003c"),
            html.clone(),
            html.replace(' ', "&nbsp;"),
            format!("{secret:?}").trim_matches('"').into(),
            percent.clone(),
            form,
            serde_json::to_string(&html).expect("JSON").trim_matches('"').into(),
            secret.split_whitespace().collect::<Vec<_>>().join(" "),
            BASE64_STANDARD.encode(secret),
            BASE64_STANDARD.encode(format!("Basic {}", BASE64_STANDARD.encode(format!("me:{secret}")))),
            BASE64_STANDARD.encode(secret).replace('+', "%2B").replace('/', "\\/"),
        ] {
            assert_eq!(redactor.redact_text(&format!("wrong, ({text}) is")), "wrong, (***) is", "{text}");
        }
        let latin_1: Vec<u8> = secret.chars().map(|c| c as u8).collect();
        assert_eq!(redactor.redact(&[b"is (", &latin_1[..], b")"].concat()), b"is (***)");
    }

    #[test]
    fn a_short_secret_is_masked_where_it_stands_alone() {
        let redactor = redactor(&["a", "x&y", "abcd"]);
        assert_eq!(
            redactor.redact_text("pass=a, (a) not at all; x&amp;y xabcdx"),
            "pass=***, (***) not at all; *** x***x"
        );
        assert_eq!(redactor.redact_text("YQ== eCZ5 YWJjZA=="), "*** *** ***");
        assert_eq!(redactor.redact_text("the request has failed: a_total"), "the request has failed: a_total");
    }

    #[test]
    fn credentials_of_a_header_are_masked_without_their_scheme_too() {
        let mut redactor = Redactor::default();
        redactor.add(without_scheme(&"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".into()));
        assert_eq!(redactor.redact_text("wrong credentials QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "wrong credentials ***");
        assert_eq!(redactor.redact_text("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== is wrong"), "Basic *** is wrong");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let redactor = redactor(&["correct horse battery", "Tr0ub4dor&3"]);
        let text = "out of order sample {path=\"/api/v1/write?x=%2F\", a='b\\n'} \u{1f600} Y29ycmVjdA== deadbeef";
        assert_eq!(redactor.redact_text(text), text);
        assert_eq!(Redactor::default().redact_text(text), text);
    }

    /// What a hostile receiver could send to keep the sender busy.
    #[test]
    fn any_text_is_searched_in_bounded_time() {
        let redactor = redactor(&[&"Zq7h&V2x".repeat(1000)]);
        let nested = (0..4).fold("x".repeat(1296), |text, _| BASE64_STANDARD.encode(text));
        for text in [
            &*"A".repeat(4096),
            &"%25".repeat(1365),
            &"&amp;amp;".repeat(455),
            &"\\\\".repeat(2048),
            &"<a".repeat(2048),
            &nested,
        ] {
            let begun = Instant::now();
            redactor.redact(text.as_bytes());
            assert!(begun.elapsed() < Duration::from_secs(10), "{:?}: {}", begun.elapsed(), &text[..20]);
        }
    }

    proptest! {
        #[test]
        fn no_form_of_a_secret_is_left(
            secret in "[ -~äß€😀\\t]{8,40}",
            before in "[ -~]{0,20}",
            after in "[ -~]{0,20}",
            form in 0..6_usize,
        ) {
            prop_assume!(!secret.trim().is_empty());
            let json = serde_json::to_string(&secret).expect("JSON");
            let repeated = match form {
                0 => secret.clone(),
                1 => json[1..json.len() - 1].into(),
                2 => secret.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
                3 => url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
                4 => BASE64_STANDARD.encode(&secret),
                _ => secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            };
            // Between spaces, since an escape before it may extend into it.
            let shown = redactor(&[&secret]).redact_text(&format!("{before} {repeated} {after}"));
            let beside = format!("{before} {after}");
            if !beside.contains(&repeated) {
                prop_assert!(!shown.contains(&repeated), "{shown}");
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), secret in "\\PC{0,12}") {
            let redactor = redactor(&[&secret]);
            redactor.redact(&bytes);
            redactor.redact_start(&bytes);
        }
    }
}
