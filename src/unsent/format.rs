//! The bytes of a file: one line of text, then frames.
//!
//! The line names the format and its version, so that `head -1` shows what the file is. A frame is its kind (one byte), the length
//! of its payload and a checksum (four bytes each, little-endian), and the payload. The checksum is the CRC-32 of kind, length and
//! payload. The first frame is the header and the last one the end, both JSON; between them is one frame for each request.
//!
//! The payload of a request is the number of its part (two bytes), the number of its points (four bytes), and the compressed body.
//! A file without its end was cut.

use serde::{Deserialize, Serialize};

/// The first line without the version and the line break.
pub(super) const TITLE: &str = "k6-remote-write unsent samples, format ";

/// The version of the format that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;

/// Bytes of a frame in front of its payload.
pub(super) const FRAME_BYTES: usize = 9;

/// Bytes of a request's payload in front of its body.
pub(super) const REQUEST_BYTES: usize = 6;

pub(super) const HEADER: u8 = b'H';
pub(super) const REQUEST: u8 = b'R';
pub(super) const END: u8 = b'E';

/// Describes a file. A reader ignores fields that it does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Header {
    /// Random text: the mark of [`super::Progress`] belongs to the file with it.
    pub id: String,
    /// Name and version of the program that wrote it.
    pub writer: String,
    /// Seconds since the Unix epoch.
    pub created: u64,
    /// The destination of the run, without secrets.
    pub url: String,
    /// Number of points that were to be written.
    pub points: u64,
}

impl Header {
    /// The header of a new file with the `points` points that were not sent to `url`, which must be without secrets.
    pub fn new(url: &str, points: u64) -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        Self {
            id: format!("{:032x}", fastrand::u128(..)),
            writer: concat!("k6-remote-write ", env!("CARGO_PKG_VERSION")).into(),
            created: since.map_or(0, |since| since.as_secs()),
            url: url.into(),
            points,
        }
    }
}

/// The end of a file that was written to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct End {
    /// Number of requests.
    pub requests: u64,
    /// Number of their points.
    pub points: u64,
    /// Number of points that could not be written.
    pub lost: u64,
}

/// What a request is of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Points of a batch that has one point of each series.
    Whole,
    /// Points of the part with this number, from 1 on, of a batch that the receiver may have stored as a whole. A part has one
    /// point of each series; later parts have later ones.
    Number(u16),
}

impl Part {
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Whole => 0,
            Self::Number(number) => number.max(1),
        }
    }

    pub(super) fn of(code: u16) -> Self {
        if code == 0 { Self::Whole } else { Self::Number(code) }
    }
}

/// Returns the first line.
pub(super) fn first_line(version: u32) -> String {
    format!("{TITLE}{version}\n")
}

/// Returns the checksum of a frame.
pub(super) fn checksum(kind: u8, len: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(&len.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Writes a frame to `out`, whose payload `write` writes.
pub(super) fn frame(kind: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    out.resize(begin + FRAME_BYTES, 0);
    write(out);
    let payload = begin + FRAME_BYTES;
    // Requests are bounded far below 4 GiB.
    let len = (out.len() - payload) as u32;
    let checksum = checksum(kind, len, &out[payload..]);
    out[begin] = kind;
    out[begin + 1..begin + 5].copy_from_slice(&len.to_le_bytes());
    out[begin + 5..payload].copy_from_slice(&checksum.to_le_bytes());
}

/// Writes a frame of JSON.
pub(super) fn json_frame(kind: u8, value: &impl Serialize, out: &mut Vec<u8>) {
    // The structs here have no maps and no floats, so this does not fail.
    let json = serde_json::to_vec(value).unwrap_or_default();
    frame(kind, out, |out| out.extend_from_slice(&json));
}

/// Writes the frame of a request.
pub(super) fn request_frame(part: Part, points: u32, body: &[u8], out: &mut Vec<u8>) {
    frame(REQUEST, out, |out| {
        out.extend_from_slice(&part.code().to_le_bytes());
        out.extend_from_slice(&points.to_le_bytes());
        out.extend_from_slice(body);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of version 1: a reader of it must be able to read files of all later releases.
    #[test]
    fn the_bytes_of_a_file_are_those_of_version_1() {
        assert_eq!(first_line(VERSION), "k6-remote-write unsent samples, format 1\n");
        let mut bytes = Vec::new();
        request_frame(Part::Number(2), 3, b"body", &mut bytes);
        assert_eq!(bytes, b"R\x0a\0\0\0\xaf\x8f\x6d\x53\x02\0\x03\0\0\0body");
        bytes.clear();
        json_frame(END, &End { requests: 1, points: 3, lost: 0 }, &mut bytes);
        assert_eq!(&bytes[..5], b"E\x22\0\0\0");
        assert_eq!(&bytes[FRAME_BYTES..], br#"{"requests":1,"points":3,"lost":0}"#);
    }

    #[test]
    fn each_header_has_its_own_id() {
        assert_ne!(Header::new("http://h/w", 1).id, Header::new("http://h/w", 1).id);
    }
}
