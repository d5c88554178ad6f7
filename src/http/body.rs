//! Start of a response body, read and decoded within bounds: a receiver may send anything, and never stop.

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::redact::Redactor;
use crate::text::{one_line, truncate};

/// Maximum number of bytes that are read of a body, and again of what they are decoded to: enough for a message, and a bound for a
/// hostile receiver.
pub(super) const MAX_BODY_BYTES: usize = 4096;

/// Maximum length of the name of an encoding in a message.
const MAX_ENCODING_CHARS: usize = 30;

/// One character of this many may be none of text: text in an old encoding has some.
const TEXT_PER_WRONG_CHAR: usize = 10;

/// Start of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub bytes: Vec<u8>,
    /// Whether this is all of the body.
    pub complete: bool,
}

/// What a body says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    /// Nothing that can be read; the text describes it.
    Unreadable(String),
}

impl Body {
    /// Reads the start of a response's body, at most until the deadline.
    pub async fn read(response: Response, deadline: Instant) -> Self {
        Self::read_up_to(MAX_BODY_BYTES, response, deadline).await
    }

    /// Reads at most `max_bytes` of a response's body, at most until the deadline.
    pub async fn read_up_to(max_bytes: usize, mut response: Response, deadline: Instant) -> Self {
        let mut bytes = Vec::new();
        loop {
            match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    bytes.extend_from_slice(&chunk[..chunk.len().min(max_bytes - bytes.len())]);
                }
                Ok(Ok(None)) => return Self { bytes, complete: true },
                Ok(Err(_)) | Err(_) => return Self { bytes, complete: false },
            }
            if bytes.len() >= max_bytes {
                return Self { bytes, complete: false };
            }
        }
    }

    /// Decompresses a body as its `Content-Encoding` says (RFC 9110, section 8.4). The receiver was not asked for an encoding, but
    /// some proxies compress whatever passes.
    ///
    /// # Errors
    /// A description of a body in another encoding.
    pub fn decompressed(self, encoding: Option<&str>) -> Result<Self, String> {
        let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
        Ok(match &*encoding {
            "" | "identity" => self,
            "gzip" | "x-gzip" => self.decompress(|bytes| Box::new(GzDecoder::new(bytes))),
            // By RFC 9110 in the format of zlib; some servers leave its header out.
            "deflate" if self.bytes.first().is_some_and(|first| first & 0x0f == 8) => {
                self.decompress(|bytes| Box::new(ZlibDecoder::new(bytes)))
            }
            "deflate" => self.decompress(|bytes| Box::new(DeflateDecoder::new(bytes))),
            _ if self.bytes.is_empty() => self,
            other => {
                let name = truncate(&one_line(other), MAX_ENCODING_CHARS);
                return Err(format!("response body in the encoding {name}"));
            }
        })
    }

    /// Returns the body decompressed, or as it is if nothing of it can be: then the header is wrong.
    fn decompress(self, decoder: impl Fn(&[u8]) -> Box<dyn Read + '_>) -> Self {
        let mut bytes = Vec::new();
        // An error ends the text, but leaves what was before it.
        let ended = decoder(&self.bytes).take(MAX_BODY_BYTES as u64).read_to_end(&mut bytes);
        if bytes.is_empty() && ended.is_err() {
            return self;
        }
        let complete = ended.is_ok_and(|len| len < MAX_BODY_BYTES);
        Self { bytes, complete }
    }

    /// Returns the body with every secret masked.
    pub fn redacted(&self, redactor: &Redactor) -> Self {
        let bytes = if self.complete { redactor.redact(&self.bytes) } else { redactor.redact_start(&self.bytes) };
        Self { bytes, complete: self.complete }
    }

    /// Returns what the body says.
    pub fn content(&self) -> Content {
        let text = String::from_utf8_lossy(&self.bytes);
        // Not the last character, which may be cut.
        let chars = text.chars().count();
        let not_text = |c: &char| c.is_control() && !c.is_whitespace() || *c == char::REPLACEMENT_CHARACTER;
        let wrong = text.chars().take(chars.saturating_sub(1)).filter(not_text).count();
        if text.contains('\0') || wrong * TEXT_PER_WRONG_CHAR > chars {
            return Content::Unreadable("response body that is not text".into());
        }
        Content::Text(text.trim_start_matches('\u{feff}').into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn decode(bytes: &[u8], encoding: &str) -> (Content, bool) {
        match (Body { bytes: bytes.into(), complete: true }).decompressed(Some(encoding)) {
            Ok(body) => (body.content(), body.complete),
            Err(description) => (Content::Unreadable(description), true),
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(vec![], Compression::default());
        encoder.write_all(text).expect("to memory");
        encoder.finish().expect("to memory")
    }

    #[test]
    fn a_compressed_body_is_decoded_within_bounds() {
        let (content, complete) = decode(&gzip(&[b'x'; 10_000_000]), "gzip");
        assert_eq!((content, complete), (Content::Text("x".repeat(MAX_BODY_BYTES)), false));
    }

    #[test]
    fn a_compressed_body_that_is_cut_is_decoded_up_to_its_end() {
        let text: String = (0..3000).map(|number| format!("{number} ")).collect();
        let mut compressed = gzip(text.as_bytes());
        compressed.truncate(compressed.len() / 4);
        let (Content::Text(start), complete) = decode(&compressed, "gzip") else { panic!("text") };
        assert!(!start.is_empty() && text.starts_with(&start) && !complete, "{start}");
    }

    #[test]
    fn text_in_an_old_encoding_is_text_and_bytes_are_not() {
        assert_eq!(decode(b"ung\xfcltige Anfrage", ""), (Content::Text("ung\u{fffd}ltige Anfrage".into()), true));
        let not_text = |bytes: &[u8]| matches!(decode(bytes, "").0, Content::Unreadable(_));
        assert!(not_text(b"a\0b"));
        assert!(not_text(b"\x08\x01\x12\x02ab"));
        assert!(not_text("too old".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice()));
        assert!(!not_text(b""));
        assert!(!not_text(b"\xe2\x82"), "a character that is cut");
    }

    #[test]
    fn an_encoding_is_named_on_one_line() {
        let (content, _) = decode(b"x", &format!("a\u{202e}{}", "b".repeat(100)));
        assert_eq!(content, Content::Unreadable(format!("response body in the encoding a {}…", "b".repeat(28))));
        assert_eq!(decode(b"", "br"), (Content::Text(String::new()), true));
    }
}
