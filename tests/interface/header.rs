//! Compares the committed header with the output of cbindgen. `UPDATE_HEADER=1` writes it (`make header`).

use std::path::{Path, PathBuf};

fn sources() -> [PathBuf; 3] {
    // The files with the items of the header, in the order of the header.
    ["src/k6.rs", "src/ffi/layout.rs", "src/ffi/entry.rs"].map(|file| root().join(file))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generated() -> String {
    let config =
        cbindgen::Config::from_file(root().join("include/cbindgen.toml")).expect("include/cbindgen.toml is valid");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in sources() {
        builder = builder.with_src(source);
    }
    let mut text = Vec::new();
    builder.generate().expect("the sources parse").write(&mut text);
    let text = String::from_utf8(text).expect("UTF-8");
    // C programmers find this once, at the top of the header.
    let text = text.replace("//\n// # Safety\n// The pointers must be as the conventions of the header require.\n", "");
    text.replace("`", "")
}

#[test]
fn the_committed_header_is_what_cbindgen_generates() {
    let path = root().join("include/k6_remote_write.h");
    let generated = generated();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &generated).expect("the header can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("include/k6_remote_write.h is there");
    assert!(committed == generated, "include/k6_remote_write.h is stale: run `make header` and commit it");
}

#[test]
fn the_header_names_the_librarys_abi_version() {
    let version = format!("#define K6RW_ABI_VERSION {}\n", k6_remote_write::ffi::ABI_VERSION);
    assert!(generated().contains(&version), "include/cbindgen.toml names another version than src/ffi/layout.rs");
}
