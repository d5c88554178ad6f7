//! The messages of Remote Write 1.0, generated from `proto/remote_write_v1.proto`, and its fixed headers.

#![allow(missing_docs)] // generated: the schema says what there is to say

include!(concat!(env!("OUT_DIR"), "/remote_write.v1.rs"));

/// Remote Write 1.0, "Protocol": every request carries these.
pub const HEADERS: [(&str, &str); 3] = [
    ("Content-Type", "application/x-protobuf"),
    ("Content-Encoding", "snappy"),
    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
];
