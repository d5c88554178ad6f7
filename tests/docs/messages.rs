//! docs/troubleshooting.md has every message that a user can see, and no other.
//!
//! A message is a text of three words or more in the sources. What is filled in is `…` here and there.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use regex::Regex;

use crate::page::{Page, code_spans, files, pages, read};

/// Where texts are no messages: what options allow is in docs/configuration.md, what metrics mean is shipped with them, what a
/// host program does wrong is in the header.
const NOT_TOLD: [&str; 5] =
    ["src/config/option.rs", "src/fault.rs", "src/ffi/borrow.rs", "src/ffi/entry.rs", "src/map/"];

/// Parts of sentences, which mean nothing by themselves.
const PARTS: [&str; 20] = [
    "; a selector is written as …",
    "a bearer token",
    "a signature for AWS",
    "a tag's name",
    "a text in quotes",
    "a user name and a password",
    "an Authorization header",
    "an escape that is known, such as \\\\ for a backslash,",
    "no event waits",
    "nothing of the kind",
    "promtool tsdb create-blocks-from openmetrics … <Prometheus's data folder>",
    "the argument of --out",
    "the closing quote",
    "the destination of --out, environment and JSON",
    "the handle is none that k6rw_open gave, or it has been freed",
    "the library failed: …",
    "the output is closed",
    "too many samples",
    "… is not UTF-8: the first wrong byte is at …",
    "… of the samples have ids that k6rw_register_series never gave: they were left out, all others taken",
];

/// Macros whose texts programmers read.
const ASSERTIONS: [&str; 5] = ["assert", "assert_eq", "debug_assert", "panic", "unreachable"];

static CONTINUED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\\n\s*").expect("valid"));
static FILLED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\{[^{}]*\})+").expect("valid"));

#[test]
fn the_page_has_every_message() {
    let told = told();
    let missing: Vec<_> = messages().into_iter().filter(|message| !told.contains(message)).collect();
    assert!(missing.is_empty(), "docs/troubleshooting.md lacks\n{}", missing.join("\n"));
}

#[test]
fn every_message_of_the_page_is_in_the_sources() {
    let messages = messages();
    let page = page();
    let sections = page.text.split("\n## ").filter(|section| !section.starts_with("No message"));
    // The first cell of a row.
    let cells = sections.flat_map(str::lines).filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let cells = cells.collect::<Vec<_>>().join("\n\n");
    let entries = code_spans(&cells);
    assert!(entries.len() > 50, "{entries:?}");
    for entry in entries {
        assert!(messages.contains(&entry), "docs/troubleshooting.md has what is not told: {entry}");
    }
}

fn page() -> Page {
    pages().into_iter().find(|page| page.path == "docs/troubleshooting.md").expect("a page")
}

/// What the page has as code.
fn told() -> BTreeSet<String> {
    page().code_spans().into_iter().collect()
}

fn messages() -> BTreeSet<String> {
    let mut messages = texts();
    for part in PARTS {
        assert!(messages.remove(part), "{part} is a part of nothing any more");
    }
    messages
}

/// All texts of three words or more, but for those that are no messages.
fn texts() -> BTreeSet<String> {
    let rust = files("src", "rs").into_iter().filter(|path| !NOT_TOLD.iter().any(|not| path.starts_with(not)));
    let mut texts = Vec::new();
    rust.for_each(|path| collect(read(&path).parse().expect("Rust"), &mut texts));
    let go = Regex::new(r#"(?:errors\.New|fmt\.Errorf|Error|Warn|Info)\("((?:[^"\\]|\\.)+)""#).expect("valid");
    for path in files("go-shim", "go").iter().filter(|path| !path.ends_with("_test.go")) {
        let source = read(path).replace("\"+\n\t\t\t\"", "");
        texts.extend(go.captures_iter(&source).map(|found| found[1].replace("%d", "{}").replace(": %w", ": {}")));
    }
    texts.iter().map(|text| normal(text)).filter(|text| words(text) >= 3).collect()
}

/// The texts of a source, but for its documentation, its tests and what programmers are told.
fn collect(tokens: TokenStream, texts: &mut Vec<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).map(|before| tokens[before].to_string()).unwrap_or_default();
        match token {
            TokenTree::Group(group) => {
                let is_test = group.delimiter() == Delimiter::Brace && before(1) == "tests" && before(2) == "mod";
                let is_documentation =
                    group.delimiter() == Delimiter::Bracket && group.stream().to_string().starts_with("doc");
                let is_assertion = before(1) == "!" && ASSERTIONS.contains(&before(2).as_str());
                if !is_test && !is_documentation && !is_assertion && before(1) != "expect" {
                    collect(group.stream(), texts);
                }
            }
            TokenTree::Literal(literal) => texts.extend(text_of(&literal.to_string())),
            _ => {}
        }
    }
}

/// What a literal says, if it is a text.
fn text_of(literal: &str) -> Option<String> {
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
    Some(CONTINUED.replace_all(inside, "").replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// The text with `…` for what is filled in.
fn normal(text: &str) -> String {
    FILLED
        .replace_all(&text.replace("{{", "\u{1}").replace("}}", "\u{2}"), "…")
        .replace('\u{1}', "{")
        .replace('\u{2}', "}")
}

fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count()
}
