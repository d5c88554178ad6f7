//! `export`: a file of unsent samples → OpenMetrics text, for `promtool tsdb create-blocks-from openmetrics`.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::cancellation::Cancellation;
use super::console::{Console, Stream, Tone};
use super::spec::{Failure, Flag, Invocation, Spec};
use crate::unsent::{Exported, Reader, export, shown};

const OUTPUT: &str = "output";

/// Size of the parts in which text is printed.
const PART_BYTES: usize = 8_000;

pub(super) const SPEC: Spec = Spec {
    name: "export",
    operands: ("<file>", 1..=1),
    summary: "Converts a file of unsent samples to OpenMetrics text",
    details: "\
Prometheus imports the text, also when it is older than a receiver accepts:

  promtool tsdb create-blocks-from openmetrics <text> <data directory>

Import it three hours after the test or later: a Prometheus that still has this
time in memory drops it for the imported block. OpenMetrics has no stale markers
and no native histograms: the former are left out, and the latter become classic
ones. Names that are not ASCII are quoted, which Prometheus 3 reads.

The file stays as it is. One with the ending .sent or .refused is read, too.",
    flags: &[Flag { name: OUTPUT, value: Some("file"), doc: "Writes to a new file instead of standard output" }],
    run,
};

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let Invocation { arguments, console, cancellation, .. } = invocation;
    // The number of operands is checked.
    let path = arguments.operands.first().map(String::as_str).unwrap_or_default();
    let failed = |error: String| Failure::failed(format!("{}: {error}", shown(Path::new(path))));
    let mut reader = Reader::open(Path::new(path)).map_err(|error| failed(error.to_string()))?;
    let exported = match arguments.value(OUTPUT) {
        Some(to) => {
            let file = OpenOptions::new().write(true).create_new(true).open(to);
            let file = file.map_err(|error| {
                let reason = match error.kind() {
                    io::ErrorKind::AlreadyExists => "exists already, and is not replaced".into(),
                    _ => error.to_string(),
                };
                Failure::failed(format!("--output {to}: {reason}"))
            })?;
            let mut out = Interruptible { out: BufWriter::new(file), cancellation };
            let exported = export(&mut reader, &mut out);
            if exported.is_err() {
                // A partial text looks like a complete one to who does not look for its end.
                let _ = fs::remove_file(to);
            }
            exported
        }
        None => {
            let out = BufWriter::with_capacity(PART_BYTES, Printed { console, rest: Vec::new() });
            export(&mut reader, &mut Interruptible { out, cancellation })
        }
    };
    let exported = exported.map_err(|error| failed(error.to_string()))?;
    summary(console, path, &exported);
    let Exported { damaged_bytes, is_cut, .. } = exported;
    match (damaged_bytes, is_cut) {
        (0, false) => Ok(()),
        (0, true) => Err(failed("the file was cut: the text has the points up to there".into())),
        _ => Err(failed(format!("{damaged_bytes} bytes of the file are damaged: the text has all other points"))),
    }
}

fn summary(console: &Console, path: &str, exported: &Exported) {
    let Exported { points, histograms, histograms_left_out, stale_markers, lost, .. } = *exported;
    let mut text = format!("{path}: read {points} points\n");
    for (count, what) in [
        (histograms, "native histograms became classic ones"),
        (histograms_left_out, "native histograms are left out: the run has sent them as classic ones, too"),
        (stale_markers, "stale markers are left out: OpenMetrics has none"),
        (lost, "points of the run are not in the file: its disk failed"),
    ] {
        if count > 0 {
            text += &format!("  {count} {what}\n");
        }
    }
    console.print(Stream::Stderr, &console.paint(Stream::Stderr, Tone::Faint, &text));
}

/// Fails when the host has cancelled the command.
struct Interruptible<'a, W> {
    out: W,
    cancellation: &'a Cancellation,
}

impl<W: Write> Write for Interruptible<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancellation.is_cancelled() {
            // Not `Interrupted`, after which a writer tries again.
            return Err(io::Error::other("interrupted"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Prints to standard output.
struct Printed<'a> {
    console: &'a Console,
    /// The beginning of a character whose rest is to come.
    rest: Vec<u8>,
}

impl Write for Printed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(&self.rest) {
            Ok(text) => text,
            Err(error) => str::from_utf8(&self.rest[..error.valid_up_to()]).unwrap_or_default(),
        };
        self.console.print(Stream::Stdout, valid);
        let printed = valid.len();
        self.rest.drain(..printed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
