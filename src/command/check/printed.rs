//! Findings → text for a person, in the width of the terminal.

use super::CheckResult;
use super::finding::{Finding, State};
use crate::command::console::{Console, Stream, Tone};
use crate::secret::MASK;

/// Width of the column of subjects, and where the text begins.
const SUBJECT_WIDTH: usize = 12;
const TEXT_COLUMN: usize = SUBJECT_WIDTH + 5;

/// The subject of mistakes and warnings about options.
pub(super) const OPTIONS: &str = "options";

/// Text is not wider, however wide the terminal is; nor narrower.
const MAX_WIDTH: usize = 100;
const MIN_WIDTH: usize = 40;

/// Prints the findings on all destinations. `argument` is that of the check, empty for none.
pub(super) fn print(console: &Console, result: &CheckResult, argument: &str) {
    let out = Stream::Stdout;
    for error in &result.errors {
        print_line(console, State::Failed, OPTIONS, error);
    }
    for warning in &result.warnings {
        print_line(console, State::Warning, OPTIONS, warning);
    }
    if !result.warnings.is_empty() {
        console.print(out, "\n");
    }
    for (index, examination) in result.destinations.iter().enumerate() {
        if index > 0 {
            console.print(out, "\n");
        }
        let title = format!("Receiver {} ({})", examination.url, examination.source);
        console.print(out, &format!("{}\n\n", console.paint(out, Tone::Strong, &title)));
        for finding in &examination.findings {
            print_finding(console, finding);
        }
        let end = if !examination.was_asked() {
            console.paint(out, Tone::Bad, "The configuration is not valid.")
        } else if examination.failed() {
            console.paint(out, Tone::Bad, "The receiver does not accept the metrics of a run.")
        } else {
            let value = match &*examination.url {
                _ if argument.is_empty() => String::new(),
                // Options beside the URL, which may have secrets.
                _ if !argument.trim_start().starts_with("http") => "=<the same argument>".into(),
                hidden if hidden.contains(MASK) => "=<the same URL>".into(),
                url => format!("={url}"),
            };
            let accepted = console.paint(out, Tone::Good, "The receiver accepts the metrics of a run:");
            format!("{accepted}\n\n  k6 run --out remote-write{value} script.js")
        };
        console.print(out, &format!("\n{end}\n"));
    }
}

fn print_finding(console: &Console, finding: &Finding) {
    print_line(console, finding.state, finding.subject, &finding.text);
    if let Some(hint) = &finding.hint {
        let lines = wrapped(hint, text_width(console) - 2);
        for (index, line) in lines.iter().enumerate() {
            let begin = if index == 0 { "→ " } else { "  " };
            console.print(Stream::Stdout, &format!("{:TEXT_COLUMN$}{begin}{line}\n", ""));
        }
    }
}

fn print_line(console: &Console, state: State, subject: &str, text: &str) {
    let (mark, tone) = match state {
        State::Ok => ("✓", Tone::Good),
        State::Info => ("·", Tone::Faint),
        State::Warning => ("!", Tone::Warning),
        State::Failed => ("✗", Tone::Bad),
    };
    let mark = console.paint(Stream::Stdout, tone, mark);
    let text = wrapped(text, text_width(console)).join(&format!("\n{:TEXT_COLUMN$}", ""));
    console.print(Stream::Stdout, &format!("  {mark} {subject:SUBJECT_WIDTH$} {text}\n"));
}

fn text_width(console: &Console) -> usize {
    console.width().clamp(MIN_WIDTH, MAX_WIDTH) - TEXT_COLUMN
}

/// Breaks a text into lines between words. A word that is longer than a line stays whole, so that it can be copied.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("at least one");
        let chars = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(word);
        } else if chars <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.into());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_long_words_stay_whole() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a http://long.example/ b", 5), ["a", "http://long.example/", "b"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
