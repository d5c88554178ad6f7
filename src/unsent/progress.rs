//! How much of a file was sent: marks in a second file beside it, each durable before the next request is sent.
//!
//! After the first line, which has the id of the file of unsent samples and the receiver, come marks of equal length, each with its checksum. The
//! last one that is whole counts, so a crash costs at most the mark that was being written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::directory;
use super::names::PROGRESS;

/// Bytes of a mark: three numbers and a checksum.
const MARK_BYTES: usize = 8 * 3 + 4;

/// What was sent of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// The outcome of all requests before this offset is known.
    pub offset: u64,
    /// Points of those that the receiver has accepted.
    pub sent: u64,
    /// Points of those that the receiver has refused.
    pub refused: u64,
}

/// Marks of one file.
#[derive(Debug)]
pub struct Progress {
    file: File,
    path: PathBuf,
    last: Option<Mark>,
    other_receiver: Option<String>,
}

impl Progress {
    /// Reads the marks of the file at `path`, whose header has `id`, and prepares for the next ones. `receiver` is its URL without
    /// secrets. Marks of another file, which had the same name, do not count, nor do those of another receiver.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn open(path: &Path, id: &str, receiver: &str) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(PROGRESS);
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let first_line = format!("{id} {receiver}\n").into_bytes();
        let marks = text.strip_prefix(&*first_line).map(|marks| marks.chunks_exact(MARK_BYTES));
        let marks: Vec<_> = marks.into_iter().flatten().map_while(decode).collect();
        let other_receiver = if marks.is_empty() { other_receiver(&text, id) } else { None };
        if marks.is_empty() {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&first_line)?;
            file.sync_all()?;
            directory::sync(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        }
        file.set_len((first_line.len() + marks.len() * MARK_BYTES) as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, path, last: marks.last().copied(), other_receiver })
    }

    /// The last mark; `None` if nothing was sent.
    pub fn last(&self) -> Option<Mark> {
        self.last
    }

    /// The receiver that a part of the file was sent to before, if it is another one.
    pub fn other_receiver(&self) -> Option<&str> {
        self.other_receiver.as_deref()
    }

    /// Adds a mark, and makes it durable.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn add(&mut self, mark: Mark) -> io::Result<()> {
        self.file.write_all(&encode(mark))?;
        self.file.sync_data()?;
        self.last = Some(mark);
        Ok(())
    }

    /// Removes the marks: the file was sent and renamed, or nothing of it was sent.
    pub fn remove(self) {
        let _ = fs::remove_file(self.path);
    }
}

/// Returns the receiver in the first line, if marks of this file follow it.
fn other_receiver(text: &[u8], id: &str) -> Option<String> {
    let rest = text.strip_prefix(format!("{id} ").as_bytes())?;
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    rest[end + 1..].chunks_exact(MARK_BYTES).next().and_then(decode)?;
    Some(String::from_utf8_lossy(&rest[..end]).into())
}

fn encode(mark: Mark) -> [u8; MARK_BYTES] {
    let mut bytes = [0; MARK_BYTES];
    for (index, number) in [mark.offset, mark.sent, mark.refused].into_iter().enumerate() {
        bytes[8 * index..8 * (index + 1)].copy_from_slice(&number.to_le_bytes());
    }
    let checksum = crc32fast::hash(&bytes[..24]);
    bytes[24..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Mark> {
    let number = |index: usize| Some(u64::from_le_bytes(bytes[8 * index..8 * (index + 1)].try_into().ok()?));
    let mark = Mark { offset: number(0)?, sent: number(1)?, refused: number(2)? };
    (encode(mark) == bytes).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(offset: u64) -> Mark {
        Mark { offset, sent: 2 * offset, refused: 3 }
    }

    #[test]
    fn the_last_whole_mark_counts_wherever_the_file_is_cut() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.unsent");
        let mut progress = Progress::open(&path, "id", "http://h/").expect("opens");
        assert_eq!(progress.last(), None);
        (1..=3).for_each(|offset| progress.add(mark(offset)).expect("written"));
        drop(progress);
        let marks = directory.path().join("a.unsent.progress");
        let bytes = fs::read(&marks).expect("is there");
        for len in (0..=bytes.len()).rev() {
            fs::write(&marks, &bytes[..len]).expect("written");
            let whole = (len.saturating_sub("id http://h/\n".len()) / MARK_BYTES) as u64;
            let mut progress = Progress::open(&path, "id", "http://h/").expect("opens");
            assert_eq!(progress.last(), (whole > 0).then(|| mark(whole)), "cut at {len}");
            progress.add(mark(9)).expect("written");
            drop(progress);
            assert_eq!(Progress::open(&path, "id", "http://h/").expect("opens").last(), Some(mark(9)), "cut at {len}");
        }
    }

    #[test]
    fn marks_of_another_file_do_not_count() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.unsent");
        Progress::open(&path, "one", "http://h/").expect("opens").add(mark(1)).expect("written");
        assert_eq!(Progress::open(&path, "other", "http://h/").expect("opens").last(), None);
        let progress = Progress::open(&path, "other", "http://h/").expect("opens");
        progress.remove();
        assert_eq!(fs::read_dir(directory.path()).expect("readable").count(), 0);
    }
}
