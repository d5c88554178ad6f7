//! The ids of k6 series: which series of which destination the samples with an id feed.
//!
//! In come k6 series, from any thread, through [`crate::ingest`]. An id stands for what is fed, not for the k6 series: k6 series that
//! differ only in dropped tags have one id, and so have all that no destination exports, for each reason. So the number of ids is
//! bounded by `maxSeries`, however many k6 series there are, and a k6 series that is registered again has its id again. Out go the
//! new ids, to [`super::Resampler`].

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::catalog::{Additions, Catalog, Selection};
use super::sample_kind::SampleKind;
use super::sharded_table::ShardedTable;
use crate::series::SeriesDefinition;

/// What the resampling thread has to know of an id.
pub struct NewId {
    /// The kind of its samples.
    pub kind: SampleKind,
    /// For each destination what it feeds, and what did not exist before.
    pub destinations: Vec<(Selection, Additions)>,
}

/// Assigns ids.
#[derive(Default)]
pub struct Registrar {
    /// One for each destination.
    catalogs: Vec<Catalog>,
    /// Ids by what they feed.
    ids: ShardedTable<u32>,
    /// What each id feeds, in the form of [`key_of`], one after the other.
    keys: Vec<u32>,
    /// For each id the end of its key.
    ends: Vec<u32>,
    hasher: DefaultHashBuilder,
}

impl Registrar {
    /// Creates a registrar for these destinations.
    pub fn new(catalogs: Vec<Catalog>) -> Self {
        Self { catalogs, ..Self::default() }
    }

    /// Returns the id of a k6 series, from 1 on, and what it stands for if it is new.
    pub fn register(&mut self, definition: &SeriesDefinition) -> (u64, Option<NewId>) {
        let kind = SampleKind::of(definition);
        let selections: Vec<_> = self.catalogs.iter_mut().map(|catalog| catalog.register(definition)).collect();
        let key = key_of(kind, &selections);
        let hash = self.hasher.hash_one(&*key);
        if let Some(&id) = self.ids.find(hash, |&id| self.key(id) == key) {
            return (id.into(), None);
        }
        self.keys.extend(key);
        // So many do not fit into memory.
        self.ends.push(self.keys.len() as u32);
        let id = self.ends.len() as u32;
        let (keys, ends, hasher) = (&self.keys, &self.ends, &self.hasher);
        self.ids.insert(hash, id, |&id| hasher.hash_one(key_in(keys, ends, id)));
        let additions = self.catalogs.iter_mut().map(Catalog::take_additions);
        (id.into(), Some(NewId { kind, destinations: selections.into_iter().zip(additions).collect() }))
    }

    fn key(&self, id: u32) -> &[u32] {
        key_in(&self.keys, &self.ends, id)
    }
}

fn key_in<'a>(keys: &'a [u32], ends: &[u32], id: u32) -> &'a [u32] {
    let index = id as usize - 1;
    let begin = index.checked_sub(1).map_or(0, |before| ends[before] as usize);
    &keys[begin..ends[index] as usize]
}

/// Returns the same numbers for the same kind and selections, and different ones for others.
fn key_of(kind: SampleKind, selections: &[Selection]) -> Vec<u32> {
    let len: usize = selections.iter().map(|selection| 2 + selection.targets.len()).sum();
    let mut key = Vec::with_capacity(1 + len);
    key.push(kind as u32);
    for Selection { targets, outcome } in selections {
        key.extend([*outcome as u32, targets.len() as u32]);
        key.extend(targets);
    }
    key
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::catalog::{RecordOutcome, Rules};
    use super::*;
    use crate::k6::MetricType;
    use crate::report::Reporter;
    use crate::series::selector::Selector;
    use crate::series::view::{Tags, View};

    fn view(selector: &str, tags: Tags) -> View {
        View { source: Selector::parse(selector).expect("valid"), target: None, tags, expected: true }
    }

    /// Creates a registrar with a destination for each list of views, and `max_series` for each.
    fn registrar<const N: usize>(max_series: usize, views: [Vec<View>; N]) -> Registrar {
        let reporter = Reporter::default();
        let catalog = |views: Vec<View>| {
            let rules = Rules { max_series, ..Rules::of_views(views) };
            Catalog::new(Arc::new(rules), reporter.destination("http://host/w"))
        };
        Registrar::new(views.map(catalog).into())
    }

    fn counter(metric: &str, a: &str, b: &str) -> SeriesDefinition {
        SeriesDefinition::new(metric, MetricType::Counter).with_tags([("a", a), ("b", b)])
    }

    fn ids(registrar: &mut Registrar, definitions: &[SeriesDefinition]) -> Vec<u64> {
        definitions.iter().map(|definition| registrar.register(definition).0).collect()
    }

    #[test]
    fn a_series_that_is_registered_again_has_its_id_again() {
        let mut registrar = registrar(100, [vec![View::everything()]]);
        assert_eq!(ids(&mut registrar, &["1", "2", "1"].map(|a| counter("m", a, "x"))), [1, 2, 1]);
        let (id, new) = registrar.register(&counter("m", "3", "x"));
        assert_eq!((id, new.is_some()), (3, true));
        let (id, new) = registrar.register(&counter("m", "3", "x"));
        assert_eq!((id, new.is_some()), (3, false));
    }

    #[test]
    fn series_that_differ_only_in_dropped_tags_share_an_id_unless_a_destination_keeps_them() {
        let series = [("1", "x"), ("1", "y"), ("2", "z")].map(|(a, b)| counter("m", a, b));
        let only_a = || vec![view("m", Tags::Only(vec!["a".into()]))];
        assert_eq!(ids(&mut registrar(100, [only_a()]), &series), [1, 1, 2]);
        assert_eq!(ids(&mut registrar(100, [only_a(), vec![View::everything()]]), &series), [1, 2, 3]);
    }

    #[test]
    fn series_that_no_destination_exports_share_an_id_for_each_reason_and_kind() {
        let mut registrar =
            registrar(1, [vec![view("m", Tags::All), view("g", Tags::All), view(r#"{__name__="größe"}"#, Tags::All)]]);
        let gauge = |metric: &str, a| SeriesDefinition::new(metric, MetricType::Gauge).with_tags([("a", a)]);
        let series = [
            counter("m", "1", ""),
            counter("m", "2", ""),
            counter("m", "3", ""),
            counter("unwanted", "1", ""),
            counter("other", "2", ""),
            gauge("unwanted", "1"),
            gauge("g", "1"),
            gauge("g", "2"),
            gauge("größe", "1"),
            counter("m", "1", ""),
        ];
        assert_eq!(ids(&mut registrar, &series), [1, 2, 2, 3, 3, 4, 5, 5, 6, 1]);
    }

    #[test]
    fn a_new_id_has_what_did_not_exist_before() {
        let mut registrar = registrar(2, [vec![View::everything()], vec![view("m", Tags::Only(vec![]))]]);
        let mut new = |definition| {
            let (_, new) = registrar.register(&definition);
            let destinations = new.expect("a new id").destinations;
            destinations
                .into_iter()
                .map(|(selection, additions)| {
                    (selection.targets, selection.outcome, additions.families.len(), additions.targets.len())
                })
                .collect::<Vec<_>>()
        };
        let (recorded, over) = (RecordOutcome::Recorded, RecordOutcome::OverMaxSeries);
        assert_eq!(new(counter("m", "1", "x")), [(vec![0], recorded, 1, 1), (vec![0], recorded, 1, 1)]);
        assert_eq!(new(counter("m", "2", "x")), [(vec![1], recorded, 0, 1), (vec![0], recorded, 0, 0)]);
        assert_eq!(new(counter("n", "1", "x")), [(vec![], over, 1, 0), (vec![], RecordOutcome::NotSelected, 0, 0)]);
    }
}
