//! The `apm` blocks of a script: `options.ext.loadimpact.apm` and `options.cloud.apm`, as k6 Cloud reads them.
//!
//! Each block for Prometheus is a destination of its own. Blocks of other providers are left to k6 Cloud.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Document, object};
use crate::config::error::{ConfigError, Diagnostics, cut};
use crate::config::options::OptionSpec;
use crate::config::parse::names;
use crate::config::setting::{Setting, apply_all};
use crate::config::validate::check;
use crate::config::{Destination, options};

const PROVIDER: &str = "provider";
const PROMETHEUS: &str = "prometheus";
const CREDENTIALS: &str = "credentials";
const REMOTE_WRITE_URL: &str = "remoteWriteURL";

/// A block, and where it is.
struct Block<'a> {
    path: String,
    fields: &'a Map<String, Value>,
}

/// The destinations of the script's blocks, and whether there are such blocks at all.
pub fn destinations(document: &Document, diagnostics: &mut Diagnostics) -> (Vec<Destination>, bool) {
    let blocks = blocks(document, diagnostics);
    let mut ours = Vec::new();
    let mut others = Vec::new();
    for block in &blocks {
        match provider(block) {
            Ok(PROMETHEUS) => ours.push(destination(block, &document.environment, diagnostics)),
            Ok(other) if !others.contains(&other) => others.push(other),
            Ok(_) => {}
            Err(mistake) => diagnostics.errors.push(mistake),
        }
    }
    if !others.is_empty() {
        diagnostics.warnings.push(format!(
            "The script's apm blocks for {} are left to k6 Cloud: this output ships to provider \"{PROMETHEUS}\" alone",
            cut(&others.join(", "))
        ));
    }
    let any = !ours.is_empty();
    (ours, any)
}

/// All blocks; one that stands in both places is one.
fn blocks<'a>(document: &'a Document, diagnostics: &mut Diagnostics) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for (path, options) in
        [("options.ext.loadimpact.apm", &document.script.ext), ("options.cloud.apm", &document.script.cloud)]
    {
        let entries = match options.as_ref().and_then(|options| options.get("apm")) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(entries)) => entries,
            Some(other) => {
                diagnostics.errors.push(wrong(path, &format!("is {}; allowed is a list of blocks", kind(other))));
                continue;
            }
        };
        let elsewhere = blocks.len();
        for (index, entry) in entries.iter().enumerate() {
            let path = format!("{path}[{index}]");
            match entry {
                Value::Object(fields) if blocks[..elsewhere].iter().any(|block| block.fields == fields) => {}
                Value::Object(fields) => blocks.push(Block { path, fields }),
                other => diagnostics.errors.push(wrong(&path, &format!("is {}; allowed is an object", kind(other)))),
            }
        }
    }
    blocks
}

/// Whose block it is. What is nearly "prometheus" is a mistake, since it would be left to k6 Cloud in silence.
fn provider<'a>(block: &Block<'a>) -> Result<&'a str, ConfigError> {
    match block.fields.get(PROVIDER) {
        Some(Value::String(name)) if name == PROMETHEUS => Ok(name),
        Some(Value::String(name)) if names::nearest(name, &[PROMETHEUS]).is_some() => {
            Err(wrong(&format!("{}.{PROVIDER}", block.path), &format!("is {name:?}; did you mean \"{PROMETHEUS}\"?")))
        }
        Some(Value::String(name)) => Ok(name),
        Some(Value::Null) | None => {
            Err(wrong(&block.path, &format!("has no provider; for this output it is \"{PROMETHEUS}\"")))
        }
        Some(other) => Err(wrong(
            &format!("{}.{PROVIDER}", block.path),
            &format!("is {}; for this output it is \"{PROMETHEUS}\"", kind(other)),
        )),
    }
}

fn destination(
    block: &Block<'_>,
    environment: &BTreeMap<String, String>,
    diagnostics: &mut Diagnostics,
) -> Destination {
    let path = block.path.clone();
    let spelling = object::Spelling {
        name: OptionSpec::script_name,
        place: Box::new(move |name| format!("{path}.{name} (script)")),
    };
    let settings = object::read(fields(block, diagnostics), &spelling, diagnostics);
    let mut destination = Destination::of_block();
    apply_all(&settings, &mut destination, diagnostics);
    let has = |name: &str| settings.iter().any(|one: &Setting<'_>| one.option.name == name);
    let misspelt = |name: &String| object::meant(name, OptionSpec::script_name) == Some(REMOTE_WRITE_URL);
    if !has(options::URL) && !block.fields.keys().any(misspelt) {
        let problem =
            "has no remoteWriteURL; it is the URL of the receiver, such as http://localhost:9090/api/v1/write";
        diagnostics.errors.push(wrong(&block.path, problem));
    }
    let token = has(options::BEARER_TOKEN) || has(options::BEARER_TOKEN_FILE);
    let basic = [options::USERNAME, options::USERNAME_FILE, options::PASSWORD, options::PASSWORD_FILE];
    if token && basic.into_iter().any(has) {
        let problem = "has a token, and username or password; allowed is either";
        diagnostics.errors.push(wrong(&format!("{}.{CREDENTIALS}", block.path), problem));
    }
    check(&mut destination, &settings, &format!("{} (script)", block.path), environment, diagnostics);
    destination
}

/// The fields of a block but for its provider; those of its credentials as `credentials.token` and so on.
fn fields<'a>(block: &Block<'a>, diagnostics: &mut Diagnostics) -> Vec<(String, &'a Value)> {
    let mut fields = Vec::new();
    for (name, value) in block.fields.iter().filter(|(name, _)| *name != PROVIDER) {
        match value {
            _ if name != CREDENTIALS => fields.push((name.clone(), value)),
            Value::Object(credentials) => {
                fields.extend(credentials.iter().map(|(name, value)| (format!("{CREDENTIALS}.{name}"), value)));
            }
            Value::Null => {}
            _ => diagnostics.errors.push(wrong(
                &format!("{}.{CREDENTIALS}", block.path),
                "is no object; allowed is one with username and password, or with token",
            )),
        }
    }
    fields
}

fn wrong(path: &str, problem: &str) -> ConfigError {
    ConfigError::Wrong { place: format!("{path} (script)"), problem: problem.into() }
}

/// What a value is, since the value itself may have secrets in it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
