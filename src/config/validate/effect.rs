//! Options that are valid, and have no effect beside others: a warning says why.

use super::context::Check;
use crate::config::destination::Destination;
use crate::config::spec::Role;
use crate::export::{TrendAs, TrendStat};
use crate::k6::{METADATA_NOTE, METADATA_TAGS};

/// The option and k6's feature flag that make native histograms of trends.
const NATIVE_SWITCH: &str = "trendAsNativeHistogram";
const NATIVE_FLAG: &str = "k6's feature flag native-histograms";

/// Warns of options that have no effect. `native_feature` says whether k6's feature flag for native histograms is on.
pub fn check(to: &Destination, native_feature: bool, check: &mut Check<'_>) {
    if to.test_run.id.is_some() && !to.test_run.include_id {
        let source = check.source_of(Role::TestRunId);
        check.warn(format!("Ignoring {source}: includeTestRunId is not set"));
    }
    check_trends(to, native_feature, check);
    let drop_tags = to.labels.drop_tags.iter().map(String::as_str);
    warn_of_metadata("dropTags", drop_tags.collect(), check);
    let entries = to.metrics.entries.iter().flatten();
    let names = entries.flat_map(|entry| {
        let kept = entry.keep_tags.iter().flatten().map(String::as_str);
        kept.chain(entry.source.tag_names())
    });
    warn_of_metadata("metrics", names.collect(), check);
}

fn check_trends(to: &Destination, native_feature: bool, check: &mut Check<'_>) {
    let by_switch =
        if to.metrics.native_histograms.unwrap_or(native_feature) { TrendAs::NATIVE } else { TrendAs::GAUGES };
    let form = to.metrics.trend_as.unwrap_or(by_switch);
    let reason = ["trendAs", NATIVE_SWITCH].into_iter().find_map(|option| check.last_named(option));
    let reason = reason.map_or_else(|| NATIVE_FLAG.into(), |source| source.to_string());
    if let Some(stats) = check.last_named("trendStats").filter(|_| !form.gauges) {
        check.warn(format!("Ignoring {stats}: with {reason}, trends have no statistics; add gauges to trendAs"));
    }
    // A habit from the shares of other tools.
    let shares = to.mapping.trend_stats.iter().filter_map(|stat| match stat {
        TrendStat::Percentile(percent) if *percent > 0.0 && *percent < 1.0 => {
            Some(format!("p({percent}) is not p({})", (percent * 1e6).round() / 1e4))
        }
        _ => None,
    });
    let shares: Vec<_> = shares.collect();
    if let Some(stats) = check.last_named("trendStats").filter(|_| form.gauges && !shares.is_empty()) {
        check.warn(format!("{stats} has percentiles below 1: {}", shares.join(", ")));
    }
    if let Some(buckets) = check.last_named("trendBuckets").filter(|_| !form.classic) {
        check.warn(format!(
            "Ignoring {buckets}: only trends as classic histograms have buckets; add classic to trendAs"
        ));
    }
    let differs =
        to.metrics.trend_as.is_some() && to.metrics.native_histograms.is_some_and(|native| native != form.native);
    if let Some(switch) = check.last_named(NATIVE_SWITCH).filter(|_| differs) {
        check.warn(format!("Ignoring {switch}: {reason} takes precedence"));
    }
}

/// Warns of tags that k6 has as metadata.
fn warn_of_metadata(option: &str, mut tags: Vec<&str>, check: &mut Check<'_>) {
    tags.retain(|tag| METADATA_TAGS.contains(tag));
    tags.dedup();
    if let Some(source) = check.last_named(option).filter(|_| !tags.is_empty()) {
        check.warn(format!("{} in {source} has no effect: {}", tags.join(", "), METADATA_NOTE));
    }
}
