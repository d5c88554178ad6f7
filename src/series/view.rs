//! What a destination wants of the metrics: which series, under which name, with which tags.
//!
//! A view comes from the configuration, and is applied once to each k6 series, when [`crate::resample::registry`] takes it. Tags that a
//! view does not keep are gone before the series gets its labels, so that series which differ in nothing else feed one
//! accumulator: merging is as exact as recording.

use std::borrow::Cow;

use crate::series::SeriesDefinition;
use crate::series::selector::Selector;

/// k6 Cloud's "default APM metrics".
pub const DEFAULT_METRICS: [&str; 6] =
    ["data_sent", "data_received", "http_req_duration", "http_reqs", "iterations", "vus"];

/// One thing that a destination wants.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The k6 series that are meant.
    pub source: Selector,
    /// The name to ship them under; without one, prefix and k6's name.
    pub target: Option<String>,
    /// The tags to keep.
    pub tags: Tags,
    /// Whether somebody asked for these very series, and should know if there were none.
    pub expected: bool,
}

/// Which tags a view keeps, besides the test-wide ones, which it always does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// All.
    All,
    /// Those of these names.
    Only(Vec<String>),
}

impl View {
    /// The view of a destination that ships all there is.
    pub fn everything() -> Self {
        Self { source: Selector::everything(), target: None, tags: Tags::All, expected: false }
    }

    /// Whether this view wants the series.
    pub fn selects(&self, series: &SeriesDefinition) -> bool {
        self.source.matches(&series.metric, &series.tags)
    }

    /// The series with the tags that this view, or `test_wide`, keeps.
    pub fn keep<'a>(&self, series: &'a SeriesDefinition, test_wide: &[String]) -> Cow<'a, SeriesDefinition> {
        match &self.tags {
            Tags::All => Cow::Borrowed(series),
            Tags::Only(kept) => {
                let mut series = series.clone();
                series.tags.retain(|(name, _)| kept.contains(name) || test_wide.contains(name));
                Cow::Owned(series)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k6::{MetricType, ValueType};

    #[test]
    fn a_view_keeps_its_tags_and_the_test_wide_ones() {
        let tags = [("name", "/"), ("url", "/?a"), ("testid", "7")].map(|(name, value)| (name.into(), value.into()));
        let series = SeriesDefinition {
            metric: "http_reqs".into(),
            metric_type: MetricType::Counter,
            value_type: ValueType::Default,
            tags: tags.into(),
        };
        let kept = |tags: Tags| {
            let view = View { tags, ..View::everything() };
            assert!(view.selects(&series));
            let kept = view.keep(&series, &["testid".into()]).into_owned();
            kept.tags.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(kept(Tags::All), ["name", "url", "testid"]);
        assert_eq!(kept(Tags::Only(vec!["name".into(), "other".into()])), ["name", "testid"]);
        assert_eq!(kept(Tags::Only(vec![])), ["testid"]);
    }
}
