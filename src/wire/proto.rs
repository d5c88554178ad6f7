//! The messages of Remote Write 1.0 and 2.0, generated from `proto/`.

#![allow(missing_docs)] // the comments are in the schemas

/// Remote Write 1.0: `proto/remote_write_v1.proto`.
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/remote_write.v1.rs"));
}

/// Remote Write 2.0: `proto/remote_write_v2.proto`.
pub mod v2 {
    include!(concat!(env!("OUT_DIR"), "/remote_write.v2.rs"));
}
