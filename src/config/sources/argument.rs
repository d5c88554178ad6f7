//! The argument of `--out`, which is the URL alone.

use super::Document;
use crate::config::error::Source;
use crate::config::options::options;
use crate::config::setting::Setting;
use crate::config::spec::Role;

pub fn read(document: &Document) -> Vec<Setting> {
    let text = document.argument.expose().trim();
    let url = options().find(|option| !text.is_empty() && option.role == Some(Role::Url));
    url.map(|option| Setting::text(option, Source::new("the argument of --out", ""), text.into())).into_iter().collect()
}
