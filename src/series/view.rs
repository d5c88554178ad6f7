//! Views: the k6 series that a destination selects, their name, and the tags to keep.
//!
//! Views come from the configuration. [`crate::resample::registry`] applies them once to each k6 series, when it is registered. The
//! other tags are dropped before the labels are made, so that k6 series which differ only in them feed one accumulator: merging is
//! as exact as recording.

use std::borrow::Cow;

use crate::series::SeriesDefinition;
use crate::series::selector::Selector;

/// k6 Cloud's "default APM metrics".
pub const DEFAULT_METRICS: [&str; 6] =
    ["data_sent", "data_received", "http_req_duration", "http_reqs", "iterations", "vus"];

/// A selection of k6 series of a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The selector of the k6 series.
    pub source: Selector,
    /// The name of the target series. Without it, the name is the prefix and the k6 name.
    pub target: Option<String>,
    /// The tags to keep.
    pub tags: Tags,
    /// True if the configuration names these series, so that a warning is logged if there are none.
    pub expected: bool,
}

/// The tags that a view keeps. Test-wide tags are always kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// All tags.
    All,
    /// Tags with these names.
    Only(Vec<String>),
}

impl View {
    /// Returns the view that selects all series and keeps all tags.
    pub fn everything() -> Self {
        Self { source: Selector::everything(), target: None, tags: Tags::All, expected: false }
    }

    /// Returns true if the view selects the series. Of one that is too large only the metric is known.
    pub fn selects(&self, series: &SeriesDefinition) -> bool {
        match series.too_large {
            None => self.source.matches(&series.metric, &series.tags),
            Some(_) => self.source.matches_metric(&series.metric),
        }
    }

    /// Returns the series with the tags that this view keeps and those named in `test_wide`.
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
    use crate::k6::MetricType;

    #[test]
    fn a_view_keeps_its_tags_and_the_test_wide_ones() {
        let tags = [("name", "/"), ("url", "/?a"), ("testid", "7")];
        let series = SeriesDefinition::new("http_reqs", MetricType::Counter).with_tags(tags);
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
