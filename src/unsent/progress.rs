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
    /// Reads the marks of the file at `path`, whose header has `id`, and prepares for the next ones. `receiver` identifies, without
    /// secrets and in one line, what they are sent to. Marks of another file, which had the same name, do not count.
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
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (marked_receiver, marks) = marks(&bytes, id).unwrap_or_default();
        let last = marks.last().copied();
        let other_receiver = marked_receiver.filter(|marked| *marked != receiver && last.is_some());
        let mut progress = Self { file, path, last, other_receiver };
        if last.is_none() {
            progress.restart(id, receiver)?;
            directory::sync(
                progress.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            )?;
        } else {
            let line_bytes = bytes.iter().position(|&byte| byte == b'\n').unwrap_or_default() + 1;
            progress.file.set_len((line_bytes + marks.len() * MARK_BYTES) as u64)?;
            progress.file.seek(SeekFrom::End(0))?;
        }
        Ok(progress)
    }

    /// Forgets all marks: the whole file is to be sent to `receiver`.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn restart(&mut self, id: &str, receiver: &str) -> io::Result<()> {
        (self.last, self.other_receiver) = (None, None);
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(format!("{id} {receiver}\n").as_bytes())?;
        self.file.sync_all()
    }

    /// The last mark; `None` if nothing was sent.
    pub fn last(&self) -> Option<Mark> {
        self.last
    }

    /// The receiver that the marks are of, if it is another one.
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

/// Returns the receiver in the first line, and the marks that follow, if they are of the file with this id.
fn marks(bytes: &[u8], id: &str) -> Option<(Option<String>, Vec<Mark>)> {
    let rest = bytes.strip_prefix(format!("{id} ").as_bytes())?;
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let receiver = String::from_utf8_lossy(&rest[..end]).into();
    Some((Some(receiver), rest[end + 1..].chunks_exact(MARK_BYTES).map_while(decode).collect()))
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
