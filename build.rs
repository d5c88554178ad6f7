//! Compiles the Remote Write schemas in `proto/` to Rust, and sets the soname of the dynamic library.
//!
//! protox is a protobuf compiler in Rust: `protoc` is not needed.

use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    const SCHEMAS: [&str; 2] = ["proto/remote_write_v1.proto", "proto/remote_write_v2.proto"];
    prost_build::Config::new().compile_fds(protox::compile(SCHEMAS, ["proto"])?)?;
    SCHEMAS.iter().for_each(|schema| println!("cargo:rerun-if-changed={schema}"));
    set_soname()
}

/// Sets the soname of `docs/abi.md`, which has the version of the ABI: a program never loads a library of another version.
fn set_soname() -> Result<(), Box<dyn Error>> {
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
