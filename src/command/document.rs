//! The document of the host: arguments, the sources of options, and the terminal.

use serde::Deserialize;
use serde_json::Value;

use super::console::Terminal;
use crate::config::{ArgumentKind, Document, DocumentError, Raw};

/// How the user calls a command, if the host does not say.
const PROGRAM: &str = "remote-write";

/// The fields that an output's document has not. All may be missing.
#[derive(Deserialize)]
#[serde(default)]
struct OwnFields {
    arguments: Vec<String>,
    program: String,
    terminal: Terminal,
}

impl Default for OwnFields {
    fn default() -> Self {
        Self { arguments: Vec::new(), program: PROGRAM.into(), terminal: Terminal::default() }
    }
}

/// What the host gives a command. Holds secrets, and so has no `Debug`.
pub(super) struct CommandDocument {
    /// The arguments of the command line, from the name of the command on.
    pub arguments: Vec<String>,
    /// How the user calls this command, such as `k6 x remote-write`.
    pub program: String,
    pub terminal: Terminal,
    /// The sources of options.
    sources: Raw,
}

impl CommandDocument {
    /// # Errors
    /// Text that is not JSON of this form.
    pub fn parse(text: &[u8]) -> Result<Self, DocumentError> {
        let value = Raw::from(Document::parse_json(text)?);
        let Value::Object(mut fields) = value.expose().clone() else {
            return Err(DocumentError::Kind { field: "the document".into(), wanted: "an object", found: value.kind() });
        };
        let own = ["arguments", "program", "terminal"].into_iter();
        let own = own.filter_map(|name| Some((name.into(), fields.remove(name)?))).collect();
        // Not with serde's message, which quotes values.
        let OwnFields { arguments, program, terminal } = serde_json::from_value(Value::Object(own))
            .map_err(|_| DocumentError::Form("one of arguments, program and terminal".into()))?;
        // Their form is checked here, and their values when a command needs them.
        for name in ["argument", "script"] {
            if fields.contains_key(name) {
                return Err(DocumentError::Unknown(name.into()));
            }
        }
        let sources = Raw::from(Value::Object(fields));
        output_document(&sources)?;
        Ok(Self { arguments, program, terminal, sources })
    }

    /// Returns the document of an output with the same sources, and this URL; empty for none.
    pub fn for_output(&self, url: &str, argument_kind: ArgumentKind) -> Document {
        // Parsed before, so this does not fail.
        let document = output_document(&self.sources).unwrap_or_default();
        Document { argument: url.into(), argument_kind, ..document }
    }
}

fn output_document(sources: &Raw) -> Result<Document, DocumentError> {
    match sources.expose().clone() {
        Value::Object(mut fields) => Document::from_fields(&mut fields),
        _ => Ok(Document::default()),
    }
}
