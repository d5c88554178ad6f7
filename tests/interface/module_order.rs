//! Data flows one way: a module imports only modules that are declared after it, in `src/lib.rs` and in each directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

static DECLARATION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^(?:pub )?mod (\w+);").expect("valid"));

/// The modules that `file` declares, in order.
fn declared(file: &Path) -> Vec<String> {
    DECLARATION.captures_iter(&code(file)).map(|declaration| declaration[1].into()).collect()
}

/// The source of `file` without its unit tests and comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source file");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// All files of a module, which is a file or a directory.
fn files(directory: &Path, module: &str) -> Vec<PathBuf> {
    let (file, children) = (directory.join(format!("{module}.rs")), directory.join(module));
    if file.is_file() {
        return vec![file];
    }
    let entries = fs::read_dir(children).expect("the directory of a module");
    entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| !path.ends_with("tests.rs") && !path.ends_with("loom_tests.rs"))
        .flat_map(|path| match path.file_stem().and_then(|stem| stem.to_str()) {
            Some(stem) if path.is_dir() => files(path.parent().expect("has one"), stem),
            _ => vec![path],
        })
        .collect()
}

/// Imports that run back, of all modules that `root` declares in `directory`. Paths to siblings begin with `prefix`.
fn imports_back(directory: &Path, root: &str, prefix: &str) -> Vec<String> {
    let order = declared(&directory.join(root));
    let mut back = Vec::new();
    for (index, module) in order.iter().enumerate() {
        for file in files(directory, module) {
            let code = code(&file);
            for earlier in &order[..index] {
                let path =
                    Regex::new(&format!(r"\b{prefix}{earlier}\b|\b{prefix}\{{[^}}]*\b{earlier}\b")).expect("valid");
                if path.is_match(&code) {
                    back.push(format!("{} imports {earlier}", file.display()));
                }
            }
        }
    }
    back
}

#[test]
fn no_module_imports_one_before_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(imports_back(&root, "lib.rs", "crate::"), [""; 0]);
}

#[test]
fn no_file_imports_one_before_it_in_its_directory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let directories = declared(&root.join("lib.rs")).into_iter().map(|module| root.join(module));
    let back = directories.filter(|directory| directory.is_dir()).flat_map(|directory| {
        let name = directory.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_string();
        let by_super = imports_back(&directory, "mod.rs", "super::");
        by_super.into_iter().chain(imports_back(&directory, "mod.rs", &format!("crate::{name}::")))
    });
    assert_eq!(back.collect::<Vec<_>>(), [""; 0]);
}
