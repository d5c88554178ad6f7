//! The host's terminal: text that the host prints, and how it may look.

use crossbeam_channel::Sender;
use serde::Deserialize;

/// Maximum size of a chunk, a little less than `K6RW_CHUNK_SIZE`.
pub const MAX_CHUNK_BYTES: usize = 16_000;

/// Columns of a terminal whose width is not known.
const DEFAULT_WIDTH: usize = 80;

/// Stream of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Stdout,
    /// Progress and warnings.
    Stderr,
}

/// A part of the output, at most [`MAX_CHUNK_BYTES`] long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it is to be printed.
    pub stream: Stream,
    /// It may end within a line, not within a character. Has no NUL.
    pub text: String,
}

/// What the host knows of its terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Terminal {
    /// Whether standard output is a terminal.
    stdout: bool,
    /// Whether standard error is one.
    stderr: bool,
    /// Columns; 0 if not known.
    width: usize,
    /// Whether colors are allowed, on streams that are terminals.
    color: bool,
}

/// Emphasis of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Of success.
    Good,
    /// Of what may cost something, but not the metrics.
    Warning,
    /// Of failure.
    Bad,
    /// Of a title.
    Strong,
    /// Of what is beside the point.
    Faint,
}

/// The host's terminal. A text waits until the host polls it.
pub(super) struct Console {
    chunks: Sender<Chunk>,
    terminal: Terminal,
}

impl Console {
    pub fn new(chunks: Sender<Chunk>, terminal: Terminal) -> Self {
        Self { chunks, terminal }
    }

    /// Prints a text as it is.
    pub fn print(&self, stream: Stream, text: &str) {
        let text = text.replace('\0', "\u{FFFD}");
        let mut rest = &*text;
        while !rest.is_empty() {
            let (first, others) = rest.split_at(rest.floor_char_boundary(MAX_CHUNK_BYTES));
            // Fails only if the host has gone.
            let _ = self.chunks.send(Chunk { stream, text: first.into() });
            rest = others;
        }
    }

    /// Returns the width of the terminal in columns.
    pub fn width(&self) -> usize {
        if self.terminal.width == 0 { DEFAULT_WIDTH } else { self.terminal.width }
    }

    /// Reports whether a stream is a terminal, on which lines may be overwritten.
    pub fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.terminal.stdout,
            Stream::Stderr => self.terminal.stderr,
        }
    }

    /// Returns a text in its color, where colors are allowed.
    pub fn paint(&self, stream: Stream, tone: Tone, text: &str) -> String {
        if !self.terminal.color || !self.is_terminal(stream) {
            return text.into();
        }
        let code = match tone {
            Tone::Good => 32,
            Tone::Warning => 33,
            Tone::Bad => 31,
            Tone::Strong => 1,
            Tone::Faint => 2,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    #[test]
    fn a_long_text_is_cut_into_chunks_between_characters() {
        let (sender, chunks) = unbounded();
        let text = "ä".repeat(MAX_CHUNK_BYTES) + "\0";
        Console::new(sender, Terminal::default()).print(Stream::Stderr, &text);
        let chunks: Vec<_> = chunks.iter().collect();
        assert!(chunks.iter().all(|chunk| chunk.stream == Stream::Stderr && chunk.text.len() <= MAX_CHUNK_BYTES));
        let whole: String = chunks.into_iter().map(|chunk| chunk.text).collect();
        assert_eq!(whole, text.replace('\0', "\u{FFFD}"));
    }

    #[test]
    fn only_a_terminal_with_colors_gets_colors() {
        let (sender, _chunks) = unbounded();
        let painted =
            |terminal: Terminal| Console::new(sender.clone(), terminal).paint(Stream::Stdout, Tone::Bad, "no");
        let color = Terminal { stdout: true, color: true, ..Terminal::default() };
        assert_eq!(painted(color), "\u{1b}[31mno\u{1b}[0m");
        assert_eq!(painted(Terminal { stdout: false, stderr: true, ..color }), "no");
        assert_eq!(painted(Terminal { color: false, ..color }), "no");
    }
}
