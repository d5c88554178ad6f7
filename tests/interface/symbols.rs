//! Symbols of the libraries: exactly the functions of the header, a soname with the ABI version, and no names that could conflict
//! with other code.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use k6_remote_write::ffi::ABI_VERSION;

/// Returns the path of a library in the directory LIBRARIES, or in that of this test's build.
fn library(name: &str) -> PathBuf {
    let beside_test = || std::env::current_exe().expect("known").parent().expect("a directory").to_path_buf();
    std::env::var_os("LIBRARIES").map_or_else(beside_test, PathBuf::from).join(name)
}

fn output_of(program: &str, arguments: &[&str], library: PathBuf) -> String {
    let output = Command::new(program).args(arguments).arg(library).output();
    let output = output.unwrap_or_else(|error| panic!("{program}, which comes with the C compiler: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the symbols that a library defines.
fn symbols(arguments: &[&str], name: &str) -> BTreeSet<String> {
    let lines = output_of("nm", arguments, library(name));
    lines.lines().filter_map(|line| name_of(&line.split(' ').collect::<Vec<_>>())).collect()
}

/// Returns the name in a line `address type name`. Other lines are file names and warnings of linker plugins.
fn name_of(words: &[&str]) -> Option<String> {
    match words {
        [_address, kind, name] if kind.len() == 1 => Some((*name).into()),
        _ => None,
    }
}

fn functions_of_the_header() -> BTreeSet<String> {
    let header = include_str!("../../include/k6_remote_write.h");
    let code = header.lines().filter(|line| !line.starts_with("//"));
    let names = code.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("k6rw_")).map(str::to_owned).collect()
}

#[test]
fn the_dynamic_library_exports_exactly_the_functions_of_the_header() {
    let functions = functions_of_the_header();
    assert!(functions.contains("k6rw_version") && functions.contains("k6rw_register_series"), "{functions:?}");
    assert_eq!(symbols(&["-D", "--defined-only"], "libk6_remote_write.so"), functions);
}

#[test]
fn the_dynamic_library_is_named_after_the_version_of_its_abi() {
    let section = output_of("readelf", &["--dynamic", "--wide"], library("libk6_remote_write.so"));
    assert!(section.contains(&format!("Library soname: [libk6_remote_write.so.{ABI_VERSION}]")), "{section}");
}

#[test]
fn the_static_library_defines_no_name_that_other_c_code_could_define() {
    // Mangled Rust names, names of ring with its version, and names reserved for compilers.
    let reserved = |name: &str| {
        ["_R", "_ZN", "__", "DW.ref.", "rust_", "ring_core_"].iter().any(|prefix| name.starts_with(prefix))
    };
    let names = symbols(&["--extern-only", "--defined-only"], "libk6_remote_write.a");
    let functions = functions_of_the_header();
    assert!(functions.is_subset(&names));
    let others: Vec<_> = names.difference(&functions).filter(|name| !reserved(name)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
#[ignore = "needs the release library: `make test-abi` runs it"]
fn the_release_library_cannot_inject_panics() {
    let content = std::fs::read(library("libk6_remote_write.so")).expect("is built");
    let contains = |text: &str| content.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(contains("K6_PROMETHEUS_RW_"), "an expected text is missing");
    assert!(!contains("K6RW_PANIC_AT"));
}
