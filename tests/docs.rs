//! What the documentation says of options is what the code has.

use k6_remote_write::config::{Config, Document, OPTIONS};
use serde_json::{Value, json};

#[test]
fn the_table_of_options_is_the_codes() {
    let page = include_str!("../docs/configuration.md");
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
fn the_examples_are_valid_and_say_the_same() {
    let json: Value = serde_json::from_str(example("json")).expect("JSON");
    let environment: Value = example("sh")
        .lines()
        .map(|line| line.split_once('=').expect("a variable"))
        .map(|(name, value)| (name, value.trim_matches('\'')))
        .collect();
    let mut read = [json!({ "json": json["collectors"]["remote-write"] }), json!({ "environment": environment })].map(
        |document| {
            let document = Document::parse(document.to_string().as_bytes()).expect("a document");
            Config::read(&document).expect("valid")
        },
    );
    // The environment's example has names alone.
    read.iter_mut().for_each(|config| config.destinations[0].metrics = None);
    assert_eq!(read[0], read[1]);
}

#[test]
fn what_is_written_for_the_usual_services_is_valid() {
    let page = include_str!("../docs/authentication.md");
    let (_, services) = page.split_once("## For the usual services").expect("a section");
    let blocks: Vec<_> =
        services.split("```sh\n").skip(1).map(|block| block.split("```").next().expect("ends")).collect();
    assert!(blocks.len() > 5);
    for block in blocks {
        let variables = block.lines().map(|line| line.split_once('=').expect("a variable"));
        let environment: Value = variables.chain([("AWS_SHARED_CREDENTIALS_FILE", "/keys")]).collect();
        let document =
            Document::parse(json!({ "environment": environment }).to_string().as_bytes()).expect("a document");
        let config = Config::read(&document).expect(block);
        assert_eq!(config.warnings, [""; 0], "{block}");
        assert_ne!(config.destinations[0].url.host_str(), Some("localhost"), "{block}");
    }
}

/// The example in one language.
fn example(language: &str) -> &'static str {
    let page = include_str!("../docs/configuration.md");
    let (_, examples) = page.split_once("## Examples").expect("a section of examples");
    let (_, block) = examples.split_once(&format!("```{language}\n")).expect("an example");
    block.split("```").next().expect("ends")
}
