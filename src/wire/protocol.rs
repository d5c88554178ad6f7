//! The two versions of the protocol, and everything that differs between them.

use std::fmt;

use super::{Labels, Point};

/// A version of Remote Write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Version 1.0, which every receiver supports.
    V1,
    /// Version 2.0, with metadata and start times of series, and with counts of written samples in the responses.
    V2,
}

impl Protocol {
    /// Returns the other version.
    pub fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }

    /// Returns the headers of a request, without its `User-Agent` (Remote Write 1.0 and 2.0, "Protocol").
    pub fn headers(self) -> [(&'static str, &'static str); 3] {
        let (content_type, version) = match self {
            Self::V1 => ("application/x-protobuf", "0.1.0"),
            Self::V2 => ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0"),
        };
        [("Content-Type", content_type), ("Content-Encoding", "snappy"), ("X-Prometheus-Remote-Write-Version", version)]
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        })
    }
}

/// The parts of a request that differ between the versions. [`super::Encoder`] writes the other parts for both.
pub(super) trait Message<'a> {
    /// Field number of the series of a request.
    const TIMESERIES: u32;
    /// Field number of the native histograms of a series.
    const HISTOGRAMS: u32;
    /// Field number of the exemplars of a series.
    const EXEMPLARS: u32;
    /// True if samples have a start timestamp.
    const HAS_START: bool;

    /// Writes the labels of a point as fields of its series.
    fn write_labels(&mut self, point: &'a Point, series: &mut Vec<u8>);

    /// Writes the labels of an exemplar as fields of it.
    fn write_exemplar_labels(&mut self, labels: &Labels, exemplar: &mut Vec<u8>);

    /// Writes the metadata of the metric as a field of the series, if the version has it there.
    fn write_metadata(&mut self, point: &'a Point, series: &mut Vec<u8>);

    /// Returns the bytes that the series so far need in front of them.
    fn preface_len(&self) -> usize;

    /// Adds metadata that is separate from the series, as much as fits into this number of bytes.
    fn add_metadata(&mut self, bytes: usize);

    /// Removes what was added to the preface after it had this length, as the last change before it is written.
    fn truncate_preface(&mut self, len: usize);

    /// Writes the part of the request in front of its series, so that receivers can read it in one pass.
    fn write_preface(&self, request: &mut Vec<u8>);
}
