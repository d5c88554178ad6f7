//! Text as servers repeat it: percent-encoded, in JSON, in HTML, as a string of a programming language, in base64, in hexadecimal.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// Maximum length of a reference to a character in HTML.
const MAX_REFERENCE_BYTES: usize = 10;

/// Names of characters that have a meaning in HTML.
const NAMES: [(&[u8], u32); 6] = [
    (b"amp", '&' as u32),
    (b"lt", '<' as u32),
    (b"gt", '>' as u32),
    (b"quot", '"' as u32),
    (b"apos", '\'' as u32),
    (b"nbsp", ' ' as u32),
];

/// Bytes, each with the range of the original that it comes from.
pub(super) struct Decoded {
    pub bytes: Zeroizing<Vec<u8>>,
    /// Begin and end in the original, of each byte.
    ranges: Vec<(usize, usize)>,
}

impl Decoded {
    /// The original itself.
    pub fn original(bytes: &[u8]) -> Self {
        Self { bytes: Zeroizing::new(bytes.to_vec()), ranges: (0..bytes.len()).map(|at| (at, at + 1)).collect() }
    }

    /// Returns the range of the original that these bytes come from.
    pub fn range(&self, begin: usize, end: usize) -> (usize, usize) {
        (self.ranges[begin].0, self.ranges[end - 1].1)
    }

    /// Returns the bytes with every escape replaced by what it stands for; `None` if there is none.
    pub fn unescape(&self) -> Option<Self> {
        self.replace(|rest, out| match rest {
            [b'%', ..] => percent(rest, out),
            [b'\\', ..] => backslash(rest, out),
            [b'&', ..] => reference(rest, out),
            _ => None,
        })
    }

    /// Returns the bytes with each run of white space, control characters and `+`, which is a space in a form, replaced by a space;
    /// `None` if there is none.
    pub fn fold(&self) -> Option<Self> {
        self.replace(|rest, out| {
            let mut len = 0;
            while let Some(space) = space(&rest[len..]) {
                len += space;
            }
            (len > 0).then(|| out.push(b' ')).map(|()| len)
        })
    }

    /// Returns the bytes without the tags and comments of HTML, which may be within a word; `None` if there are none.
    pub fn without_tags(&self) -> Option<Self> {
        self.replace(|rest, _| {
            let end: &[u8] = match rest {
                [b'<', b'!', b'-', b'-', ..] => b"-->",
                [b'<', b'/' | b'!' | b'?', ..] => b">",
                [b'<', letter, ..] if letter.is_ascii_alphabetic() => b">",
                _ => return None,
            };
            rest.windows(end.len()).position(|window| window == end).map(|begin| begin + end.len())
        })
    }

    /// `replace` writes what the beginning of its input stands for, and returns the length of that beginning.
    fn replace(&self, replace: impl Fn(&[u8], &mut Vec<u8>) -> Option<usize>) -> Option<Self> {
        // Nothing that is decoded is longer than its escape.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.bytes.len()));
        let mut ranges = Vec::with_capacity(self.bytes.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let found = replace(&self.bytes[at..], &mut bytes);
            let len = found.unwrap_or_else(|| {
                bytes.push(self.bytes[at]);
                1
            });
            ranges.resize(bytes.len(), self.range(at, at + len));
            at += len;
        }
        (*bytes != *self.bytes).then_some(Self { bytes, ranges })
    }
}

/// Returns the length of the white space or control character that `text` begins with.
fn space(text: &[u8]) -> Option<usize> {
    match *text {
        [b'+' | b' ' | 0x7f, ..] => Some(1),
        [byte, ..] if byte < b' ' => Some(1),
        // U+0080 to U+00A0
        [0xc2, 0x80..=0xa0, ..] => Some(2),
        _ => None,
    }
}

/// `%2F`, or `%u002F`.
fn percent(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    if text.get(1) == Some(&b'u') {
        push(number(text.get(2..6)?, 16)?, out)?;
        return Some(6);
    }
    out.push(number(text.get(1..3)?, 16)? as u8);
    Some(3)
}

/// The escapes of JSON, JavaScript, Go, C and Python.
fn backslash(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let letter = *text.get(1)?;
    let (code, len) = match letter {
        b'u' if text.get(2) == Some(&b'{') => {
            let end = text.iter().take(MAX_REFERENCE_BYTES).position(|&byte| byte == b'}')?;
            (number(&text[3..end], 16)?, end + 1)
        }
        b'u' => match (number(text.get(2..6)?, 16)?, text.get(6..12)) {
            (high @ 0xd800..0xdc00, Some([b'\\', b'u', low @ ..])) => {
                let low = number(low, 16).filter(|low| (0xdc00..0xe000).contains(low))?;
                (0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12)
            }
            (code, _) => (code, 6),
        },
        b'U' => (number(text.get(2..10)?, 16)?, 10),
        // A byte in Go and C.
        b'x' => {
            out.push(number(text.get(2..4)?, 16)? as u8);
            return Some(4);
        }
        b'0'..=b'7' if text.get(2..4).is_some_and(|octal| number(octal, 8).is_some()) => {
            out.push(u8::try_from(number(&text[1..4], 8)?).ok()?);
            return Some(4);
        }
        b'n' | b'r' | b't' | b'a' | b'b' | b'f' | b'v' | b'0' => (u32::from(b' '), 2),
        _ if letter.is_ascii_punctuation() => (u32::from(letter), 2),
        _ => return None,
    };
    push(code, out)?;
    Some(len)
}

/// `&amp;`, `&#38;` or `&#x26;`.
fn reference(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let end = text.iter().take(MAX_REFERENCE_BYTES).position(|&byte| byte == b';')?;
    let code = match &text[1..end] {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        name => NAMES.iter().find(|(known, _)| *known == name).map(|&(_, code)| code),
    };
    push(code?, out)?;
    Some(end + 1)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with(['+', '-']))?;
    u32::from_str_radix(digits, radix).ok()
}

fn push(code: u32, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

/// Returns the words of a text that may be base64 or hexadecimal, with their ranges.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + text[at..].iter().position(is_part)?;
        let len = text[begin..].iter().position(|byte| !is_part(byte)).unwrap_or(text.len() - begin);
        let padding = text[begin + len..].iter().take(2).take_while(|&&byte| byte == b'=').count();
        at = begin + len + padding;
        Some((begin, at))
    })
}

/// Returns all that a word may stand for: base64 that begins at any of four characters, and hexadecimal.
pub(super) fn decode_word(word: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    let standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    let word: Zeroizing<Vec<u8>> = Zeroizing::new(word.iter().filter(|&&byte| byte != b'=').map(standard).collect());
    let base64 = (0..4).filter_map(|begin| {
        let rest = word.get(begin..)?;
        // A last character alone is less than a byte.
        let whole = if rest.len() % 4 == 1 { rest.len() - 1 } else { rest.len() };
        engine.decode(&rest[..whole]).ok().map(Zeroizing::new)
    });
    let pairs: Option<Vec<u8>> = word.chunks(2).map(|pair| number(pair, 16).map(|byte| byte as u8)).collect();
    base64.chain(pairs.map(Zeroizing::new)).filter(|decoded| !decoded.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    fn unescaped(text: &str) -> String {
        let decoded = Decoded::original(text.as_bytes()).unescape();
        decoded.map_or(text.into(), |decoded| String::from_utf8_lossy(&decoded.bytes).into_owned())
    }

    #[test]
    fn escapes_are_replaced_by_what_they_stand_for() {
        for (text, expected) in [
            ("a%2Fb%2fc%C3%A4%u00e4%", "a/b/cää%"),
            (r#"\"\/\\\u0026\u00e4\ud83d\ude00\x41\101\u{1F600}\U0001F600\'"#, r#""/\&ä😀AA😀😀'"#),
            (r"a\tb\nc", "a b c"),
            ("&amp;&lt;&gt;&quot;&#34;&#x22;&#039;&apos;a&nbsp;b", "&<>\"\"\"''a b"),
            // Not escapes.
            (r"&unknown; & &#xZZ; \q \u12 %zz \ud800x &;", r"&unknown; & &#xZZ; \q \u12 %zz \ud800x &;"),
            ("%+1&#-1;\\", "%+1&#-1;\\"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_within_a_word_are_left_out() {
        let text = b"hun<b>te</b>r<!-- > -->2 < 3 <br";
        let decoded = Decoded::original(text).without_tags().expect("tags");
        assert_eq!(&**decoded.bytes, b"hunter2 < 3 <br");
        assert_eq!(decoded.range(0, 7), (0, 24));
    }

    #[test]
    fn a_byte_knows_where_it_comes_from() {
        let decoded = Decoded::original(b"x%41&amp;  y").unescape().expect("escapes").fold().expect("spaces");
        assert_eq!(&**decoded.bytes, b"xA& y");
        assert_eq!([(1, 3), (3, 4), (4, 5)].map(|(begin, end)| decoded.range(begin, end)), [(1, 9), (9, 11), (11, 12)]);
    }

    #[test]
    fn words_are_decoded_from_any_offset() {
        let secret = b"hunt>er?2";
        for before in ["", "x", "xx", "xxx"] {
            for encoded in [
                BASE64_STANDARD.encode([before.as_bytes(), secret].concat()),
                BASE64_URL_SAFE_NO_PAD.encode([before.as_bytes(), secret].concat()),
                secret.iter().map(|byte| format!("{byte:02x}")).collect(),
            ] {
                for text in [encoded.clone(), format!("Basic {encoded}, "), format!("k={encoded}")] {
                    let found = words(text.as_bytes()).any(|(begin, end)| {
                        decode_word(&text.as_bytes()[begin..end])
                            .iter()
                            .any(|decoded| decoded.windows(secret.len()).any(|window| window == secret))
                    });
                    assert!(found, "{text}");
                }
            }
        }
    }
}
