//! Conflicts between metrics that export series of the same name.
//!
//! A Counter `a` and a Gauge `a_total` both export `k6_a_total`. Where the labels differ, both are exported; a name with the same
//! labels belongs to the metric that was first. [`super::catalog`] adds each family and each target series here, in the order
//! of their registration.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::export::{ExportState, Family};
use crate::wire::Labels;

/// The owners of names, and of the series of names that have several owners.
#[derive(Debug, Default)]
pub struct NameConflicts {
    /// For each name the indices of the families that export it.
    families_of_name: HashMap<String, Vec<usize>>,
    /// For each name with several families the identities of the series that are owned.
    shared_names: HashMap<String, HashSet<Vec<u8>>>,
}

impl NameConflicts {
    /// Adds the last of `families`. `targets` are the existing target series: the index of the family, and the labels.
    ///
    /// The series of a name are compared only once a second family exports it, so that all other series cost nothing.
    pub fn add_family<'a>(
        &mut self,
        families: &'a [Arc<Family>],
        targets: impl Iterator<Item = (usize, &'a Labels)> + Clone,
    ) {
        let Some(index) = families.len().checked_sub(1) else { return };
        for name in families[index].names() {
            let owners = self.families_of_name.entry(name.into()).or_default();
            owners.push(index);
            if let [first, _] = owners[..] {
                let labels = targets.clone().filter(|&(family, _)| family == first).map(|(_, labels)| labels);
                let owned = labels.flat_map(|labels| identities(&families[first], name, labels));
                self.shared_names.insert(name.into(), owned.map(|(_, identity)| identity).collect());
            }
        }
    }

    /// Adds a target series. Returns its export state, in which names that it would share with another series are suppressed,
    /// and one of these names.
    pub fn add_target(&mut self, family: &Family, labels: &Labels) -> (ExportState, Option<&str>) {
        let mut state = ExportState::default();
        let mut conflict = None;
        for (name, owned) in &mut self.shared_names {
            let own: Vec<_> = identities(family, name, labels).collect();
            let mut conflicting = own.iter().filter(|(_, identity)| owned.contains(identity)).peekable();
            if conflicting.peek().is_some() {
                conflicting.for_each(|(index, _)| state.suppress(*index));
                conflict = Some(name.as_str());
            } else {
                owned.extend(own.into_iter().map(|(_, identity)| identity));
            }
        }
        (state, conflict)
    }
}

/// Returns the series of `family` that have this name: for each the index of the name, and with these labels its identity.
fn identities<'a>(
    family: &'a Family,
    name: &'a str,
    labels: &'a Labels,
) -> impl Iterator<Item = (usize, Vec<u8>)> + 'a {
    let indices = family.names().enumerate().filter(move |&(_, own)| own == name).map(|(index, _)| index);
    indices.flat_map(move |index| family.identities(index, labels).into_iter().map(move |identity| (index, identity)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Mapping;
    use crate::k6::{MetricType, ValueType};
    use crate::wire::Label;

    fn family(metric: &str, metric_type: MetricType) -> Arc<Family> {
        Arc::new(Family::new(&Mapping::default(), None, metric, metric_type, ValueType::Default))
    }

    fn labels(value: &str) -> Labels {
        Labels::encode(&[Label { name: "a".into(), value: value.into() }])
    }

    #[test]
    fn a_name_with_the_same_labels_belongs_to_the_first_family() {
        let mut conflicts = NameConflicts::default();
        let families = [family("m", MetricType::Counter), family("m_total", MetricType::Gauge)];
        let known = labels("1");
        conflicts.add_family(&families[..1], [].into_iter());
        assert_eq!(conflicts.add_target(&families[0], &known), (ExportState::default(), None));
        conflicts.add_family(&families, [(0, &known)].into_iter());
        let mut suppressed = ExportState::default();
        suppressed.suppress(0);
        assert_eq!(conflicts.add_target(&families[1], &labels("1")), (suppressed, Some("k6_m_total")));
        assert_eq!(conflicts.add_target(&families[1], &labels("2")), (ExportState::default(), None));
        assert_eq!(conflicts.add_target(&families[0], &labels("2")), (suppressed, Some("k6_m_total")));
    }
}
