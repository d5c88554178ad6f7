//! A file → its batches, as they were in the queue of the run.

use std::collections::HashSet;
use std::io;

use super::format::{End, Header, Part};
use super::reader::{Entry, Reader, Request};
use crate::wire::{Decoder, Metric, Point};

/// One batch of a file. Its points are those of one request, or of as many as were merged in the run.
#[derive(Debug)]
pub struct UnsentBatch {
    /// Parts with one point of each series, the oldest first; at least one.
    pub parts: Vec<Vec<Point>>,
    /// For each part the offset at which the next one begins.
    pub ends: Vec<u64>,
    /// Metrics that no batch before it has.
    pub metadata: Vec<&'static Metric>,
    /// True if the receiver of the run may have stored all of it.
    pub may_be_stored: bool,
}

/// Reads the batches of a file, one at a time.
#[derive(Debug)]
pub struct Batches {
    reader: Reader,
    decoder: Decoder,
    /// Metrics of the batches so far. The decoder keeps them alive.
    described: HashSet<*const Metric>,
    next: Option<Request>,
    /// The end of the file, once it was reached: `None` inside if it was cut.
    ended: Option<Option<End>>,
    damaged_bytes: u64,
}

impl Batches {
    /// Reads the batches that follow in `reader`.
    pub fn new(reader: Reader) -> Self {
        let (decoder, described) = (Decoder::default(), HashSet::new());
        Self { reader, decoder, described, next: None, ended: None, damaged_bytes: 0 }
    }

    /// The header of the file.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// The end of the file; `None` if the file was cut, or its end was not reached yet.
    pub fn end(&self) -> Option<End> {
        self.ended.flatten()
    }

    /// Number of bytes that could not be read.
    pub fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    /// Reads the next batch; `None` at the end of the file.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn read_batch(&mut self) -> io::Result<Option<UnsentBatch>> {
        let mut batch: Option<(UnsentBatch, u16)> = None;
        while let Some(request) = self.take_request()? {
            let number = match request.part {
                Part::Whole => 0,
                Part::Number(number) => number,
            };
            if batch.as_ref().is_some_and(|&(_, last)| last == 0 || number < last.max(1)) {
                self.next = Some(request);
                break;
            }
            let Ok(mut points) = self.decoder.decode(&request.body) else {
                self.damaged_bytes += request.body.len() as u64;
                continue;
            };
            let (batch, last) = batch.get_or_insert_with(|| {
                let (parts, ends, metadata) = (Vec::new(), Vec::new(), Vec::new());
                (UnsentBatch { parts, ends, metadata, may_be_stored: number == 1 }, number)
            });
            for point in &points {
                if self.described.insert(point.metric) {
                    batch.metadata.push(point.metric);
                }
            }
            match (batch.parts.last_mut(), batch.ends.last_mut()) {
                (Some(part), Some(end)) if number == *last => {
                    part.append(&mut points);
                    *end = request.end;
                }
                _ => {
                    batch.parts.push(points);
                    batch.ends.push(request.end);
                }
            }
            *last = number;
        }
        Ok(batch.map(|(batch, _)| batch))
    }

    fn take_request(&mut self) -> io::Result<Option<Request>> {
        if self.next.is_some() {
            return Ok(self.next.take());
        }
        while self.ended.is_none() {
            match self.reader.read_entry()? {
                Entry::Request(request) => return Ok(Some(request)),
                Entry::Damaged(bytes) => self.damaged_bytes += bytes,
                Entry::End(end) => self.ended = Some(Some(end)),
                Entry::Cut => self.ended = Some(None),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::unsent::Writer;
    use crate::wire::{EncodedLabel, Encoder, Labels, Limits, MetricKind, Protocol, Value};

    fn body(time_ms: i64) -> Vec<u8> {
        let metric = Metric {
            name: "m".into(),
            encoded_name: EncodedLabel::metric_name("m"),
            extra_label: None,
            kind: MetricKind::Gauge,
            help: String::new(),
            unit: "".into(),
        };
        let (metric, labels) = (metric.intern(), Arc::new(Labels::encode(&[])));
        let point = Point { metric, labels, time_ms, start_ms: 0, value: Value::Float(1.0) };
        let limits = Limits { points: 1, bytes: 1 << 20 };
        Encoder::default().encode(Protocol::V2, &[point], &[], limits).body.to_vec()
    }

    /// The parts of each batch of a file with these requests, each with the times of its points.
    fn batches(directory: &Path, requests: &[(Part, i64)]) -> Vec<(bool, Vec<Vec<i64>>)> {
        let mut writer = Writer::create(directory, &Header::new("http://host/w", 0)).expect("created");
        requests.iter().for_each(|&(part, time)| writer.write(part, 1, &body(time)).expect("written"));
        let path = writer.finish(0).expect("finished");
        let mut batches = Batches::new(Reader::open(&path).expect("opens"));
        let all = std::iter::from_fn(|| batches.read_batch().expect("readable"));
        let times = |part: &Vec<Point>| part.iter().map(|point| point.time_ms).collect();
        let all = all.map(|batch| {
            assert_eq!(batch.parts.len(), batch.ends.len());
            (batch.may_be_stored, batch.parts.iter().map(times).collect())
        });
        let all = all.collect();
        assert_eq!(batches.end().map(|end| end.requests), Some(requests.len() as u64));
        all
    }

    #[test]
    fn requests_of_a_merged_batch_come_together_and_all_others_alone() {
        use Part::{Number, Whole};
        let directory = tempfile::tempdir().expect("a directory");
        let requests = [
            (Whole, 1),
            (Whole, 2),
            (Number(1), 3),
            (Number(1), 3),
            (Number(2), 4),
            (Number(1), 5),
            (Number(2), 6),
            (Number(3), 7),
            (Whole, 8),
        ];
        let expected = [
            (false, vec![vec![1]]),
            (false, vec![vec![2]]),
            (true, vec![vec![3, 3], vec![4]]),
            (true, vec![vec![5], vec![6], vec![7]]),
            (false, vec![vec![8]]),
        ];
        assert_eq!(batches(directory.path(), &requests), expected);
        // From the second part on, after the first was sent.
        let rest = batches(directory.path(), &[(Number(2), 6), (Number(3), 7)]);
        assert_eq!(rest, [(false, vec![vec![6], vec![7]])]);
    }

    #[test]
    fn metadata_of_a_metric_is_in_the_first_batch_that_has_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = Writer::create(directory.path(), &Header::new("http://host/w", 0)).expect("created");
        (1..=2).for_each(|time| writer.write(Part::Whole, 1, &body(time)).expect("written"));
        let mut batches = Batches::new(Reader::open(&writer.finish(0).expect("finished")).expect("opens"));
        let metrics = (0..2).map(|_| batches.read_batch().expect("readable").expect("has two").metadata.len());
        assert_eq!(metrics.collect::<Vec<_>>(), [1, 0]);
    }
}
