//! Batches that could not be sent → a file of unsent samples, for `k6 x remote-write send`.

use std::io;
use std::path::{Path, PathBuf};

use super::queue::Batch;
use crate::report::{DestinationReporter, Level, event};
use crate::unsent::{Header, Part, Writer, send_command};
use crate::wire::{Encoder, Limits, Point, Protocol};

/// How a user of k6 calls the commands.
const K6_COMMAND: &str = "k6 x remote-write";

/// Writes batches to a new file in `directory`, in requests within `limits`, and logs its path, or that points are lost. Without a
/// directory they are lost. What was written before the disk fails is kept.
///
/// The points of each series must be in the order of their times.
pub(super) fn save(batches: Vec<Batch>, directory: Option<&Path>, limits: Limits, reporter: &DestinationReporter) {
    let points: u64 = batches.iter().map(|batch| batch.open_points() as u64).sum();
    if points == 0 {
        return;
    }
    let lost = &reporter.counters.points_lost;
    let Some(directory) = directory else { return lost.add(points) };
    let mut writer = match Writer::create(directory, &Header::new(reporter.url(), points)) {
        Ok(writer) => writer,
        Err(error) => {
            lost.add(points);
            return log_lost(points, directory, &error, reporter);
        }
    };
    let written = write(batches, &mut writer, limits, reporter);
    let in_file = writer.points();
    lost.add(points - in_file);
    if let (Err(error), 0) = (&written, in_file) {
        writer.remove();
        return log_lost(points, directory, error, reporter);
    }
    let temporary = writer.path();
    let (path, error) = match writer.finish(points - in_file) {
        Ok(path) => (path, written.err()),
        Err(error) => (temporary, Some(error)),
    };
    let path = absolute(path).display().to_string();
    let line = match error {
        None => event(Level::Error, "Unsent samples were written to a file"),
        Some(error) => event(Level::Error, "Failed to write all unsent samples to a file")
            .with("points_lost", points - in_file)
            .with("error", error.to_string()),
    };
    let send = send_command(K6_COMMAND, Some(reporter.url()), &path);
    reporter.log(line.with("points", in_file).with("file", path).with("send", send));
}

fn log_lost(points: u64, directory: &Path, error: &io::Error, reporter: &DestinationReporter) {
    reporter.log(
        event(Level::Error, "Failed to write unsent samples to a file; they are lost")
            .with("points", points)
            .with("directory", directory.display().to_string())
            .with("error", error.to_string()),
    );
}

/// Writes batches until one cannot be written. Counts the points in the file, by which the end of the run sees that this makes
/// progress.
fn write(batches: Vec<Batch>, writer: &mut Writer, limits: Limits, reporter: &DestinationReporter) -> io::Result<()> {
    let mut encoder = Encoder::default();
    for batch in batches {
        for (part, points) in parts(batch) {
            let mut rest = &*points;
            while !rest.is_empty() {
                let encoded = encoder.encode(Protocol::V2, rest, &[], limits);
                writer.write(part, encoded.points, &encoded.body)?;
                reporter.counters.points_in_unsent_file.add(encoded.points as u64);
                rest = &rest[encoded.points..];
            }
        }
    }
    Ok(())
}

/// Returns the open points of a batch in parts with one point of each series: of a merged one, which the receiver may have stored,
/// there are several.
fn parts(batch: Batch) -> Vec<(Part, Vec<Point>)> {
    let (parts, may_be_stored) = batch.into_parts();
    let number = |index: usize| match may_be_stored {
        true => Part::Number(u16::try_from(index + 1).unwrap_or(u16::MAX)),
        false => Part::Whole,
    };
    parts.into_iter().enumerate().map(|(index, points)| (number(index), points)).collect()
}

/// Returns the absolute path of a file. On Windows its canonical form begins with `\\?\`, which most programs do not accept.
fn absolute(path: PathBuf) -> PathBuf {
    let absolute = if cfg!(windows) { std::path::absolute(&path) } else { path.canonicalize() };
    absolute.unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::Reporter;
    use crate::send::queue::tests::metric;
    use crate::unsent::{Entry, Reader};
    use crate::wire::{Decoder, Label, Labels, Value};

    const LIMITS: Limits = Limits { points: 2, bytes: 1 << 20 };

    /// Points of series `series`, at these times.
    fn points(series: &str, times: &[i64]) -> Vec<Point> {
        let labels = Arc::new(Labels::encode(&[Label { name: "a".into(), value: series.into() }]));
        let (metric, value) = (metric(), Value::Float(1.5));
        let point =
            |&time_ms| Point { metric, labels: Arc::clone(&labels), time_ms, start_ms: 1, value: value.clone() };
        times.iter().map(point).collect()
    }

    /// What a file has: the parts, with series and times.
    fn contents(path: &str) -> Vec<(Part, Vec<(String, i64)>)> {
        let mut reader = Reader::open(Path::new(path)).expect("opens");
        let mut decoder = Decoder::default();
        let requests = std::iter::from_fn(|| match reader.read_entry().expect("readable") {
            Entry::Request(request) => Some(request),
            Entry::End(_) => None,
            other => panic!("{other:?}"),
        });
        requests
            .map(|request| {
                let points = decoder.decode(&request.body).expect("decodes");
                assert_eq!(points.len(), request.points as usize);
                (request.part, points.iter().map(|point| (point.series_name(), point.time_ms)).collect())
            })
            .collect()
    }

    #[test]
    fn a_file_has_all_batches_in_requests_within_the_limits() {
        let directory = tempfile::tempdir().expect("a directory");
        let reporter = Reporter::default();
        let destination = reporter.destination("http://host/w?key=***");
        let batch = [points("x", &[1]), points("y", &[1]), points("z", &[1])].concat();
        save(vec![Batch::new(batch, Vec::new())], Some(directory.path()), LIMITS, &destination);
        let line = reporter.poll().expect("is logged");
        let file = line.fields["file"].as_str().expect("a path");
        assert_eq!(line.fields["send"], format!("k6 x remote-write send {file}"));
        assert_eq!((&line.fields["points"], destination.counters.points_in_unsent_file.get()), (&3.into(), 3));
        assert_eq!(Reader::open(Path::new(file)).expect("opens").header().url, "http://host/w?key=***");
        let contents = contents(file);
        let sizes: Vec<_> = contents.iter().map(|(part, points)| (*part, points.len())).collect();
        assert_eq!(sizes, [(Part::Whole, 2), (Part::Whole, 1)]);
        assert!(contents[0].1[0].0.ends_with(r#"{a="x"}"#));
    }

    #[test]
    fn a_merged_batch_is_written_in_parts_with_one_point_of_each_series() {
        let directory = tempfile::tempdir().expect("a directory");
        let reporter = Reporter::default();
        let destination = reporter.destination("http://host/w");
        let (x, y) = (points("x", &[1, 2, 3]), points("y", &[2]));
        let of_times = |index: usize| Batch::new(x[index..=index].to_vec(), Vec::new());
        let merged = Batch::merge(vec![of_times(0), Batch::new(y, Vec::new()), of_times(1), of_times(2)]);
        save(vec![merged], Some(directory.path()), LIMITS, &destination);
        let line = reporter.poll().expect("is logged");
        let times: Vec<_> = contents(line.fields["file"].as_str().expect("a path"))
            .into_iter()
            .map(|(part, points)| (part, points.into_iter().map(|(_, time)| time).collect::<Vec<_>>()))
            .collect();
        assert_eq!(times, [(Part::Number(1), vec![1, 2]), (Part::Number(2), vec![2]), (Part::Number(3), vec![3])]);
    }

    #[test]
    fn points_without_a_directory_and_those_that_cannot_be_written_are_lost() {
        let reporter = Reporter::default();
        let destination = reporter.destination("http://host/w");
        let batches = || vec![Batch::new(points("x", &[1]), Vec::new())];
        save(batches(), None, LIMITS, &destination);
        assert_eq!((destination.counters.points_lost.get(), reporter.poll()), (1, None));
        save(batches(), Some(Path::new("/nonexistent")), LIMITS, &destination);
        assert_eq!(destination.counters.points_lost.get(), 2);
        let line = reporter.poll().expect("is logged");
        assert_eq!(line.message, "Failed to write unsent samples to a file; they are lost");
        save(Vec::new(), Some(Path::new("/nonexistent")), LIMITS, &destination);
        assert_eq!(reporter.poll(), None);
    }
}
