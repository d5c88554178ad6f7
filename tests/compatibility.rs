//! A program that was compiled against a released header runs with this library, as long as both name one ABI version.

use std::collections::BTreeSet;
use std::path::Path;

const HEADER: &str = include_str!("../include/k6_remote_write.h");

/// What a compiled program relies on: each function, struct, constant and type, as the header declares it.
fn promises(header: &str) -> BTreeSet<String> {
    let constants = header.lines().filter(|line| line.starts_with("#define K6RW_")).map(words);
    let code = header.replace("extern \"C\" {", "").replace("}  // extern \"C\"", "");
    let lines = code.lines().filter(|line| !line.starts_with('#'));
    let code: String = lines.map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
    let mut depth = 0_i32;
    let declarations = code.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ';' && depth == 0
    });
    let declarations = declarations.map(words).filter(|declaration| !declaration.is_empty());
    declarations.flat_map(|declaration| by_constant(&declaration)).chain(constants).collect()
}

/// An enum may get more constants: each is a promise of its own.
fn by_constant(declaration: &str) -> Vec<String> {
    match declaration.split_once('{') {
        Some((name, constants)) if declaration.starts_with("enum ") => constants
            .trim_end_matches(['}', ' ', ','])
            .split(',')
            .map(|constant| name.to_owned() + &words(constant))
            .collect(),
        _ => vec![declaration.to_owned()],
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn version(header: &str) -> &str {
    header.lines().find_map(|line| line.strip_prefix("#define K6RW_ABI_VERSION ")).expect("has a version")
}

/// What `new` breaks of what `old` promised. Nothing, if it says so by its version.
fn broken(old: &str, new: &str) -> Vec<String> {
    if version(old) != version(new) {
        return Vec::new();
    }
    promises(old).difference(&promises(new)).cloned().collect()
}

#[test]
fn every_released_header_of_this_abi_version_is_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/released");
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("readable").path();
        let released = std::fs::read_to_string(&path).expect("a header");
        let broken = broken(&released, HEADER);
        assert!(broken.is_empty(), "{} promised {broken:#?}: raise ABI_VERSION, as docs/abi.md says", path.display());
    }
}

#[test]
fn whatever_a_program_relies_on_is_a_promise() {
    for (was, becomes) in [
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
        let changed = HEADER.replacen(was, becomes, 1);
        assert_ne!(changed, HEADER, "{was}");
        assert_eq!(broken(HEADER, &changed).len(), 1, "{was}");
        assert!(broken(HEADER, &changed.replace("ABI_VERSION 1", "ABI_VERSION 2")).is_empty(), "{was}");
    }
}

#[test]
fn more_functions_more_constants_and_other_words_break_nothing() {
    for (was, becomes) in [
        ("k6rw_status k6rw_push(", "k6rw_status k6rw_new(void);\n\nk6rw_status k6rw_push("),
        ("K6RW_INTERNAL = 10,", "K6RW_INTERNAL = 10,\n    K6RW_NEW = 11,"),
        ("// Hands over one sample.", "// Takes one sample."),
    ] {
        let changed = HEADER.replacen(was, becomes, 1);
        assert_ne!(changed, HEADER, "{was}");
        assert_eq!(broken(HEADER, &changed), [""; 0]);
    }
}
