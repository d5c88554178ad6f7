//! Files in PEM form, read so that a mistake has a line.

use rustls::pki_types::pem::PemObject;

/// One `BEGIN … END` of a file.
pub(super) struct Section<'a> {
    /// What stands behind `BEGIN`.
    pub label: &'a str,
    /// The line that it begins in, from 1 on.
    pub line: usize,
    text: &'a str,
}

/// A line that is not as it should be, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub line: usize,
    pub problem: String,
}

impl Section<'_> {
    /// The section as what it should be.
    pub fn read<T: PemObject>(&self) -> Result<T, Broken> {
        T::from_pem_slice(self.text.as_bytes()).map_err(|_| self.broken("is not whole"))
    }

    /// Whether it takes a password to read it.
    pub fn is_encrypted(&self) -> bool {
        self.label.starts_with("ENCRYPTED") || self.text.contains("Proc-Type: 4,ENCRYPTED")
    }

    /// What is wrong with it.
    pub fn broken(&self, problem: &str) -> Broken {
        Broken { line: self.line, problem: format!("the {} that begins here {problem}", self.label) }
    }
}

/// The sections of a file. What stands between them is anybody's.
pub(super) fn sections(text: &str) -> Result<Vec<Section<'_>>, Broken> {
    let mut sections = Vec::new();
    let mut open: Option<(&str, usize, usize)> = None;
    let mut end = 0;
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let start = end;
        end += whole.len();
        let line = whole.trim();
        let broken = |problem: String| Broken { line: number, problem };
        match (marker(line, "-----BEGIN "), marker(line, "-----END "), open) {
            (Some(label), _, None) => open = Some((label, number, start)),
            (Some(_), _, Some((label, begin, _))) => {
                return Err(broken(format!("the {label} of line {begin} has no end before this")));
            }
            (_, Some(label), Some((begun, line, from))) if label == begun => {
                sections.push(Section { label, line, text: &text[from..end] });
                open = None;
            }
            (_, Some(label), _) => return Err(broken(format!("a {label} ends here that does not begin"))),
            // Old keys have headers, `Proc-Type: 4,ENCRYPTED`.
            (None, None, Some(_)) if !line.contains(':') && !line.bytes().all(is_base64) => {
                return Err(broken("this is no base64".into()));
            }
            _ => {}
        }
    }
    match open {
        Some((label, line, _)) => Err(Broken { line, problem: format!("the {label} that begins here has no end") }),
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
    fn sections_have_their_label_and_line() {
        let text =
            "a comment: ä\n-----BEGIN A B-----\r\nAAAA\r\n-----END A B-----\r\n\n-----BEGIN C-----\n-----END C-----";
        let sections = sections(text).expect("whole");
        let found: Vec<_> = sections.iter().map(|section| (section.label, section.line)).collect();
        assert_eq!(found, [("A B", 2), ("C", 6)]);
    }

    #[test]
    fn what_is_broken_has_its_line() {
        for (text, line, problem) in [
            ("-----BEGIN A-----\nAA\n", 1, "the A that begins here has no end"),
            ("\n-----BEGIN A-----\nAA\n-----BEGIN A-----\n", 4, "the A of line 2 has no end before this"),
            ("-----BEGIN A-----\nAA\n-----END B-----\n", 3, "a B ends here that does not begin"),
            ("-----END B-----\n", 1, "a B ends here that does not begin"),
            ("-----BEGIN A-----\nAAAA\nA?AA\n-----END A-----\n", 3, "this is no base64"),
        ] {
            assert_eq!(sections(text).err(), Some(Broken { line, problem: problem.into() }), "{text}");
        }
    }
}
