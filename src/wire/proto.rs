//! The messages of Remote Write 1.0 and 2.0, generated from `proto/`.

#![allow(missing_docs)] // the schemas have the comments

/// `proto/remote_write_v1.proto`.
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/remote_write.v1.rs"));
}

/// `proto/remote_write_v2.proto`.
pub mod v2 {
    include!(concat!(env!("OUT_DIR"), "/remote_write.v2.rs"));
}
