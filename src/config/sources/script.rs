//! The `apm` blocks of a script: `options.ext.loadimpact.apm` and `options.cloud.apm`, as k6 Cloud reads them.
//!
//! Each block for Prometheus makes a destination. Blocks of other providers are left to k6 Cloud.

use serde_json::{Map, Value};

use super::{Document, Script, object};
use crate::config::destination::Destination;
use crate::config::error::{ConfigError, Diagnostics, Source, cut, shown_name};
use crate::config::parse::names;
use crate::config::raw::kind;
use crate::config::setting::{Setting, apply_all};
use crate::config::spec::{OptionSpec, Role};
use crate::config::validate::check;

/// The option with the blocks.
pub const APM: &str = "apm";
/// The field of a block that names its provider.
pub const PROVIDER: &str = "provider";
/// The provider that this output is.
pub const PROMETHEUS: &str = "prometheus";
const CREDENTIALS: &str = "credentials";
const REMOTE_WRITE_URL: &str = "remoteWriteURL";

/// The number of fields of a block among which a misspelt URL is looked for.
const MAX_SEARCHED: usize = 50;

/// A block, and where it was written.
struct Block<'a> {
    source: Source,
    fields: &'a Map<String, Value>,
}

/// Returns the destinations of the script's blocks, and whether there are such blocks at all.
pub fn destinations(document: &Document, diagnostics: &mut Diagnostics) -> (Vec<Destination>, bool) {
    let blocks = blocks(document, diagnostics);
    let mut ours = Vec::new();
    let mut others = Vec::new();
    for block in &blocks {
        match provider(block) {
            Ok(PROMETHEUS) => ours.push(destination(block, document, diagnostics)),
            Ok(other) if !others.contains(&other) => others.push(other),
            Ok(_) => {}
            Err(error) => diagnostics.errors.push(error),
        }
    }
    if !others.is_empty() {
        diagnostics.warn(format!(
            "Ignoring the script's apm blocks for {}, which are left to k6 Cloud: this output supports only provider \"{PROMETHEUS}\"",
            cut(&others.iter().map(|other| shown_name(other)).collect::<Vec<_>>().join(", "))
        ));
    }
    let any = !ours.is_empty();
    (ours, any)
}

/// Returns all blocks; one that stands in both places is one.
fn blocks<'a>(document: &'a Document, diagnostics: &mut Diagnostics) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for (path, options) in [(Script::EXT_BLOCKS, &document.script.ext), (Script::CLOUD_BLOCKS, &document.script.cloud)]
    {
        let source = Source::new(path, "script");
        let entries = match options.expose().get(APM) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(entries)) => entries,
            Some(other) => {
                diagnostics.invalid(source, format!("must be a list of blocks, not {}", kind(other)));
                continue;
            }
        };
        let elsewhere = blocks.len();
        for (index, entry) in entries.iter().enumerate() {
            let source = source.part(&format!("[{index}]"));
            match entry {
                Value::Object(fields) if blocks[..elsewhere].iter().any(|block| block.fields == fields) => {}
                Value::Object(fields) => blocks.push(Block { source, fields }),
                other => diagnostics.invalid(source, format!("must be an object, not {}", kind(other))),
            }
        }
    }
    blocks
}

/// Returns the provider of a block. A name similar to "prometheus" is an error, since the block would silently be left to k6
/// Cloud.
fn provider<'a>(block: &Block<'a>) -> Result<&'a str, ConfigError> {
    let source = block.source.field(PROVIDER);
    match block.fields.get(PROVIDER) {
        Some(Value::String(name)) if name == PROMETHEUS => Ok(name),
        Some(Value::String(name)) if names::nearest(name, &[PROMETHEUS]).is_some() => {
            let (value, expected) = (format!("{:?}", shown_name(name)), format!("did you mean \"{PROMETHEUS}\"?"));
            Err(ConfigError::InvalidValue { option: PROVIDER, value, source, expected })
        }
        Some(Value::String(name)) => Ok(name),
        Some(Value::Null) | None => {
            let message = format!("{PROVIDER} is missing; must be \"{PROMETHEUS}\" for this output");
            Err(ConfigError::Invalid { source: block.source.clone(), message })
        }
        Some(other) => {
            let message = format!("must be \"{PROMETHEUS}\" for this output, not {}", kind(other));
            Err(ConfigError::Invalid { source, message })
        }
    }
}

fn destination(block: &Block<'_>, document: &Document, diagnostics: &mut Diagnostics) -> Destination {
    let source = &block.source;
    let settings = object::read(fields(block, diagnostics), source, OptionSpec::script_name, diagnostics);
    let mut destination = Destination::of_block();
    apply_all(&settings, &mut destination, diagnostics);
    let has = |role: Role| settings.iter().any(|one: &Setting| one.option.role == Some(role));
    let misspelt = |name: &String| object::meant(name, OptionSpec::script_name) == [REMOTE_WRITE_URL];
    if !has(Role::Url) && !block.fields.keys().take(MAX_SEARCHED).any(misspelt) {
        let message = format!(
            "{REMOTE_WRITE_URL} is missing; must be the URL of the receiver, such as http://localhost:9090/api/v1/write"
        );
        diagnostics.invalid(source.clone(), message);
    }
    if has(Role::BearerToken) && (has(Role::Username) || has(Role::Password)) {
        let message = "a token, and a username or password, are mutually exclusive; set only one";
        diagnostics.invalid(source.field(CREDENTIALS), message);
    }
    let native_feature = document.run.native_histograms();
    check(&mut destination, &settings, source, &document.environment, native_feature, diagnostics);
    destination
}

/// Returns the fields of a block but for its provider; those of its credentials as `credentials.token` and so on.
fn fields<'a>(block: &Block<'a>, diagnostics: &mut Diagnostics) -> Vec<(String, &'a Value)> {
    let mut fields = Vec::new();
    for (name, value) in block.fields.iter().filter(|(name, _)| *name != PROVIDER) {
        match value {
            _ if name != CREDENTIALS => fields.push((name.clone(), value)),
            Value::Object(credentials) => {
                fields.extend(credentials.iter().map(|(name, value)| (format!("{CREDENTIALS}.{name}"), value)));
            }
            Value::Null => {}
            other => {
                let message =
                    format!("must be an object with username and password, or with token, not {}", kind(other));
                diagnostics.invalid(block.source.field(CREDENTIALS), message);
            }
        }
    }
    fields
}
