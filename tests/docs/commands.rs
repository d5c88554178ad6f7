//! Commands in the documentation are valid: their targets, tests, programs and paths exist.

use std::fs;

use regex::Regex;

use crate::page::{Page, files, pages, read, root};

/// Paths that commands and releases create, so that they are not in the repository.
const GENERATED: [&str; 5] = ["bench/results.md", "go-shim/lib", "go-shim/v", "go-shim-k6v1/v", "include/released/"];

#[test]
fn targets_of_make_are_in_the_makefile() {
    let makefile = makefile();
    let rule = Regex::new(r"(?m)^([a-z][a-z0-9 -]*?) ?&?:(?:[^=]|$)").expect("valid");
    let targets: Vec<_> = rule.captures_iter(&makefile).flat_map(|rule| words(&rule[1])).collect();
    assert!(targets.iter().any(|target| target == "demo"), "{targets:?}");
    for page in pages() {
        for command in commands(&page).iter().filter(|command| command[0] == "make") {
            for target in command[1..].iter().filter(|word| !word.contains('=') && !word.starts_with('-')) {
                assert!(targets.contains(target), "{}: unknown target: make {target}", page.path);
            }
        }
    }
}

#[test]
fn targets_of_cargo_exist() {
    let manifest = read("Cargo.toml");
    for page in pages() {
        for command in commands(&page).iter().filter(|command| command[0] == "cargo") {
            for pair in command.windows(2) {
                let name = &pair[1];
                let found = match pair[0].as_str() {
                    "--test" => {
                        [format!("tests/{name}.rs"), format!("tests/{name}/main.rs")].iter().any(|path| exists(path))
                    }
                    "--bench" => exists(&format!("bench/{name}.rs")),
                    "--example" => manifest.contains(&format!("name = \"{name}\"")),
                    _ => true,
                };
                assert!(found, "{}: unknown target: {} {name}", page.path, pair[0]);
            }
        }
    }
}

#[test]
fn named_tests_exist() {
    let name = Regex::new(r"^Test[A-Z]\w+$").expect("valid");
    let sources: String =
        ["go-shim", "tests/e2e"].iter().flat_map(|directory| files(directory, "go")).map(|path| read(&path)).collect();
    for page in pages() {
        for span in page.code_spans().iter().filter(|span| name.is_match(span)) {
            assert!(sources.contains(&format!("func {span}(")), "{}: unknown test {span}", page.path);
        }
    }
}

#[test]
fn programs_of_the_build_directory_are_built() {
    let makefile = makefile();
    let program = Regex::new(r"(?:^|[\s`])build/([a-z][a-z0-9-]*)(?:[\s`]|$)").expect("valid");
    for page in pages() {
        for found in program.captures_iter(&page.text) {
            let built = makefile.contains(&format!("$(BUILD)/{}", &found[1]))
                || page.text.contains(&format!("-o build/{}", &found[1]));
            assert!(built, "{}: no target builds build/{}", page.path, &found[1]);
        }
    }
}

#[test]
fn paths_exist() {
    let directories: Vec<_> = fs::read_dir(root())
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir() && !["build", "target", "dist"].iter().any(|generated| path.ends_with(generated)))
        .map(|path| format!("{}/", path.file_name().expect("a name").to_string_lossy()))
        .collect();
    for page in pages() {
        let in_blocks = page.blocks("sh").flat_map(|block| words(&block.text));
        for word in page.code_spans().iter().flat_map(|span| words(span)).chain(in_blocks) {
            let path = word.trim_start_matches("./");
            let is_path = directories.iter().any(|directory| path.starts_with(directory) && path != directory);
            let is_whole = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if is_path && is_whole && !GENERATED.iter().any(|generated| path.starts_with(generated)) {
                assert!(exists(path), "{}: {path} does not exist", page.path);
            }
        }
    }
}

/// Returns the Makefile and its included file.
fn makefile() -> String {
    read("Makefile") + "\n" + &read("scripts/dist.mk")
}

/// Returns the commands in a page's code, split into words, without variables before the command.
fn commands(page: &Page) -> Vec<Vec<String>> {
    let blocks: Vec<_> = page.blocks("sh").map(|block| block.text.replace("\\\n", " ")).collect();
    let spans = page.code_spans();
    let lines = blocks.iter().flat_map(|block| block.lines()).chain(spans.iter().map(String::as_str));
    let lines = lines.map(|line| line.split(" #").next().expect("a first part"));
    let commands = lines.flat_map(|line| line.split(['|', ';', '&']));
    let assigns = |word: &String| word.contains('=') && word.starts_with(|c: char| c.is_ascii_uppercase());
    commands
        .map(|command| words(command).into_iter().skip_while(assigns).collect::<Vec<_>>())
        .filter(|command| !command.is_empty())
        .collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(String::from).collect()
}

fn exists(path: &str) -> bool {
    root().join(path).exists()
}
