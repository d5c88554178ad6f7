//! File of unsent samples, which Prometheus can import.
//!
//! The format is OpenMetrics text with timestamps. It has neither stale markers nor native histograms: those are lost. Without
//! its stale marker a series ends at its last point.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::report::{DestinationReporter, Level, event};
use crate::wire::{EncodedLabel, MetricKind, Point, RawLabel, Value};

/// Logged with the import command: an imported block replaces samples of the same time that are not in a block yet.
const IMPORT_HINT: &str = "import the file three hours after the test, or into a separate data directory: a Prometheus that still has \
                           this time range in memory drops it when it loads the imported block";

/// Maximum number of files that are written in the same second.
const MAX_NAMES: u32 = 1000;

/// Writes points to a new file in `directory`, and logs its path, or that the points are lost. Without a directory they are lost.
///
/// The points of each series must be in the order of their times.
pub(super) fn save(points: &[&Point], directory: Option<&Path>, reporter: &DestinationReporter) {
    let counters = &reporter.counters;
    let (points, unsupported): (Vec<&Point>, Vec<_>) = points.iter().partition(|point| float_value(point).is_some());
    counters.points_lost.add(unsupported.len() as u64);
    if points.is_empty() {
        return;
    }
    let Some(directory) = directory else {
        return counters.points_lost.add(points.len() as u64);
    };
    match write_new_file(&points, directory) {
        Ok(path) => {
            counters.points_in_unsent_file.add(points.len() as u64);
            let path = path.canonicalize().unwrap_or(path);
            let path = path.display().to_string();
            let import = format!(
                "promtool tsdb create-blocks-from openmetrics {} <Prometheus's data directory>",
                shell_quoted(&path)
            );
            reporter.log(
                event(Level::Error, "Flush timeout reached; unsent samples were written to a file")
                    .with("points", points.len())
                    .with("file", path)
                    .with("import", import)
                    .with("hint", IMPORT_HINT),
            );
        }
        Err(error) => {
            counters.points_lost.add(points.len() as u64);
            reporter.log(
                event(Level::Error, "Failed to write unsent samples to a file; they are lost")
                    .with("points", points.len())
                    .with("directory", directory.display().to_string())
                    .with("error", error.to_string()),
            );
        }
    }
}

/// Returns `path` quoted for a POSIX shell, if it needs quotes.
fn shell_quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) { path.into() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

fn write_new_file(points: &[&Point], directory: &Path) -> io::Result<PathBuf> {
    let (path, file) = new_file(directory)?;
    let written = write(points, BufWriter::new(file));
    if written.is_err() {
        // A partial file looks like a complete one, and uses space on a disk that is full.
        let _ = fs::remove_file(&path);
    }
    written.map(|()| path)
}

fn new_file(directory: &Path) -> io::Result<(PathBuf, File)> {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut names = (1..MAX_NAMES).map(|number| match number {
        1 => format!("k6-remote-write-{seconds}.openmetrics"),
        _ => format!("k6-remote-write-{seconds}-{number}.openmetrics"),
    });
    loop {
        let path = directory.join(names.next().ok_or(io::ErrorKind::AlreadyExists)?);
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (path, file)),
        }
    }
}

/// Writes points as OpenMetrics text, grouped by family, and within a family by series.
fn write(points: &[&Point], mut file: impl Write) -> io::Result<()> {
    let mut families: BTreeMap<_, BTreeMap<String, Vec<&Point>>> = BTreeMap::new();
    for &point in points {
        let family = families.entry(point.metric.name.as_str()).or_default();
        family.entry(labels(point)).or_default().push(point);
    }
    for (name, series) in &families {
        let Some(first) = series.values().flatten().next() else { continue };
        let (family, kind) = match (first.metric.kind, name.strip_suffix("_total")) {
            (MetricKind::Counter, Some(family)) => (family, "counter"),
            // OpenMetrics requires the suffix for a counter.
            (MetricKind::Counter, None) => (*name, "unknown"),
            // The three names of a histogram are separate metrics here.
            (MetricKind::Histogram, _) => (*name, "unknown"),
            (MetricKind::Gauge, _) => (*name, "gauge"),
        };
        writeln!(file, "# TYPE {family} {kind}")?;
        writeln!(file, "# HELP {family} {}", escaped(&first.metric.help))?;
        for (labels, points) in series {
            for (point, value) in points.iter().filter_map(|point| Some((point, float_value(point)?))) {
                let (seconds, milliseconds) = (point.time_ms.div_euclid(1000), point.time_ms.rem_euclid(1000));
                writeln!(file, "{name}{labels} {} {seconds}.{milliseconds:03}", formatted(value))?;
            }
        }
    }
    writeln!(file, "# EOF")?;
    file.flush()
}

/// Returns the value of a point that OpenMetrics text can represent.
fn float_value(point: &Point) -> Option<f64> {
    match &point.value {
        Value::Float(value) if !point.value.is_stale_marker() => Some(*value),
        Value::Float(_) | Value::Histogram(_) => None,
    }
}

/// Returns all labels except the name, as text: `{a="1",b="2"}`.
fn labels(point: &Point) -> String {
    let extra = point.metric.extra_label.iter().flat_map(EncodedLabel::labels);
    let text = |label: RawLabel<'_>| {
        let (name, value) = label.pair();
        format!("{}=\"{}\"", String::from_utf8_lossy(name), escaped(&String::from_utf8_lossy(value)))
    };
    let mut labels: Vec<_> = point.labels.parts().into_iter().flatten().chain(extra).map(text).collect();
    labels.sort();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

fn formatted(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else if value.is_nan() {
        "NaN".into()
    } else {
        if value > 0.0 { "+Inf" } else { "-Inf" }.into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::Reporter;
    use crate::wire::Label;
    use crate::wire::{Labels, Metric, STALE_MARKER};

    fn metric(name: &str, kind: MetricKind, condition: Option<&str>) -> Arc<Metric> {
        Arc::new(Metric {
            name: name.into(),
            encoded_name: EncodedLabel::metric_name(name),
            extra_label: condition.map(EncodedLabel::condition),
            kind,
            help: "k6 m: says \"a\\b\"".into(),
            unit: "",
        })
    }

    fn point(metric: &Arc<Metric>, labels: &[(&str, &str)], time_ms: i64, value: f64) -> Point {
        let labels: Vec<_> = labels.iter().map(|&(n, v)| Label { name: n.into(), value: v.into() }).collect();
        let labels = Arc::new(Labels::encode(&labels));
        Point { metric: Arc::clone(metric), labels, time_ms, start_ms: 0, value: Value::Float(value) }
    }

    fn points() -> Vec<Point> {
        let total = metric("k6_m_total", MetricKind::Counter, Some("zero"));
        let gauge = metric("k6_g", MetricKind::Gauge, None);
        vec![
            point(&total, &[("url", "/\"a\\\n")], 1_000, 1.0),
            point(&gauge, &[], 1_007, -0.5),
            point(&total, &[("url", "/\"a\\\n")], 2_000, f64::INFINITY),
            point(&total, &[("url", "/\"a\\\n")], 2_001, STALE_MARKER),
        ]
    }

    #[test]
    fn the_file_is_openmetrics_grouped_by_family_in_the_order_of_time() {
        let (mut points, mut file) = (points(), Vec::new());
        points.pop();
        write(&points.iter().collect::<Vec<_>>(), &mut file).expect("memory has room");
        let expected = r##"# TYPE k6_g gauge
# HELP k6_g k6 m: says \"a\\b\"
k6_g -0.5 1.007
# TYPE k6_m counter
# HELP k6_m k6 m: says \"a\\b\"
k6_m_total{condition="zero",url="/\"a\\\n"} 1 1.000
k6_m_total{condition="zero",url="/\"a\\\n"} +Inf 2.000
# EOF
"##;
        assert_eq!(String::from_utf8(file).expect("text"), expected);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error() {
        let points = points();
        let full = File::options().write(true).open("/dev/full").expect("exists on Linux");
        let error = write(&points.iter().collect::<Vec<_>>(), BufWriter::new(full)).expect_err("no space");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn points_are_lost_and_the_cause_is_logged_if_the_directory_is_not_writable() {
        let (points, reporter) = (points(), Reporter::default());
        let destination = reporter.destination("http://host/w");
        save(&points.iter().collect::<Vec<_>>(), Some(Path::new("/nonexistent/directory")), &destination);
        let event = reporter.poll().expect("is logged");
        assert_eq!((event.level, &event.fields["directory"]), (Level::Error, &"/nonexistent/directory".into()));
        assert!(event.fields["error"].as_str().is_some_and(|error| error.contains("No such file")), "{event:?}");
        assert_eq!((destination.counters.points_lost.get(), destination.counters.points_in_unsent_file.get()), (4, 0));
    }

    #[test]
    fn a_native_histogram_is_counted_as_lost() {
        let (mut points, reporter) = (points(), Reporter::default());
        points[3].value = Value::Histogram(Arc::default());
        let destination = reporter.destination("http://host/w");
        save(&[&points[3]], Some(Path::new("/nonexistent/directory")), &destination);
        assert_eq!(destination.counters.points_lost.get(), 1);
    }

    #[test]
    fn stale_markers_alone_make_no_file() {
        let (points, reporter) = (points(), Reporter::default());
        let destination = reporter.destination("http://host/w");
        save(&[&points[3]], Some(Path::new("/nonexistent/directory")), &destination);
        assert!(reporter.poll().is_none());
        assert_eq!((destination.counters.points_lost.get(), destination.counters.points_in_unsent_file.get()), (1, 0));
    }

    #[test]
    fn a_path_is_quoted_for_the_shell() {
        assert_eq!(shell_quoted("/tmp/a.openmetrics"), "/tmp/a.openmetrics");
        assert_eq!(shell_quoted("/my disk/it's"), r"'/my disk/it'\''s'");
    }
}
