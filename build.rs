//! Compiles the Remote Write schemas in `proto/` to Rust. protox is a protobuf compiler in Rust, so no `protoc` is needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let schemas = protox::compile(["proto/remote_write_v1.proto", "proto/remote_write_v2.proto"], ["proto"])?;
    prost_build::Config::new().compile_fds(schemas)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}
