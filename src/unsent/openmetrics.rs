//! A file → OpenMetrics text with timestamps, which `promtool tsdb create-blocks-from openmetrics` imports.
//!
//! OpenMetrics has neither stale markers nor native histograms. A series ends at its last point, and a native histogram becomes a
//! classic one, unless the run has sent that, too. Since a family must be in one piece, all points are read before the first line
//! is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use super::classic::cumulative;
use super::{Entry, Reader};
use crate::wire::{Decoder, EncodedLabel, MetricKind, Point, RawLabel};

/// What [`export`] has read and written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Points of the file.
    pub points: u64,
    /// Those of native histograms that became classic ones.
    pub histograms: u64,
    /// Those of native histograms that are left out, since their classic form is in the file.
    pub histograms_left_out: u64,
    /// Stale markers, which are left out.
    pub stale_markers: u64,
    /// Bytes that could not be read.
    pub damaged_bytes: u64,
    /// True if the end of the file is missing.
    pub is_cut: bool,
    /// Points that the writer of the file could not write.
    pub lost: u64,
}

/// Points of one series, whose metric and labels the first one has.
type SeriesPoints = Vec<Point>;

/// Reads a file from its start, and writes what OpenMetrics can represent to `out`.
///
/// # Errors
/// What the system refuses, for the file and for `out`.
pub fn export(reader: &mut Reader, out: &mut impl Write) -> io::Result<Exported> {
    let mut exported = Exported::default();
    let families = read(reader, &mut exported)?;
    let names: HashSet<_> = families.keys().cloned().collect();
    for (name, series) in &families {
        let (floats, histograms): (Vec<_>, Vec<_>) =
            series.iter().partition(|(_, points)| points.iter().all(|point| point.value.float().is_some()));
        write_floats(name, &floats, out)?;
        if !histograms.is_empty() {
            write_histograms(name, &histograms, &names, &mut exported, out)?;
        }
    }
    writeln!(out, "# EOF")?;
    out.flush()?;
    Ok(exported)
}

/// Reads all points, by name and series, in the order of their times.
fn read(reader: &mut Reader, exported: &mut Exported) -> io::Result<BTreeMap<String, BTreeMap<String, SeriesPoints>>> {
    let mut decoder = Decoder::default();
    let mut series: HashMap<(usize, usize), SeriesPoints> = HashMap::new();
    loop {
        match reader.read_entry()? {
            Entry::Request(request) => match decoder.decode(&request.body) {
                Ok(points) => {
                    exported.points += points.len() as u64;
                    for point in points {
                        if point.value.is_stale_marker() {
                            exported.stale_markers += 1;
                        } else {
                            series.entry(point.series_key()).or_default().push(point);
                        }
                    }
                }
                Err(_) => exported.damaged_bytes += request.body.len() as u64,
            },
            Entry::Damaged(bytes) => exported.damaged_bytes += bytes,
            Entry::End(end) => {
                exported.lost = end.lost;
                break;
            }
            Entry::Cut => {
                exported.is_cut = true;
                break;
            }
        }
    }
    let mut families: BTreeMap<String, BTreeMap<String, SeriesPoints>> = BTreeMap::new();
    for mut points in series.into_values() {
        points.sort_by_key(|point| point.time_ms);
        points.dedup_by_key(|point| point.time_ms);
        let (name, labels) = (points[0].metric.name.clone(), labels(&points[0]));
        families.entry(name).or_default().entry(labels).or_default().append(&mut points);
    }
    Ok(families)
}

fn write_floats(name: &str, series: &[(&String, &SeriesPoints)], out: &mut impl Write) -> io::Result<()> {
    let Some(first) = series.first().and_then(|(_, points)| points.first()) else { return Ok(()) };
    let (family, kind) = match (first.metric.kind, name.strip_suffix("_total")) {
        (MetricKind::Counter, Some(family)) => (family, "counter"),
        // OpenMetrics requires the suffix for a counter.
        (MetricKind::Counter, None) => (name, "unknown"),
        // The three names of a histogram are separate metrics here.
        (MetricKind::Histogram, _) => (name, "unknown"),
        (MetricKind::Gauge, _) => (name, "gauge"),
    };
    write_metadata(family, kind, &first.metric.help, out)?;
    for (labels, points) in series {
        let prefix = series_text(name, labels, "");
        for point in points.iter() {
            if let Some(value) = point.value.float() {
                writeln!(out, "{prefix} {} {}", number(value), seconds(point.time_ms))?;
            }
        }
    }
    Ok(())
}

/// Writes the native histograms of a metric as three metrics: buckets, counts and sums. Those whose names are in the file stay as
/// they are there.
fn write_histograms(
    name: &str,
    series: &[(&String, &SeriesPoints)],
    names: &HashSet<String>,
    exported: &mut Exported,
    out: &mut impl Write,
) -> io::Result<()> {
    let [bucket, count, sum] = ["bucket", "count", "sum"].map(|suffix| format!("{name}_{suffix}"));
    let points: u64 = series.iter().map(|(_, points)| points.len() as u64).sum();
    if names.contains(&bucket) {
        exported.histograms_left_out += points;
        return Ok(());
    }
    exported.histograms += points;
    let help = series.first().and_then(|(_, points)| points.first()).map_or("", |point| &*point.metric.help);
    let converted: Vec<_> = series
        .iter()
        .map(|(labels, points)| {
            let histograms = points.iter().filter_map(|point| Some((point.time_ms, point.value.histogram()?)));
            let (times, histograms): (Vec<_>, Vec<_>) = histograms.unzip();
            let (bounds, counts) = cumulative(&histograms);
            (labels, bounds, times.into_iter().zip(counts).collect::<Vec<_>>())
        })
        .collect();
    write_metadata(&bucket, "unknown", help, out)?;
    for (labels, bounds, points) in &converted {
        for (index, bound) in bounds.iter().enumerate() {
            let prefix = series_text(&bucket, labels, &format!("le=\"{bound}\""));
            for (time_ms, point) in points {
                writeln!(out, "{prefix} {} {}", point.counts[index], seconds(*time_ms))?;
            }
        }
        let prefix = series_text(&bucket, labels, "le=\"+Inf\"");
        for (time_ms, point) in points {
            writeln!(out, "{prefix} {} {}", point.count, seconds(*time_ms))?;
        }
    }
    for (name, is_count) in [(count, true), (sum, false)] {
        if names.contains(&name) {
            continue;
        }
        write_metadata(&name, "unknown", help, out)?;
        for (labels, _, points) in &converted {
            let prefix = series_text(&name, labels, "");
            for (time_ms, point) in points {
                let value = if is_count { point.count.to_string() } else { number(point.sum) };
                writeln!(out, "{prefix} {value} {}", seconds(*time_ms))?;
            }
        }
    }
    Ok(())
}

fn write_metadata(family: &str, kind: &str, help: &str, out: &mut impl Write) -> io::Result<()> {
    let family = if is_plain(family, true) { family.into() } else { quoted(family) };
    writeln!(out, "# TYPE {family} {kind}")?;
    writeln!(out, "# HELP {family} {}", escaped(help))
}

/// Returns name and labels: `name{a="1"}`, or `{"größe",a="1"}` for a name that must be quoted.
fn series_text(name: &str, labels: &str, extra_label: &str) -> String {
    let quoted_name = (!is_plain(name, true)).then(|| quoted(name));
    let parts = [quoted_name.as_deref().unwrap_or_default(), labels, extra_label];
    let inside = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",");
    let name = if quoted_name.is_some() { "" } else { name };
    if inside.is_empty() { name.into() } else { format!("{name}{{{inside}}}") }
}

/// Returns all labels except the name, as text: `a="1",b="2"`.
fn labels(point: &Point) -> String {
    let extra = point.metric.extra_label.iter().flat_map(EncodedLabel::labels);
    let text = |label: RawLabel<'_>| {
        let (name, value) = label.pair();
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        let name = if is_plain(&name, false) { name.into_owned() } else { quoted(&name) };
        format!("{name}={}", quoted(&value))
    };
    let labels: Vec<_> = point.labels.parts().into_iter().flatten().chain(extra).map(text).collect();
    labels.join(",")
}

/// Reports whether a name needs no quotes.
fn is_plain(name: &str, of_metric: bool) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || of_metric && c == ':';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(allowed)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

fn number(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else if value.is_nan() {
        "NaN".into()
    } else {
        if value > 0.0 { "+Inf" } else { "-Inf" }.into()
    }
}

fn seconds(time_ms: i64) -> String {
    let (sign, time_ms) = (if time_ms < 0 { "-" } else { "" }, time_ms.unsigned_abs());
    format!("{sign}{}.{:03}", time_ms / 1000, time_ms % 1000)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::unsent::{Header, Part, Writer};
    use crate::wire::proto::v1::BucketSpan;
    use crate::wire::proto::v1::histogram::Count;
    use crate::wire::{Encoder, Label, Labels, Limits, Metric, Protocol, STALE_MARKER};
    use crate::wire::{Histogram, Value};

    fn point(name: &str, kind: MetricKind, labels: &[(&str, &str)], time_ms: i64, value: Value) -> Point {
        let metric = Metric {
            name: name.into(),
            encoded_name: EncodedLabel::metric_name(name),
            extra_label: None,
            kind,
            help: "k6 m: says \"a\\b\"".into(),
            unit: "".into(),
        };
        let labels: Vec<_> = labels.iter().map(|&(n, v)| Label { name: n.into(), value: v.into() }).collect();
        Point { metric: metric.intern(), labels: Arc::new(Labels::encode(&labels)), time_ms, start_ms: 0, value }
    }

    /// The text of a file with these requests.
    fn exported(requests: &[Vec<Point>]) -> (String, Exported) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = Writer::create(directory.path(), &Header::new("http://host/w", 0)).expect("created");
        let limits = Limits { points: usize::MAX, bytes: usize::MAX };
        for points in requests {
            let body = Encoder::default().encode(Protocol::V2, points, &[], limits).body;
            writer.write(Part::Whole, points.len(), &body).expect("written");
        }
        let mut reader = Reader::open(&writer.finish(0).expect("finished")).expect("opens");
        let mut text = Vec::new();
        let exported = export(&mut reader, &mut text).expect("exports");
        (String::from_utf8(text).expect("UTF-8"), exported)
    }

    /// The text without the lines of metadata.
    fn samples(requests: &[Vec<Point>]) -> Vec<String> {
        let (text, _) = exported(requests);
        text.lines().filter(|line| !line.starts_with('#')).map(String::from).collect()
    }

    #[test]
    fn families_and_series_are_in_one_piece_and_points_in_the_order_of_time() {
        let counter =
            |series: &str, time| point("k6_a_total", MetricKind::Counter, &[("s", series)], time, Value::Float(1.0));
        let gauge = |time| point("k6_b", MetricKind::Gauge, &[], time, Value::Float(0.5));
        let requests =
            [vec![counter("x", 1000), gauge(1000), counter("y", 1000)], vec![gauge(2001), counter("x", 2001)]];
        let (text, read) = exported(&requests);
        let help = r#"k6 m: says \"a\\b\""#;
        let expected = format!(
            "# TYPE k6_a counter\n# HELP k6_a {help}\nk6_a_total{{s=\"x\"}} 1 1.000\nk6_a_total{{s=\"x\"}} 1 2.001\n\
             k6_a_total{{s=\"y\"}} 1 1.000\n# TYPE k6_b gauge\n# HELP k6_b {help}\nk6_b 0.5 1.000\nk6_b 0.5 2.001\n# EOF\n"
        );
        assert_eq!(text, expected);
        assert_eq!(read, Exported { points: 5, ..Exported::default() });
    }

    #[test]
    fn names_that_are_not_plain_are_quoted_and_texts_escaped() {
        let value = |value| Value::Float(value);
        let points = vec![
            point("k6.m", MetricKind::Gauge, &[("größe", "1"), ("z", "2")], 1, value(f64::INFINITY)),
            point("k6_m", MetricKind::Gauge, &[("a\"b", "x\"y\\z\n"), ("c:d", "é")], 1, value(f64::NAN)),
        ];
        assert_eq!(
            samples(&[points]),
            [r#"{"k6.m","größe"="1",z="2"} +Inf 0.001"#, r#"k6_m{"a\"b"="x\"y\\z\n","c:d"="é"} NaN 0.001"#]
        );
    }

    fn histogram(time_ms: i64, name: &str) -> Point {
        let histogram = Histogram {
            count: Some(Count::CountInt(3)),
            sum: 4.5,
            positive_spans: vec![BucketSpan { offset: 1, length: 1 }],
            positive_deltas: vec![3],
            timestamp: time_ms,
            ..Histogram::default()
        };
        point(name, MetricKind::Histogram, &[("a", "b")], time_ms, Value::Histogram(Arc::new(histogram)))
    }

    #[test]
    fn a_native_histogram_becomes_a_classic_one_unless_the_run_has_sent_that_too() {
        let expected = [
            r#"k6_t_bucket{a="b",le="1"} 0 1.000"#,
            r#"k6_t_bucket{a="b",le="2"} 3 1.000"#,
            r#"k6_t_bucket{a="b",le="+Inf"} 3 1.000"#,
            r#"k6_t_count{a="b"} 3 1.000"#,
            r#"k6_t_sum{a="b"} 4.5 1.000"#,
        ];
        assert_eq!(samples(&[vec![histogram(1000, "k6_t")]]), expected);
        let own = |name: &str| point(name, MetricKind::Histogram, &[], 1000, Value::Float(7.0));
        assert_eq!(
            samples(&[vec![histogram(1000, "k6_t"), own("k6_t_count")]]),
            [&expected[..3], &["k6_t_sum{a=\"b\"} 4.5 1.000", "k6_t_count 7 1.000"]].concat()
        );
        let (text, read) = exported(&[vec![histogram(1000, "k6_t"), own("k6_t_bucket")]]);
        assert!(text.contains("k6_t_bucket 7 1.000") && !text.contains("le="), "{text}");
        assert_eq!((read.histograms, read.histograms_left_out), (0, 1));
    }

    #[test]
    fn stale_markers_are_left_out_and_counted() {
        let points = [1.0, STALE_MARKER]
            .map(|value| point("k6_m", MetricKind::Gauge, &[], if value == 1.0 { 1 } else { 2 }, Value::Float(value)));
        let (text, read) = exported(&points.map(|point| vec![point]));
        assert!(text.contains("k6_m 1 0.001\n# EOF"), "{text}");
        assert_eq!((read.points, read.stale_markers), (2, 1));
    }
}
