//! A file → its requests. Nothing in a file makes it fail but the disk: what is damaged or cut is reported, and costs itself.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use thiserror::Error;

use super::format::{
    END, End, FRAME_BYTES, HEADER, Header, Part, REQUEST, REQUEST_BYTES, TITLE, VERSION, checksum, first_line,
};

/// Why a file cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// What the system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A directory, a device or a pipe.
    #[error("must be a regular file")]
    NoFile,
    /// Another kind of file.
    #[error("not a file of unsent samples: the first line must be {:?}", first_line(VERSION).trim_end())]
    Foreign,
    /// A file of a later release.
    #[error(
        "format {0} of unsent samples is newer than this version, which reads format {VERSION}; update k6-remote-write"
    )]
    Newer(u32),
    /// The file ends before its header does.
    #[error("the file was cut within its header: it has no samples")]
    NoHeader,
    /// Another process writes or sends it.
    #[error("another process is writing or sending this file")]
    Locked,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What it is of its batch.
    pub part: Part,
    /// Number of its points.
    pub points: u32,
    /// The compressed body, of Remote Write 2.0.
    pub body: Vec<u8>,
    /// Offset in the file at which the next request begins.
    pub end: u64,
}

/// What a file has next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A request.
    Request(Request),
    /// So many bytes whose checksum is wrong. They are skipped.
    Damaged(u64),
    /// The end of a file that was written to its end.
    End(End),
    /// The file ends before its end: the rest was not written, or was cut off.
    Cut,
}

/// Reads a file from its start. No other process writes or sends it meanwhile.
#[derive(Debug)]
pub struct Reader {
    input: BufReader<File>,
    header: Header,
    /// Offset of the next frame.
    offset: u64,
    len: u64,
}

impl Reader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// What the system refuses, and files that are not of this format. They are not changed.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        // Before it is opened, since opening a pipe waits for its other end.
        if !path.metadata()?.is_file() {
            return Err(OpenError::NoFile);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(OpenError::NoFile);
        }
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => return Err(OpenError::Locked),
            // Some file systems have no locks.
            Err(std::fs::TryLockError::Error(_)) | Ok(()) => {}
        }
        let mut reader =
            Self { input: BufReader::new(file), header: Header::default(), offset: 0, len: metadata.len() };
        reader.read_version()?;
        match reader.read_frame()? {
            Frame::Whole(HEADER, payload) => {
                reader.header = serde_json::from_slice(&payload).map_err(|_| OpenError::Foreign)?;
            }
            Frame::Cut => return Err(OpenError::NoHeader),
            // A header that is damaged does not cost the requests behind it.
            Frame::Damaged(_) => {}
            Frame::Whole(..) => return Err(OpenError::Foreign),
        }
        Ok(reader)
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Continues at an offset that was the [`Request::end`] of a request.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(())
    }

    /// Reads what follows. After [`Entry::End`] and [`Entry::Cut`] nothing does.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn read_entry(&mut self) -> io::Result<Entry> {
        let begin = self.offset;
        let (kind, payload) = match self.read_frame()? {
            Frame::Whole(kind, payload) => (kind, payload),
            Frame::Damaged(bytes) => return Ok(Entry::Damaged(bytes)),
            Frame::Cut => return Ok(Entry::Cut),
        };
        let entry = match kind {
            REQUEST => request(payload, self.offset),
            END => serde_json::from_slice(&payload).ok().map(Entry::End),
            _ => None,
        };
        Ok(entry.unwrap_or(Entry::Damaged(self.offset - begin)))
    }

    fn read_version(&mut self) -> Result<(), OpenError> {
        // Longer than the line of any version.
        let mut line = Vec::new();
        (&mut self.input).take(TITLE.len() as u64 + 12).read_until(b'\n', &mut line)?;
        self.offset = line.len() as u64;
        let complete = line.last() == Some(&b'\n');
        match line.strip_prefix(TITLE.as_bytes()) {
            Some(version) if complete => {
                let version = std::str::from_utf8(version).ok().and_then(|text| text.trim_end().parse().ok());
                match version.ok_or(OpenError::Foreign)? {
                    VERSION => Ok(()),
                    newer if newer > VERSION => Err(OpenError::Newer(newer)),
                    _ => Err(OpenError::Foreign),
                }
            }
            _ if first_line(VERSION).as_bytes().starts_with(&line) => Err(OpenError::NoHeader),
            _ => Err(OpenError::Foreign),
        }
    }

    fn read_frame(&mut self) -> io::Result<Frame> {
        let left = self.len.saturating_sub(self.offset);
        let mut prefix = [0; FRAME_BYTES];
        if left < FRAME_BYTES as u64 {
            return Ok(Frame::Cut);
        }
        self.input.read_exact(&mut prefix)?;
        let [kind, lens @ ..] = prefix;
        let [a, b, c, d, e, f, g, h] = lens;
        let (len, expected) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        if left - (FRAME_BYTES as u64) < u64::from(len) {
            return Ok(Frame::Cut);
        }
        let mut payload = vec![0; len as usize];
        self.input.read_exact(&mut payload)?;
        let bytes = FRAME_BYTES as u64 + u64::from(len);
        self.offset += bytes;
        let valid = checksum(kind, len, &payload) == expected;
        Ok(if valid { Frame::Whole(kind, payload) } else { Frame::Damaged(bytes) })
    }
}

/// What was read of a frame.
enum Frame {
    Whole(u8, Vec<u8>),
    Damaged(u64),
    Cut,
}

fn request(mut payload: Vec<u8>, end: u64) -> Option<Entry> {
    let (&[a, b, c, d, e, f], _) = payload.split_first_chunk::<REQUEST_BYTES>()?;
    payload.drain(..REQUEST_BYTES);
    let (part, points) = (Part::of(u16::from_le_bytes([a, b])), u32::from_le_bytes([c, d, e, f]));
    Some(Entry::Request(Request { part, points, body: payload, end }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::unsent::Writer;

    /// A file with three requests, and the offsets at which they end.
    fn example() -> (TempDir, PathBuf, Vec<u64>) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = Writer::create(directory.path(), &Header::new("http://host/w", 6)).expect("created");
        for number in 1..=3 {
            writer.write(Part::Number(number as u16), number, &vec![number as u8; 40 * number]).expect("written");
        }
        let path = writer.finish(0).expect("finished");
        let mut reader = Reader::open(&path).expect("opens");
        let ends = (0..3).map(|_| match reader.read_entry().expect("readable") {
            Entry::Request(request) => request.end,
            other => panic!("{other:?}"),
        });
        let ends = ends.collect();
        (directory, path, ends)
    }

    /// All entries of a file, the last of which ends it.
    fn entries(path: &Path) -> Vec<Entry> {
        let mut reader = Reader::open(path).expect("opens");
        let mut entries = Vec::new();
        while !matches!(entries.last(), Some(Entry::End(_) | Entry::Cut)) {
            entries.push(reader.read_entry().expect("readable"));
        }
        entries
    }

    fn is_request(entry: &&Entry) -> bool {
        matches!(entry, Entry::Request(_))
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let (_directory, path, ends) = example();
        let reader = Reader::open(&path).expect("opens");
        assert_eq!((&*reader.header().url, reader.header().points), ("http://host/w", 6));
        drop(reader);
        let entries = entries(&path);
        let expected = Request { part: Part::Number(2), points: 2, body: vec![2; 80], end: ends[1] };
        assert_eq!(entries[1], Entry::Request(expected));
        assert_eq!(entries[3], Entry::End(End { requests: 3, points: 6, lost: 0 }));
        assert_eq!(entries.len(), 4);
    }

    #[test]
    fn a_file_that_is_cut_at_any_offset_keeps_its_whole_requests() {
        let (_directory, path, ends) = example();
        let bytes = fs::read(&path).expect("readable");
        for len in 0..bytes.len() {
            fs::write(&path, &bytes[..len]).expect("written");
            let whole = ends.iter().filter(|&&end| end <= len as u64).count();
            // Dropped, since it locks the file.
            match Reader::open(&path).map(drop) {
                Ok(()) => {
                    let entries = entries(&path);
                    assert_eq!(entries.iter().filter(is_request).count(), whole, "cut at {len}");
                    assert_eq!((entries.len(), entries.last()), (whole + 1, Some(&Entry::Cut)), "cut at {len}");
                }
                Err(error) => {
                    assert!(matches!(error, OpenError::NoHeader), "cut at {len}: {error}");
                    assert_eq!(whole, 0, "cut at {len}");
                }
            }
        }
    }

    #[test]
    fn a_byte_that_is_damaged_costs_at_most_the_request_that_has_it() {
        let (_directory, path, ends) = example();
        let bytes = fs::read(&path).expect("readable");
        for offset in ends[0] as usize..ends[1] as usize {
            let mut damaged = bytes.clone();
            damaged[offset] ^= 0x10;
            fs::write(&path, &damaged).expect("written");
            let entries = entries(&path);
            let of_length = (1..5).contains(&(offset - ends[0] as usize));
            let expected = if of_length { 1.. } else { 2.. };
            assert!(expected.contains(&entries.iter().filter(is_request).count()), "{offset}: {entries:?}");
            let reported = |entry: &Entry| matches!(entry, Entry::Damaged(_) | Entry::Cut);
            assert!(entries.iter().any(reported), "{offset}: the damage is reported: {entries:?}");
        }
    }

    #[test]
    fn other_files_are_not_read() {
        let (_directory, path, _) = example();
        let bytes = fs::read(&path).expect("readable");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for (contents, message) in [
            (
                "# TYPE k6_http_reqs counter\n".into(),
                "not a file of unsent samples: the first line must be \"k6-remote-write unsent samples, format 1\"",
            ),
            (
                text.replacen("format 1", "format 2", 1),
                "format 2 of unsent samples is newer than this version, which reads format 1; update k6-remote-write",
            ),
            (
                text.replacen("format 1", "format 0", 1),
                "not a file of unsent samples: the first line must be \"k6-remote-write unsent samples, format 1\"",
            ),
            (
                text.replacen("format 1", "format 99999999999", 1),
                "not a file of unsent samples: the first line must be \"k6-remote-write unsent samples, format 1\"",
            ),
            (String::new(), "the file was cut within its header: it has no samples"),
        ] {
            fs::write(&path, &contents).expect("written");
            assert_eq!(Reader::open(&path).expect_err("is not read").to_string(), message);
            assert_eq!(fs::read_to_string(&path).expect("readable"), contents, "is not changed");
        }
        assert!(Reader::open(Path::new(env!("CARGO_MANIFEST_DIR"))).is_err());
    }

    #[test]
    fn a_file_that_is_being_written_or_sent_is_not_read_by_another() {
        let (directory, path, _) = example();
        let first = Reader::open(&path).expect("opens");
        assert!(matches!(Reader::open(&path), Err(OpenError::Locked)));
        drop(first);
        Reader::open(&path).expect("opens");
        let writer = Writer::create(directory.path(), &Header::new("http://host/w", 0)).expect("created");
        assert!(matches!(Reader::open(&writer.path()), Err(OpenError::Locked)));
    }

    proptest! {
        #[test]
        fn a_file_that_is_damaged_anywhere_is_read_to_its_end(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
            rest in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let (_directory, path, _) = example();
            let mut bytes = fs::read(&path).expect("readable");
            let len = bytes.len();
            damage.iter().for_each(|(index, byte)| bytes[index.index(len)] = *byte);
            bytes.extend(rest);
            fs::write(&path, &bytes).expect("written");
            if let Ok(mut reader) = Reader::open(&path) {
                // Each entry is at least a frame long.
                let entries = (0..=bytes.len() / FRAME_BYTES).map(|_| reader.read_entry().expect("readable"));
                prop_assert!(entries.into_iter().any(|entry| matches!(entry, Entry::End(_) | Entry::Cut)));
            }
        }
    }
}
