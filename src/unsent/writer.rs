//! Requests → a file. Its memory is that of one request.
//!
//! The file has a temporary name until it is finished. Each request is written by itself, so that a crash costs at most the one
//! that was being written; a disk that fails keeps the ones before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::directory;
use super::format::{END, End, HEADER, Header, Part, VERSION, first_line, json_frame, request_frame};
use super::names::{MAX_NAMES, PARTIAL, UNSENT};

/// Bytes after which what was written is made durable, so that the last time takes no longer than the others.
const SYNC_BYTES: u64 = 8 << 20;

/// A file that is being written. No other process reads or writes it meanwhile.
#[derive(Debug)]
pub struct Writer {
    file: File,
    directory: PathBuf,
    /// The name without its ending.
    stem: String,
    /// Length of the file up to the last whole request.
    bytes: u64,
    synced_bytes: u64,
    end: End,
    buffer: Vec<u8>,
}

impl Writer {
    /// Creates a file in `directory`, with a temporary name that no other file has.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn create(directory: &Path, header: &Header) -> io::Result<Self> {
        let (file, stem) = create(directory, header.created)?;
        let mut buffer = first_line(VERSION).into_bytes();
        json_frame(HEADER, header, &mut buffer);
        let directory = directory.to_path_buf();
        let mut writer = Self { file, directory, stem, bytes: 0, synced_bytes: 0, end: End::default(), buffer };
        // Only an advice to other processes: some file systems have no locks.
        let _ = writer.file.try_lock();
        match writer.write_buffer() {
            Ok(()) => Ok(writer),
            Err(error) => {
                let _ = fs::remove_file(writer.path());
                Err(error)
            }
        }
    }

    /// Writes a request with `points` points.
    ///
    /// # Errors
    /// What the system refuses. The file then ends with the request before.
    pub fn write(&mut self, part: Part, points: usize, body: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        request_frame(part, points as u32, body, &mut self.buffer);
        self.write_buffer()?;
        self.end.requests += 1;
        self.end.points += points as u64;
        if self.bytes - self.synced_bytes >= SYNC_BYTES {
            self.synced_bytes = self.bytes;
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Number of points that were written.
    pub fn points(&self) -> u64 {
        self.end.points
    }

    /// The path while the file is written.
    pub fn path(&self) -> PathBuf {
        self.directory.join(format!("{}{PARTIAL}", self.stem))
    }

    /// Completes the file, makes it durable, and gives it its name. `lost` points are not in it. Returns the path.
    ///
    /// # Errors
    /// What the system refuses. The file then keeps its temporary name, and what was written.
    pub fn finish(mut self, lost: u64) -> io::Result<PathBuf> {
        self.end.lost = lost;
        self.buffer.clear();
        json_frame(END, &self.end, &mut self.buffer);
        let ended = self.write_buffer();
        // A disk that is full has no room for the end: the file is readable without it.
        if lost == 0 {
            ended?;
        }
        self.file.sync_all()?;
        let path = self.directory.join(format!("{}{UNSENT}", self.stem));
        fs::rename(self.path(), &path)?;
        directory::sync(&self.directory)?;
        Ok(path)
    }

    /// Removes a file to which nothing was written.
    pub fn remove(self) {
        let _ = fs::remove_file(self.path());
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.buffer);
        match written {
            Ok(()) => self.bytes += self.buffer.len() as u64,
            Err(_) => {
                // What was written of it uses space, and would be read as damaged.
                let _ = self.file.set_len(self.bytes);
                let _ = io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.bytes));
            }
        }
        written
    }
}

fn create(directory: &Path, seconds: u64) -> io::Result<(File, String)> {
    let stems = (1..MAX_NAMES).map(|number| match number {
        1 => format!("k6-remote-write-{seconds}"),
        _ => format!("k6-remote-write-{seconds}-{number}"),
    });
    for stem in stems {
        let path = directory.join(format!("{stem}{PARTIAL}"));
        match directory::new_file_options().open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            // The name is taken once it was finished, too.
            Ok(_)
                if [UNSENT, ".sent", ".refused"].iter().any(|end| directory.join(format!("{stem}{end}")).exists()) =>
            {
                fs::remove_file(&path)?;
            }
            Ok(file) => return Ok((file, stem)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header { created: 7, ..Header::new("http://host/w", 2) }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("readable");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_a_temporary_name_until_it_is_finished_and_replaces_no_other() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Writer::create(directory.path(), &header()).expect("created");
        assert_eq!(names(directory.path()), ["k6-remote-write-7.unsent.partial"]);
        let second = Writer::create(directory.path(), &header()).expect("created");
        first.finish(0).expect("finished");
        second.finish(0).expect("finished");
        Writer::create(directory.path(), &header()).expect("created").remove();
        fs::rename(directory.path().join("k6-remote-write-7.unsent"), directory.path().join("k6-remote-write-7.sent"))
            .expect("renamed");
        Writer::create(directory.path(), &header()).expect("created").finish(0).expect("finished");
        assert_eq!(
            names(directory.path()),
            ["k6-remote-write-7-2.unsent", "k6-remote-write-7-3.unsent", "k6-remote-write-7.sent"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_a_file() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        let path = Writer::create(directory.path(), &header()).expect("created").finish(0).expect("finished");
        assert_eq!(fs::metadata(path).expect("is there").permissions().mode() & 0o777, 0o600);
    }
}
