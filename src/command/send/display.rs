//! Progress, warnings and results → text, as k6 shows them: a bar that is redrawn on a terminal, and a line now and then elsewhere.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::console::{Console, Stream, Tone};
use crate::report::{Event, Level, Reporter};

/// Interval of the lines on progress where they cannot be redrawn.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Interval in which the bar is redrawn.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Columns of the bar.
const BAR_COLUMNS: usize = 40;

/// Clears the line that is redrawn.
const CLEAR_LINE: &str = "\r\u{1b}[0K";

/// Fields of an event that are shown elsewhere, or that everybody knows here.
const HIDDEN_FIELDS: [&str; 2] = ["url", "hint"];

/// Shows what happens.
pub(super) struct Display<'a> {
    console: &'a Console,
    reporter: Reporter,
    state: RefCell<State>,
}

struct State {
    begun: Instant,
    /// Time at which progress was last shown.
    shown: Instant,
    /// True if the last line of standard error is a bar.
    has_bar: bool,
}

impl<'a> Display<'a> {
    /// Shows the events of `reporter`, too.
    pub fn new(console: &'a Console, reporter: Reporter) -> Self {
        let now = Instant::now();
        Self { console, reporter, state: RefCell::new(State { begun: now, shown: now, has_bar: false }) }
    }

    /// Shows how much was sent: `fraction` of the file, and `sent` of about `points` points.
    pub fn progress(&self, fraction: f64, sent: u64, points: u64) {
        self.events();
        let is_terminal = self.console.is_terminal(Stream::Stderr);
        let mut state = self.state.borrow_mut();
        if state.shown.elapsed() < if is_terminal { REDRAW_INTERVAL } else { LINE_INTERVAL } {
            return;
        }
        state.shown = Instant::now();
        let elapsed = state.begun.elapsed().as_secs_f64();
        let (minutes, seconds) = ((elapsed / 60.0).floor(), elapsed % 60.0);
        let percent = (fraction.clamp(0.0, 1.0) * 100.0).floor();
        let text = format!("{percent:3}%  {sent}/{points} points  {minutes:02}m{seconds:04.1}s");
        if is_terminal {
            let columns = self.console.width().saturating_sub(text.len() + 10).min(BAR_COLUMNS);
            let text = format!("{CLEAR_LINE}send {} {text}", bar(fraction, columns));
            self.console.print(Stream::Stderr, &text);
            state.has_bar = true;
        } else {
            self.console.print(Stream::Stderr, &format!("send {text}\n"));
        }
    }

    /// Removes the bar.
    pub fn end_progress(&self) {
        self.events();
        self.clear_bar();
    }

    /// Shows what the sender has logged. Details for debugging are left out.
    pub fn events(&self) {
        while let Some(event) = self.reporter.poll() {
            if event.level != Level::Debug {
                self.clear_bar();
                self.console.print(Stream::Stderr, &self.event_text(&event));
            }
        }
    }

    /// Shows what is done.
    pub fn note(&self, text: &str) {
        self.clear_bar();
        self.console.print(Stream::Stderr, &format!("{text}\n"));
    }

    /// Shows what the user should know.
    pub fn warn(&self, text: &str) {
        self.clear_bar();
        let tone = self.console.paint(Stream::Stderr, Tone::Warning, "warning");
        self.console.print(Stream::Stderr, &format!("{tone}: {text}\n"));
    }

    /// Shows a result.
    pub fn result(&self, text: &str) {
        self.clear_bar();
        self.console.print(Stream::Stdout, &format!("{text}\n"));
    }

    fn clear_bar(&self) {
        if std::mem::take(&mut self.state.borrow_mut().has_bar) {
            self.console.print(Stream::Stderr, CLEAR_LINE);
        }
    }

    fn event_text(&self, event: &Event) -> String {
        let (level, tone) = match event.level {
            Level::Debug | Level::Info => ("info", Tone::Good),
            Level::Warn => ("warning", Tone::Warning),
            Level::Error | Level::Fatal => ("error", Tone::Bad),
        };
        let level = self.console.paint(Stream::Stderr, tone, level);
        let fields = event.fields.iter().filter(|(name, _)| !HIDDEN_FIELDS.contains(&name.as_str()));
        let fields: String = fields.map(|(name, value)| format!(" {name}={value}")).collect();
        let hint = event.fields.get("hint").and_then(Value::as_str).map(|hint| format!("  {hint}\n"));
        format!("{level}: {}{fields}\n{}", event.message, hint.unwrap_or_default())
    }
}

/// A bar of so many columns between its brackets.
fn bar(fraction: f64, columns: usize) -> String {
    let full = (fraction.clamp(0.0, 1.0) * columns as f64) as usize;
    let head = if full < columns { ">" } else { "" };
    format!("[{}{head}{}]", "=".repeat(full), "-".repeat(columns.saturating_sub(full + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_its_columns_whatever_the_fraction() {
        for (fraction, expected) in
            [(0.0, "[>---]"), (0.5, "[==>-]"), (0.99, "[===>]"), (1.0, "[====]"), (7.0, "[====]")]
        {
            assert_eq!(bar(fraction, 4), expected);
        }
        assert_eq!(bar(0.5, 0), "[]");
    }
}
