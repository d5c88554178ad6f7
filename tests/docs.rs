//! What the documentation says of options is what the code has.

use k6_remote_write::config::OPTIONS;

#[test]
fn the_table_of_options_is_the_codes() {
    let page = include_str!("../docs/configuration.md");
    let rows: String = OPTIONS
        .iter()
        .map(|option| {
            let (name, variable) = (option.name, option.variable);
            let default = if option.default.is_empty() { String::new() } else { format!(" `{}`", option.default) };
            format!("| `{name}` | `{variable}` | {} |{default} |\n", option.allowed)
        })
        .collect();
    let head = "| JSON | environment | allowed | default |\n|---|---|---|---|\n";
    assert!(page.contains(&format!("{head}{rows}\n")), "docs/configuration.md should have:\n{head}{rows}");
}
