//! The report at the end of the run, and its log line for each destination.

use serde::{Serialize, Serializer};

use super::counters::{Counter, Counters, OutputCounters, Role};
use super::event::{Event, Level, event};

/// The report of a run. The host gets it as JSON; the names of its fields are part of the ABI.
#[derive(Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    counts: Counts,
    destinations: Vec<DestinationReport>,
    /// The events that were not polled, and last the summary of each destination.
    events: Vec<Event>,
}

/// The report of one destination.
#[derive(Serialize)]
pub(super) struct DestinationReport {
    url: String,
    /// The label of all its series, if they have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_run_id: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Counters as they are at the end of the run.
struct Counts(Vec<(&'static str, Role, u64)>);

impl Counts {
    fn read<Set>(counters: &Set, table: &[Counter<Set>]) -> Self {
        Self(table.iter().map(|row| (row.name, row.role, (row.count)(counters).get())).collect())
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, _, count)| (name, count)))
    }
}

impl DestinationReport {
    pub(super) fn new(url: &str, test_run_id: Option<&str>, counters: &Counters) -> Self {
        let counts = Counts::read(counters, Counters::ALL);
        Self { url: url.into(), test_run_id: test_run_id.map(Into::into), counts }
    }
}

impl Report {
    /// Adds the summary of each destination to `events`.
    pub(super) fn new(counters: &OutputCounters, destinations: Vec<DestinationReport>, mut events: Vec<Event>) -> Self {
        let counts = Counts::read(counters, OutputCounters::ALL);
        events.extend(destinations.iter().map(|destination| summary(&counts, destination)));
        Self { counts, destinations, events }
    }
}

/// The last log line of a destination: an error if anything was lost.
fn summary(output: &Counts, destination: &DestinationReport) -> Event {
    let counts = || output.0.iter().chain(&destination.counts.0);
    let line = if counts().any(|&(_, role, count)| role == Role::Loss && count > 0) {
        event(Level::Error, "Some samples were not sent")
    } else {
        event(Level::Info, "All samples were sent; query totals with last_over_time()")
    };
    counts()
        .filter(|&&(_, role, count)| match role {
            Role::Total => true,
            Role::Loss | Role::IfAny => count > 0,
            Role::Detail => false,
        })
        .fold(line.with("url", &*destination.url), |line, &(name, _, count)| line.with(name, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary_of(output: &OutputCounters, counters: &Counters) -> Event {
        let destination = DestinationReport::new("http://host/w", None, counters);
        summary(&Counts::read(output, OutputCounters::ALL), &destination)
    }

    #[test]
    fn a_run_without_loss_is_summed_up_as_information() {
        let (output, counters) = (OutputCounters::default(), Counters::default());
        output.samples.add(7);
        counters.points_sent.add(3);
        let line = summary_of(&output, &counters);
        assert_eq!(
            (line.level, &line.fields["samples"], &line.fields["points_sent"]),
            (Level::Info, &7.into(), &3.into())
        );
        assert!(["samples_in", "points_lost"].iter().all(|name| !line.fields.contains_key(*name)), "{line:?}");
    }

    #[test]
    fn every_kind_of_loss_is_an_error_with_its_number() {
        type Lose = fn(&OutputCounters, &Counters);
        let losses: [(&str, Lose); 12] = [
            ("samples_not_finite", |output, _| output.samples_not_finite.add(3)),
            ("samples_dropped", |output, _| output.samples_dropped.add(3)),
            ("panics", |output, _| output.panics.add(3)),
            ("samples_invalid_name", |_, counters| counters.samples_invalid_name.add(3)),
            ("samples_invalid_series", |_, counters| counters.samples_invalid_series.add(3)),
            ("samples_name_conflict", |_, counters| counters.samples_name_conflict.add(3)),
            ("samples_over_max_series", |_, counters| counters.samples_over_max_series.add(3)),
            ("series_over_max_series", |_, counters| counters.series_over_max_series.add(3)),
            ("points_failed", |_, counters| counters.points_failed.add(3)),
            ("points_dropped", |_, counters| counters.points_dropped.add(3)),
            ("points_in_unsent_file", |_, counters| counters.points_in_unsent_file.add(3)),
            ("points_lost", |_, counters| counters.points_lost.add(3)),
        ];
        for (field, lose) in losses {
            let (output, counters) = (OutputCounters::default(), Counters::default());
            lose(&output, &counters);
            let line = summary_of(&output, &counters);
            assert_eq!((line.level, line.fields.get(field)), (Level::Error, Some(&3.into())), "{field}");
        }
    }
}
