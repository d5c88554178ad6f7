//! PEM files, parsed so that an error has the line of the mistake.

use rustls::pki_types::pem::PemObject;

/// Section of a file, from `BEGIN` to `END`.
pub(super) struct Section<'a> {
    /// Label after `BEGIN`.
    pub label: &'a str,
    /// Line of its `BEGIN`, from 1 on.
    pub line: usize,
    text: &'a str,
}

/// Mistake in a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PemError {
    pub line: usize,
    pub problem: String,
}

impl Section<'_> {
    /// Decodes the section.
    pub fn decode<T: PemObject>(&self) -> Result<T, PemError> {
        T::from_pem_slice(self.text.as_bytes()).map_err(|_| self.error(format!("invalid {}", self.label)))
    }

    /// Reports whether the section needs a password.
    pub fn is_encrypted(&self) -> bool {
        self.label.starts_with("ENCRYPTED") || self.text.contains("Proc-Type: 4,ENCRYPTED")
    }

    /// Returns an error at the section's `BEGIN`.
    pub fn error(&self, problem: impl Into<String>) -> PemError {
        PemError { line: self.line, problem: problem.into() }
    }
}

/// Parses the sections of a file. Text between them is ignored.
pub(super) fn sections(text: &str) -> Result<Vec<Section<'_>>, PemError> {
    let mut sections = Vec::new();
    let mut open: Option<(&str, usize, usize)> = None;
    let mut end = 0;
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let start = end;
        end += whole.len();
        let line = whole.trim();
        let error = |problem: String| PemError { line: number, problem };
        match (marker(line, "-----BEGIN "), marker(line, "-----END "), open) {
            (Some(label), _, None) => open = Some((label, number, start)),
            (Some(_), _, Some((label, begin, _))) => {
                return Err(error(format!("BEGIN {label} of line {begin} has no END before this line")));
            }
            (_, Some(label), Some((open_label, line, from))) if label == open_label => {
                sections.push(Section { label, line, text: &text[from..end] });
                open = None;
            }
            (_, Some(label), _) => return Err(error(format!("END {label} without BEGIN {label}"))),
            // Old keys have headers, such as `Proc-Type: 4,ENCRYPTED`.
            (None, None, Some(_)) if !line.contains(':') && !line.bytes().all(is_base64) => {
                return Err(error("invalid base64".into()));
            }
            _ => {}
        }
    }
    match open {
        Some((label, line, _)) => Err(PemError { line, problem: format!("BEGIN {label} without END {label}") }),
        None => Ok(sections),
    }
}

fn marker<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.strip_prefix(begin)?.strip_suffix("-----")
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_its_label_and_line() {
        let text =
            "a comment: ä\n-----BEGIN A B-----\r\nAAAA\r\n-----END A B-----\r\n\n-----BEGIN C-----\n-----END C-----";
        let sections = sections(text).expect("whole");
        let found: Vec<_> = sections.iter().map(|section| (section.label, section.line)).collect();
        assert_eq!(found, [("A B", 2), ("C", 6)]);
    }

    #[test]
    fn an_error_has_the_line_of_the_mistake() {
        for (text, line, problem) in [
            ("-----BEGIN A-----\nAA\n", 1, "BEGIN A without END A"),
            ("\n-----BEGIN A-----\nAA\n-----BEGIN A-----\n", 4, "BEGIN A of line 2 has no END before this line"),
            ("-----BEGIN A-----\nAA\n-----END B-----\n", 3, "END B without BEGIN B"),
            ("-----END B-----\n", 1, "END B without BEGIN B"),
            ("-----BEGIN A-----\nAAAA\nA?AA\n-----END A-----\n", 3, "invalid base64"),
        ] {
            assert_eq!(sections(text).err(), Some(PemError { line, problem: problem.into() }), "{text}");
        }
    }
}
