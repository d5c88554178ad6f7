//! k6's configuration file: `collectors."remote-write"`.

use super::{Document, object};
use crate::config::error::{Diagnostics, Source};
use crate::config::setting::Setting;

pub fn read<'a>(document: &'a Document, diagnostics: &mut Diagnostics) -> Vec<Setting<'a>> {
    let source = Source::new("collectors.\"remote-write\"", "JSON");
    let fields = document.json.iter().flatten().map(|(name, value)| (name.clone(), value));
    object::read(fields, &source, |option| option.name, diagnostics)
}
