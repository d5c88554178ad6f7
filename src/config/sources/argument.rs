//! The argument of `--out`, which is the URL alone.

use super::Document;
use crate::config::options::OPTIONS;
use crate::config::setting::Setting;

pub fn read(document: &Document) -> Vec<Setting<'_>> {
    let text = document.argument.trim();
    let url = (!text.is_empty()).then(|| Setting::text(&OPTIONS[0], "the argument of --out".into(), text));
    url.into_iter().collect()
}
