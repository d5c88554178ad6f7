//! What the documentation says of options is what the code has.

use k6_remote_write::config::{Config, Document, OPTIONS, OptionSpec};
use regex::Regex;
use serde_json::{Value, json};

use crate::page::{Page, page, pages, read};

#[test]
fn the_table_of_options_is_the_codes() {
    let page = read("docs/configuration.md");
    let rows: String = OPTIONS
        .iter()
        .map(|option| {
            let (script, name, variable) = (option.script_name(), option.name, option.variable);
            let default = if option.default.is_empty() { "none".into() } else { format!("`{}`", option.default) };
            format!("| `{script}` | `{name}` | `{variable}` | {} | {default} |\n", option.allowed)
        })
        .collect();
    let head = "| script | JSON | environment | allowed | default |\n|---|---|---|---|---|\n";
    assert!(page.contains(&format!("{head}{rows}\n")), "docs/configuration.md should have:\n{head}{rows}");
}

#[test]
fn the_table_of_the_readme_has_the_codes_defaults() {
    let readme = read("README.md");
    let rows: Vec<_> = readme.lines().filter(|line| line.contains("| `K6_PROMETHEUS_RW_")).collect();
    assert!(rows.len() > 10);
    for row in rows {
        let is_of = |option: &&OptionSpec| row.contains(&format!(" `{}` ", option.variable));
        // The row of several options has no default.
        let Some(option) = OPTIONS.iter().find(is_of) else { continue };
        let default = if option.default.is_empty() { " | none".into() } else { format!(" | `{}` | ", option.default) };
        assert!(row.contains(&default), "{row} should have{default}");
    }
}

#[test]
fn every_option_has_an_example_in_all_its_spellings() {
    let [script, json, environment] = ["js", "json", "sh"].map(example);
    for option in OPTIONS {
        let field = option.script_name().rsplit('.').next().expect("a name");
        assert!(script.contains(&format!("{field}: ")), "{field} is not in the script's example");
        assert!(json.contains(&format!("\"{}\": ", option.name)), "{} is not in the JSON example", option.name);
        assert!(
            environment.contains(&format!("{}=", option.variable)),
            "{} is not in the environment's",
            option.variable
        );
    }
}

#[test]
fn the_examples_say_the_same() {
    let json: Value = serde_json::from_str(&example("json")).expect("JSON");
    let environment = variables(&example("sh"));
    let mut configs = [json!({ "json": json["collectors"]["remote-write"] }), json!({ "environment": environment })]
        .map(|document| config(&document).expect("valid"));
    // The environment's example has names alone.
    configs.iter_mut().for_each(|config| config.destinations[0].metrics = None);
    assert_eq!(configs[0], configs[1]);
}

#[test]
fn what_is_written_for_the_environment_is_valid() {
    for (page, block) in blocks("sh") {
        // An env file, not commands.
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
fn what_is_written_as_json_is_valid() {
    for (page, block) in blocks("json") {
        let json: Value = serde_json::from_str(&block).unwrap_or_else(|error| panic!("{page}: {error}: {block}"));
        if let Some(options) = json.pointer("/collectors/remote-write") {
            let config = config(&json!({ "json": options })).unwrap_or_else(|error| panic!("{page}: {error}: {block}"));
            assert_eq!(config.warnings, [""; 0], "{page}: {block}");
        }
    }
}

#[test]
fn the_usual_services_have_a_block_each() {
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
fn variables_that_are_named_are_options() {
    // The spelling of k6's documentation, and what begins all names.
    let known = ["K6_PROMETHEUS_RW_TLS_MIN_VERSION", "K6_PROMETHEUS_RW_"];
    let name = Regex::new("K6_PROMETHEUS_RW_[A-Z0-9_]*").expect("valid");
    for page in pages() {
        for found in name.find_iter(&page.text) {
            let found = found.as_str();
            let is_option = OPTIONS.iter().any(|option| option.variable == found);
            let is_header = found.starts_with("K6_PROMETHEUS_RW_HEADERS_");
            assert!(is_option || is_header || known.contains(&found), "{}: {found} is no option", page.path);
        }
    }
}

/// All blocks of a language, with where they are.
fn blocks(language: &str) -> Vec<(String, String)> {
    let of = |page: &Page| page.blocks(language).map(|block| (page.path.clone(), block.text)).collect::<Vec<_>>();
    let blocks: Vec<_> = pages().iter().flat_map(of).collect();
    assert!(!blocks.is_empty(), "there is no block of {language}");
    blocks
}

/// An env file.
fn variables(block: &str) -> Value {
    block
        .lines()
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line} is no variable")))
        .map(|(name, value)| (name, value.trim_matches('\'')))
        .collect()
}

fn config(document: &Value) -> Result<Config, String> {
    let document = Document::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())?;
    Config::read(&document).map_err(|errors| errors.to_string())
}

/// The example in one language.
fn example(language: &str) -> String {
    let page = page("docs/configuration.md");
    let mut examples = page.blocks(language).filter(|block| block.heading == "Examples");
    examples.next().expect("an example").text
}
