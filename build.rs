//! Compiles the Remote Write schemas in `proto/` to Rust, and names the dynamic library after the version of its ABI. protox is a
//! protobuf compiler in Rust, so no `protoc` is needed.

use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let schemas = protox::compile(["proto/remote_write_v1.proto", "proto/remote_write_v2.proto"], ["proto"])?;
    prost_build::Config::new().compile_fds(schemas)?;
    println!("cargo:rerun-if-changed=proto");
    name_library()
}

/// The soname that `docs/abi.md` promises: a program that was linked to one version never loads another.
fn name_library() -> Result<(), Box<dyn Error>> {
    const LAYOUT: &str = "src/ffi/layout.rs";
    println!("cargo:rerun-if-changed={LAYOUT}");
    if env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        let source = std::fs::read_to_string(LAYOUT)?;
        let version =
            source.lines().find_map(|line| line.strip_prefix("pub const ABI_VERSION: u32 = ")?.strip_suffix(';'));
        let version = version.ok_or("src/ffi/layout.rs has no ABI_VERSION")?;
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libk6_remote_write.so.{version}");
    }
    Ok(())
}
