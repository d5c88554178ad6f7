//! k6's configuration file: `collectors."remote-write"`.

use super::{Document, object};
use crate::config::error::Diagnostics;
use crate::config::setting::Setting;

pub fn read<'a>(document: &'a Document, diagnostics: &mut Diagnostics) -> Vec<Setting<'a>> {
    let spelling = object::Spelling {
        name: |option| option.name,
        place: Box::new(|name| format!("collectors.\"remote-write\".{name} (JSON)")),
    };
    let fields = document.json.iter().flatten().map(|(name, value)| (name.clone(), value));
    object::read(fields, &spelling, diagnostics)
}
