//! Leases of the destinations that are open in this process, which several outputs may have.
//!
//! Two destinations that send the same series to one receiver disturb each other: the user should know. And the self metrics of
//! each must have their own series, so each has a number that no other one has.

use std::collections::BTreeSet;

use once_cell::sync::Lazy;
use parking_lot::Mutex;
use url::Url;

use super::Document;
use crate::config::destination::Destination;
use crate::config::options::DEFAULT_URL;
use crate::http::{Credentials, SecretUrl};
use crate::secret::Secret;

static OPEN: Lazy<Mutex<Vec<Open>>> = Lazy::new(Mutex::default);

/// k6's own output, and where it gets its URL. It reads no argument.
const BUILTIN: &str = "experimental-prometheus-rw";
const BUILTIN_URL: &str = "K6_PROMETHEUS_RW_SERVER_URL";
const BUILTIN_PREFIX: &str = "k6_";

const HINT: &str = "remove one of them, or set metricPrefix or labels in one, to keep their series apart";
const HINT_TO_COMPARE: &str =
    "remove one of them; to compare both, set K6_PROMETHEUS_RW_METRIC_PREFIX, which only this output reads";

/// An open destination.
struct Open {
    number: usize,
    written: Written,
    source: String,
}

/// What a destination writes to which receiver: where two of these are equal and have a common name, so are their series.
#[derive(PartialEq)]
struct Written {
    /// The URL without its query, which names no other receiver.
    receiver: SecretUrl,
    /// Receivers choose a tenant by headers or credentials.
    headers: Vec<(String, Secret)>,
    credentials: Credentials,
    metric_prefix: String,
    labels: Vec<(String, String)>,
    test_run_id: Option<String>,
    names: Names,
}

/// The names that the metrics of a destination have there; `None` if that depends on the metrics of the test.
struct Names(Option<BTreeSet<String>>);

/// Another destination that sends the same series to the same receiver.
pub struct SharedReceiver {
    /// Where its URL was written.
    pub source: String,
    /// How to keep the series apart.
    pub hint: &'static str,
}

/// The number of an open destination, which no other open one has until this is dropped.
#[derive(Debug)]
pub struct DestinationLease(usize);

impl DestinationLease {
    /// Leases the lowest free number. Also returns those that send the same series to the same receiver: open destinations, and
    /// k6's own output beside this one.
    pub fn acquire(destination: &Destination, document: &Document) -> (Self, Vec<SharedReceiver>) {
        let written = Written::by(destination);
        let mut open = OPEN.lock();
        let number = (1..).find(|number| open.iter().all(|other| other.number != *number)).unwrap_or_default();
        let same = open.iter().filter(|other| other.written == written);
        let mut same: Vec<_> = same.map(|other| SharedReceiver { source: other.source.clone(), hint: HINT }).collect();
        if written.is_by_builtin(document) {
            same.push(SharedReceiver { source: format!("--out {BUILTIN}"), hint: HINT_TO_COMPARE });
        }
        open.push(Open { number, written, source: destination.set_options.url_source().into() });
        (Self(number), same)
    }

    /// The number, from 1 on.
    pub fn number(&self) -> usize {
        self.0
    }
}

impl Drop for DestinationLease {
    fn drop(&mut self) {
        OPEN.lock().retain(|open| open.number != self.0);
    }
}

impl Written {
    fn by(destination: &Destination) -> Self {
        Self {
            receiver: without_query(destination.endpoint.url.expose()),
            headers: destination.endpoint.headers.clone(),
            credentials: destination.endpoint.credentials.clone(),
            metric_prefix: destination.mapping.metric_prefix.clone(),
            labels: destination.labels.constant.clone(),
            test_run_id: destination.test_run.id.clone(),
            names: Names::of(destination),
        }
    }

    /// Reports whether k6's own output writes the same.
    fn is_by_builtin(&self, document: &Document) -> bool {
        let url = document.environment.get(BUILTIN_URL).map_or(DEFAULT_URL, Secret::expose);
        document.run.other_outputs.iter().any(|output| output == BUILTIN)
            && Url::parse(url).is_ok_and(|url| without_query(&url) == self.receiver)
            && self.metric_prefix == BUILTIN_PREFIX
            && self.labels.is_empty()
            && self.test_run_id.is_none()
    }
}

fn without_query(url: &Url) -> SecretUrl {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

impl Names {
    fn of(destination: &Destination) -> Self {
        let views = destination.metrics.views();
        Self(
            views
                .iter()
                .map(|view| view.target.clone().or_else(|| view.source.metric_name().map(Into::into)))
                .collect(),
        )
    }
}

impl PartialEq for Names {
    /// Reports whether they may have a name in common.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(names), Some(others)) => !names.is_disjoint(others),
            _ => true,
        }
    }
}
