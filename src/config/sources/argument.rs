//! The argument of `--out`: the URL alone, or options by their names in JSON, as k6's other outputs take them:
//! `url=http://host/api/v1/write,username=me,headers.X-Scope-OrgID=tenant`.

use super::document::{ArgumentKind, Document};
use super::object::meant;
use crate::config::error::{Diagnostics, Source};
use crate::config::options::options;
use crate::config::parse::{headers, names};
use crate::config::setting::Setting;
use crate::config::spec::{OptionSpec, Role};

/// What the name of an option of one header begins with.
const HEADER_PREFIX: &str = "headers.";

/// The option of the URL, after which a name is more likely an option than a part of it.
const URL: &str = "url";

/// The option whose values have the form of options.
const LABELS: &str = "labels";

/// One option of the argument.
struct Pair<'a> {
    name: &'a str,
    /// Has commas, if what follows them is not the name of an option.
    value: String,
}

pub fn read(document: &Document, diagnostics: &mut Diagnostics) -> Vec<Setting> {
    let text = document.argument.expose().trim();
    let whole = Source::new(document.argument_kind.source(), "");
    if name_and_value(text).is_some() {
        return pairs(text, &whole, diagnostics)
            .into_iter()
            .filter_map(|pair| setting(pair, document.argument_kind, diagnostics))
            .collect();
    }
    if let Some(name) = text.split(',').skip(1).find_map(option_of) {
        let message = format!("{name} follows a URL: with options, the URL is an option, too: url=<url>,{name}=…");
        diagnostics.invalid(whole.clone(), message);
    }
    let url = options().find(|option| !text.is_empty() && option.role == Some(Role::Url));
    url.map(|option| Setting::text(option, whole, text.into())).into_iter().collect()
}

/// Splits the argument at the commas that precede a name.
fn pairs<'a>(text: &'a str, source: &Source, diagnostics: &mut Diagnostics) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for part in text.split(',') {
        let next = name_and_value(part);
        match (next, pairs.last_mut()) {
            (Some((name, value)), None) => pairs.push(Pair { name, value: value.into() }),
            (Some((name, value)), Some(_)) if option_named(name).is_some() => {
                pairs.push(Pair { name, value: value.into() })
            }
            (Some((name, value)), Some(last)) => match option_named(last.name) {
                Some(option) if option.name == LABELS => last.value.extend([",", part]),
                // The rest of a secret, or a misspelt name: it is not shown.
                Some(option) if option.is_hidden() => {
                    let advice = match &meant(name, |option| option.name)[..] {
                        [] => format!("set a value with commas by {}", option.variable()),
                        meant => names::did_you_mean(meant),
                    };
                    let message = format!("what follows a comma after {} is not an option; {advice}", option.name);
                    diagnostics.invalid(source.clone(), message);
                }
                Some(_) => pairs.push(Pair { name, value: value.into() }),
                // The rest of a value whose option is misspelt, and so not known to be shown.
                None => last.value.extend([",", part]),
            },
            (None, Some(last)) => {
                if let Some(name) = option_of(part).filter(|_| last.name == URL) {
                    diagnostics.invalid(source.clone(), format!("{name} has no value: write {name}=…"));
                }
                last.value.extend([",", part]);
            }
            (None, None) => {}
        }
    }
    pairs
}

fn setting(pair: Pair<'_>, argument: ArgumentKind, diagnostics: &mut Diagnostics) -> Option<Setting> {
    let Some(option) = option_named(pair.name) else {
        diagnostics.unknown("option", pair.name, &Source::new(argument.source(), ""), || {
            names::did_you_mean(&meant(pair.name, |option| option.name))
        });
        return None;
    };
    let source = Source::new(format!("{}= of {}", pair.name, argument.short()), "");
    let value = match pair.name.strip_prefix(HEADER_PREFIX) {
        Some(header) => headers::as_text(header, &pair.value),
        None => pair.value.into(),
    };
    Some(Setting::text(option, source, value))
}

fn option_named(name: &str) -> Option<&'static OptionSpec> {
    options().find(|option| {
        let is_header = option.role == Some(Role::Headers) && name.starts_with(HEADER_PREFIX);
        is_header || names::is_spelling_of(name, option.name)
    })
}

/// Returns the option that a part after a comma names, with or without a value.
fn option_of(part: &str) -> Option<&'static str> {
    let name = name_and_value(part).map_or(part.trim(), |(name, _)| name);
    option_named(name).map(|option| option.name)
}

/// Returns the parts of `name=value`. No URL is one.
fn name_and_value(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(&str, String)> {
        let mut diagnostics = Diagnostics::default();
        let pairs = pairs(text, &Source::new("", ""), &mut diagnostics);
        assert!(diagnostics.errors.is_empty());
        pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
    }

    #[test]
    fn a_comma_ends_a_value_if_an_option_follows() {
        for (text, expected) in [
            ("url=http://h/w?a=b,timeout=1s", &[("url", "http://h/w?a=b"), ("timeout", "1s")][..]),
            ("trendStats=p(95),max,timeout=1s", &[("trendStats", "p(95),max"), ("timeout", "1s")]),
            ("labels=a=1,b=2,timeout=1s", &[("labels", "a=1,b=2"), ("timeout", "1s")]),
            ("headers=A:1,B:2", &[("headers", "A:1,B:2")]),
            ("headers.X-A=1,2,push_interval=1s", &[("headers.X-A", "1,2"), ("push_interval", "1s")]),
            ("password=a,b", &[("password", "a,b")]),
            ("timeout=1s,usernme=me", &[("timeout", "1s"), ("usernme", "me")]),
            ("passwrod=hunter2,hunter2=", &[("passwrod", "hunter2,hunter2=")]),
        ] {
            let split = split(text);
            assert_eq!(split.iter().map(|(name, value)| (*name, &**value)).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn a_url_is_not_a_pair() {
        for url in ["http://h/w?a=b", "h:9090/w?a=b", "me:x@h/w?a=b", "/w?a=b", "h"] {
            assert!(name_and_value(url).is_none(), "{url}");
        }
    }
}
