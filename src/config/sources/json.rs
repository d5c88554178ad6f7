//! k6's configuration file: `collectors."remote-write"`.

use serde_json::Value;

use super::{Document, object};
use crate::config::error::{Diagnostics, Source};
use crate::config::setting::Setting;

pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Vec<Setting> {
    let source = Source::new("collectors.\"remote-write\"", "JSON");
    match document.json.expose() {
        Value::Null => Vec::new(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), value));
            object::read(fields, &source, |option| option.name, diagnostics)
        }
        _ => {
            let message = format!("must be an object with options, such as url, not {}", document.json.kind());
            diagnostics.invalid(source, message);
            Vec::new()
        }
    }
}
