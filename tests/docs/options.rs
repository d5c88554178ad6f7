//! The documentation's tables of options match the code, and its examples are valid. `UPDATE_DOCS=1` writes the tables
//! (`make docs`).

use std::fs;

use k6_remote_write::config::{Config, Document, OPTIONS, OptionSpec, options};
use regex::Regex;
use serde_json::{Value, json};

use crate::page::{Page, page, pages, read, root};

/// Comments around a table.
const BEGIN: &str = "<!-- options: written by `make docs` -->\n";
const END: &str = "<!-- end of options -->\n";

#[test]
fn the_tables_of_options_are_current() {
    for (path, table) in [("docs/configuration.md", all_options()), ("README.md", usual_options())] {
        let page = read(path);
        let (before, after) = page.split_once(BEGIN).unwrap_or_else(|| panic!("{path} has no {BEGIN}"));
        let (_, after) = after.split_once(END).unwrap_or_else(|| panic!("{path} has no {END}"));
        let current = format!("{before}{BEGIN}{table}{END}{after}");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(root().join(path), &current).expect("the page can be written");
        }
        assert!(read(path) == current, "the options of {path} are stale: run `make docs` and commit it");
    }
}

/// Returns the reference: a table for each group of options.
fn all_options() -> String {
    let row = |option: &OptionSpec| {
        let (name, script) = (option.name, option.script_name());
        let names = if name == script { format!("`{name}`") } else { format!("`{name}`; script: `{script}`") };
        let variables: Vec<_> = option.variables().map(|variable| format!("`{variable}`")).collect();
        let default = option.default_text().unwrap_or_else(|| "none".into());
        let (variables, values, doc) = (variables.join(", "), option.valid_values(), option.doc);
        format!("| {names} | {variables} | {values} | {default} | {doc} |\n")
    };
    let group = |(title, options): &(&str, &[OptionSpec])| {
        let head = "| option | environment | value | default | meaning |\n|---|---|---|---|---|\n";
        format!("### {title}\n\n{head}{}\n", options.iter().map(row).collect::<String>())
    };
    format!("\n{}", OPTIONS.iter().map(group).collect::<String>())
}

/// Returns the README's table, with the names in a script.
fn usual_options() -> String {
    let row = |option: &OptionSpec| {
        let default = option.default_text().unwrap_or_else(|| "none".into());
        format!("| `{}` | `{}` | {default} | {} |\n", option.script_name(), option.variable(), option.doc)
    };
    let rows: String = options().filter(|option| option.is_usual).map(row).collect();
    format!("\n| script | environment | default | meaning |\n|---|---|---|---|\n{rows}\n")
}

#[test]
fn the_examples_of_json_and_environment_are_equal() {
    let json: Value = serde_json::from_str(&example("json")).expect("JSON");
    let documents =
        [json!({ "json": json["collectors"]["remote-write"] }), json!({ "environment": variables(&example("sh")) })];
    let [json, environment] = documents.map(|document| config(&document).expect("valid"));
    assert_eq!(json, environment);
}

#[test]
fn environment_examples_are_valid() {
    for (page, block) in blocks("sh") {
        // Only env files, not commands.
        if !block.lines().all(|line| line.starts_with("K6_PROMETHEUS_RW_")) {
            continue;
        }
        let environment = variables(&format!("{block}AWS_SHARED_CREDENTIALS_FILE=/keys"));
        let config =
            config(&json!({ "environment": environment })).unwrap_or_else(|error| panic!("{page}: {error}: {block}"));
        assert_eq!(config.warnings, [""; 0], "{page}: {block}");
    }
}

#[test]
fn json_examples_are_valid() {
    for (page, block) in blocks("json") {
        let json: Value = serde_json::from_str(&block).unwrap_or_else(|error| panic!("{page}: {error}: {block}"));
        if let Some(options) = json.pointer("/collectors/remote-write") {
            let config = config(&json!({ "json": options })).unwrap_or_else(|error| panic!("{page}: {error}: {block}"));
            assert_eq!(config.warnings, [""; 0], "{page}: {block}");
        }
    }
}

#[test]
fn common_services_have_a_block() {
    for (path, service) in [
        ("docs/authentication.md", "Prometheus"),
        ("docs/authentication.md", "New Relic"),
        ("docs/receivers.md", "Prometheus"),
        ("docs/receivers.md", "Mimir"),
        ("docs/receivers.md", "Thanos"),
        ("docs/receivers.md", "VictoriaMetrics"),
        ("docs/receivers.md", "Grafana Cloud"),
        ("docs/receivers.md", "Amazon Managed Service for Prometheus"),
    ] {
        let page = page(path);
        let mut blocks = page.blocks("sh").filter(|block| block.heading.starts_with(service));
        let has_block = blocks.any(|block| block.text.starts_with("K6_PROMETHEUS_RW_SERVER_URL="));
        assert!(has_block, "{path}: {service} has no block");
    }
}

#[test]
fn named_variables_are_options() {
    let name = Regex::new("K6_PROMETHEUS_RW_[A-Z0-9_]*").expect("valid");
    for page in pages() {
        for found in name.find_iter(&page.text) {
            let found = found.as_str();
            let is_option = options().any(|option| option.variables().any(|variable| variable == found));
            let is_pattern = found == "K6_PROMETHEUS_RW_" || found.starts_with("K6_PROMETHEUS_RW_HEADERS_");
            assert!(is_option || is_pattern, "{}: {found} is not an option", page.path);
        }
    }
}

/// Returns all blocks of a language, with their pages.
fn blocks(language: &str) -> Vec<(String, String)> {
    let of = |page: &Page| page.blocks(language).map(|block| (page.path.clone(), block.text)).collect::<Vec<_>>();
    let blocks: Vec<_> = pages().iter().flat_map(of).collect();
    assert!(!blocks.is_empty(), "no block of {language}");
    blocks
}

/// Returns the variables of an env file.
fn variables(block: &str) -> Value {
    block
        .lines()
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line} is not a variable")))
        .map(|(name, value)| (name, value.trim_matches('\'')))
        .collect()
}

fn config(document: &Value) -> Result<Config, String> {
    let document = Document::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())?;
    Config::read(&document).map_err(|errors| errors.to_string())
}

/// Returns the first example in a language.
fn example(language: &str) -> String {
    let page = page("docs/configuration.md");
    page.blocks(language).next().expect("an example").text
}
