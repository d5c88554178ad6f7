//! The two versions of the protocol, and all that differs between them.

use std::fmt;

use super::Point;

/// A version of Remote Write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// 1.0, which every receiver takes.
    V1,
    /// 2.0, which also says what each series is and when it began, and whose answers say what was written.
    V2,
}

impl Protocol {
    /// The version that is not this one.
    pub fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }

    /// The headers that every request carries, beside its `User-Agent` (Remote Write 1.0 and 2.0, "Protocol").
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

/// What of a request's message is a matter of the version. All else is written by [`super::Encoder`], once for both.
pub(super) trait Message<'a> {
    /// The field of the request that holds a series.
    const TIMESERIES: u32;
    /// The field of a series that holds its native histograms.
    const HISTOGRAMS: u32;
    /// Whether a sample says when its series began.
    const HAS_START: bool;

    /// Writes the labels of a point's series as fields of it.
    fn write_labels(&mut self, point: &'a Point, series: &mut Vec<u8>);

    /// Writes what the series says of its metric, if it does.
    fn write_metadata(&mut self, point: &'a Point, series: &mut Vec<u8>);

    /// The bytes that the series so far need beside them.
    fn preface_len(&self) -> usize;

    /// Writes what the request holds beside its series. It stands before them: receivers may read in one pass. What the series do
    /// not need is left out from `limit_bytes` on.
    fn write_preface(&self, limit_bytes: usize, request: &mut Vec<u8>);
}
