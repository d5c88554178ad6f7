//! ABI compatibility: a program that was compiled with a released header runs with this library if both have the same ABI version.

use std::collections::BTreeSet;
use std::path::Path;

const HEADER: &str = include_str!("../../include/k6_remote_write.h");

/// Returns the declarations that a compiled program relies on: functions, structs, constants and types.
fn declarations(header: &str) -> BTreeSet<String> {
    let constants = header.lines().filter(|line| line.starts_with("#define K6RW_")).map(normalized);
    let code = header.replace("extern \"C\" {", "").replace("}  // extern \"C\"", "");
    let lines = code.lines().filter(|line| !line.starts_with('#'));
    let code: String = lines.map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
    let mut depth = 0_i32;
    let items = code.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ';' && depth == 0
    });
    let items = items.map(normalized).filter(|item| !item.is_empty());
    items.flat_map(|item| by_constant(&item)).chain(constants).collect()
}

/// Splits an enum into its constants: an enum may get more of them.
fn by_constant(declaration: &str) -> Vec<String> {
    match declaration.split_once('{') {
        Some((name, constants)) if declaration.starts_with("enum ") => constants
            .trim_end_matches(['}', ' ', ','])
            .split(',')
            .map(|constant| name.to_owned() + &normalized(constant))
            .collect(),
        _ => vec![declaration.to_owned()],
    }
}

/// Replaces each run of spaces and line breaks by one space.
fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn version(header: &str) -> &str {
    header.lines().find_map(|line| line.strip_prefix("#define K6RW_ABI_VERSION ")).expect("has a version")
}

/// Returns the declarations of `old` that `new` has removed or changed: none if the ABI version differs.
fn broken(old: &str, new: &str) -> Vec<String> {
    if version(old) != version(new) {
        return Vec::new();
    }
    declarations(old).difference(&declarations(new)).cloned().collect()
}

#[test]
fn declarations_of_released_headers_are_kept() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/released");
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("readable").path();
        let released = std::fs::read_to_string(&path).expect("a header");
        let broken = broken(&released, HEADER);
        assert!(broken.is_empty(), "{} declares {broken:#?}: increment ABI_VERSION (docs/abi.md)", path.display());
    }
}

#[test]
fn changes_that_break_a_compiled_program_are_found() {
    for (old, new) in [
        ("k6rw_status k6rw_push(", "k6rw_status k6rw_push_one("),
        (
            "int64_t time_ms,\n                      double value,",
            "double value,\n                      int64_t time_ms,",
        ),
        ("    uint64_t series;\n", ""),
        ("    const char *data;", "    const unsigned char *data;"),
        ("K6RW_CLOSED = 7", "K6RW_CLOSED = 70"),
        ("    K6RW_NO_EVENT = 8,\n", ""),
        ("#define K6RW_ERROR_SIZE 4096", "#define K6RW_ERROR_SIZE 2048"),
        ("typedef uint32_t k6rw_status;", "typedef uint64_t k6rw_status;"),
    ] {
        let changed = HEADER.replacen(old, new, 1);
        assert_ne!(changed, HEADER, "{old}");
        assert_eq!(broken(HEADER, &changed).len(), 1, "{old}");
        assert!(broken(HEADER, &changed.replace("ABI_VERSION 1", "ABI_VERSION 2")).is_empty(), "{old}");
    }
}

#[test]
fn new_functions_new_constants_and_new_comments_break_nothing() {
    for (old, new) in [
        ("k6rw_status k6rw_push(", "k6rw_status k6rw_new(void);\n\nk6rw_status k6rw_push("),
        ("K6RW_INTERNAL = 10,", "K6RW_INTERNAL = 10,\n    K6RW_NEW = 11,"),
        ("typedef struct k6rw_sample {", "// A new comment.\ntypedef struct k6rw_sample {"),
    ] {
        let changed = HEADER.replacen(old, new, 1);
        assert_ne!(changed, HEADER, "{old}");
        assert_eq!(broken(HEADER, &changed), [""; 0]);
    }
}
