//! A destination → findings: asks the receiver as a run does.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::finding::{Finding, State};
use super::own_series::OwnSeries;
use super::printed::OPTIONS;
use super::tls;
use crate::config::{self, Destination, OptionSpec};
use crate::http::Client;
use crate::report::Reporter;
use crate::send::{Answer, CLOCK_ACCURACY_MS, Queue, Sender};
use crate::wire::Protocol;

/// Difference of the clocks that no receiver minds.
const MAX_CLOCK_OFFSET_MS: u64 = 2000;

/// Prometheus reports exemplars as written whether it keeps them or not.
const EXEMPLAR_STORAGE: &str = "Prometheus keeps them with --enable-feature=exemplar-storage";

const NOT_CONFIRMED: &str = "Remote Write 1.0 does not confirm what is stored";

/// Asks the receiver of a destination, until a step fails on which the others depend.
pub(super) async fn examine(destination: &Destination) -> Vec<Finding> {
    let mut findings = options(destination);
    let client = match Client::new(&destination.endpoint) {
        Ok(client) => client,
        Err(error) => {
            findings.push(Finding::new(OPTIONS, State::Failed, error.to_string()));
            return findings;
        }
    };
    let credentials = client.credentials();
    let route = route(destination, &client).await;
    let is_known = route.iter().all(|finding| finding.state != State::Failed);
    findings.extend(route);
    if !is_known {
        return findings;
    }
    let reporter = Reporter::default().destination(destination.shown_url());
    // Nothing is queued: a check waits for each answer.
    let queue = Arc::new(Queue::new(1, 1, Arc::clone(&reporter)));
    let sender = Sender::new(client, destination.delivery.sender.clone(), queue, reporter);
    let empty = sender.probe(&[]).await;
    findings.extend(tls::session(destination, &empty));
    findings.push(Finding::new("credentials", State::Info, credentials));
    // Some receivers reject only what is empty, which a run does not send without a preflight.
    let may_accept_samples = empty.accepted || empty.response.status == Some(400);
    let stored = if may_accept_samples { Some(samples(destination, &sender).await) } else { None };
    findings.push(match &stored {
        Some(stored) if !empty.accepted && stored.accepted => only_empty_rejected(&empty),
        _ => request(&empty),
    });
    let accepted = stored.as_ref().is_some_and(|stored| stored.accepted);
    findings.extend(clock(&empty).filter(|clock| accepted || clock.state != State::Ok));
    if let Some(stored) = stored.filter(|stored| empty.accepted || stored.accepted) {
        findings.push(protocol(stored.protocol));
        findings.extend(stored.findings);
    }
    findings
}

/// What was found by sending samples.
struct Stored {
    /// Whether the gauge was accepted.
    accepted: bool,
    protocol: Protocol,
    findings: Vec<Finding>,
}

/// Sends one sample of each series, and the stale markers that end them.
async fn samples(destination: &Destination, sender: &Sender) -> Stored {
    let (gauge, histogram) = (OwnSeries::gauge(destination), OwnSeries::histogram(destination));
    let time_ms = now_ms();
    let stored = sender.probe(&[gauge.sample_with_exemplar(time_ms)]).await;
    let mut findings = vec![sample(&gauge, &stored)];
    if stored.accepted {
        let answer = sender.probe(&[histogram.sample(time_ms)]).await;
        findings.push(histograms(destination, &histogram, &answer));
        findings.extend(exemplars(&stored));
        // Not to VictoriaMetrics, as in a run: it may keep the newest sample of an interval only.
        if destination.window.stale_markers && !stored.response.is_victoria_metrics {
            let end_ms = now_ms().max(time_ms + 1);
            sender.probe(&[gauge.end(end_ms)]).await;
            if answer.accepted {
                sender.probe(&[histogram.end(end_ms)]).await;
            }
        }
    }
    Stored { accepted: stored.accepted, protocol: stored.protocol, findings }
}

/// The options that are set, but for the URL, which is in the title.
fn options(destination: &Destination) -> Vec<Finding> {
    let set = destination.set_options.iter().filter(|set| set.name != "url");
    set.map(|set| {
        Finding::new("option", State::Info, set.to_string())
            .with("option", set.name)
            .with("value", &*set.value)
            .with("source", &*set.source)
    })
    .collect()
}

/// Says which way requests take.
async fn route(destination: &Destination, client: &Client) -> Vec<Finding> {
    let proxy = client.proxy();
    let shown = proxy.as_deref().map_or("none", |proxy| proxy.trim_start_matches("proxy "));
    let mut route = vec![Finding::new("proxy", State::Info, shown)];
    // A proxy resolves the name itself, or is asked to.
    if proxy.is_none() {
        let url = destination.endpoint.url.expose();
        let host = url.host_str().unwrap_or_default();
        route.push(match client.addresses().await {
            Ok(mut addresses) => {
                addresses.dedup();
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let port = url.port_or_known_default().unwrap_or_default();
                let text = format!("{host} is {}, port {port}", addresses.join(", "));
                Finding::new("address", State::Ok, text).with("addresses", addresses).with("port", port)
            }
            Err(error) => {
                let hint = "unknown host name: check the URL, and in a container its network".to_string();
                Finding::new("address", State::Failed, format!("{host}: {error}")).with_hint(hint)
            }
        });
    }
    route
}

fn request(answer: &Answer) -> Finding {
    if !answer.accepted {
        return failed("request", answer);
    }
    let ms = milliseconds(answer);
    Finding::new("request", State::Ok, format!("accepted within {ms} ms")).with("duration_ms", ms)
}

/// The finding on a receiver that accepts samples, and no request without one.
fn only_empty_rejected(answer: &Answer) -> Finding {
    let text = format!("rejected without samples: {}", shown(answer));
    let hint = "leave the option `preflight` off for this receiver";
    Finding { state: State::Warning, text, hint: Some(with_variables(hint)), ..failed("request", answer) }
}

/// Compares the clocks, if the answer has a time.
fn clock(answer: &Answer) -> Option<Finding> {
    let offset_ms = answer.clock_offset_ms?;
    let tolerated_ms = MAX_CLOCK_OFFSET_MS + CLOCK_ACCURACY_MS + answer.duration.as_millis() as u64;
    let finding = if offset_ms.unsigned_abs() <= tolerated_ms {
        Finding::new("clock", State::Ok, "the receiver has the same time as this machine")
    } else {
        let direction = if offset_ms > 0 { "ahead of" } else { "behind" };
        let text = format!("the receiver is {} s {direction} this machine", offset_ms.unsigned_abs() / 1000);
        let hint = "check the clocks of both machines: receivers reject points that are too old or from the future, and \
                    queries look at the receiver's time";
        Finding::new("clock", State::Warning, text).with_hint(hint.to_string())
    };
    Some(finding.with("offset_ms", offset_ms))
}

fn protocol(protocol: Protocol) -> Finding {
    let version = protocol.to_string();
    Finding::new("protocol", State::Ok, format!("Remote Write {version}")).with("version", version)
}

fn sample(series: &OwnSeries, answer: &Answer) -> Finding {
    let finding = if answer.accepted {
        let ms = milliseconds(answer);
        let text = format!("{} accepted within {ms} ms", series.name());
        Finding::new("sample", State::Ok, text).with("duration_ms", ms)
    } else {
        failed("sample", answer)
    };
    finding.with("metric", series.name())
}

/// A receiver that rejects native histograms fails only if the options ask for them.
fn histograms(destination: &Destination, series: &OwnSeries, answer: &Answer) -> Finding {
    let finding = match (answer.accepted, destination.rules(&[]).mapping.trend_as.native) {
        (true, _) if answer.protocol == Protocol::V1 => {
            Finding::new("histograms", State::Info, format!("native histograms not rejected; {NOT_CONFIRMED}"))
        }
        (true, _) => Finding::new("histograms", State::Ok, "native histograms accepted"),
        (false, true) => failed("histograms", answer),
        (false, false) => {
            let text = format!("native histograms rejected, which these options do not send: {}", shown(answer));
            Finding { state: State::Info, text, hint: None, ..failed("histograms", answer) }
        }
    };
    finding.with("metric", series.name()).with("accepted", answer.accepted)
}

/// Exemplars that are not accepted cost nothing else.
fn exemplars(answer: &Answer) -> Option<Finding> {
    let accepted = answer.exemplars? > 0;
    let (state, text) = match (accepted, answer.protocol) {
        (true, Protocol::V1) => (State::Info, format!("exemplars not rejected; {NOT_CONFIRMED}")),
        (true, Protocol::V2) => (State::Info, format!("exemplars accepted; {EXEMPLAR_STORAGE}")),
        (false, _) => (State::Info, "exemplars not accepted: graphs do not lead to traces".into()),
    };
    Some(Finding::new("exemplars", state, text).with("accepted", accepted))
}

/// Returns the finding on a request that was not accepted.
fn failed(subject: &'static str, answer: &Answer) -> Finding {
    let hint = answer.hint.as_deref().map(with_variables);
    let finding = Finding::new(subject, State::Failed, shown(answer)).with_hint(hint);
    match answer.response.status {
        Some(status) => finding.with("status", status),
        None => finding,
    }
}

/// Adds the environment variables of the options that a hint names: who checks a receiver has no script.
fn with_variables(hint: &str) -> String {
    // An option is quoted, also with a value: `labels: job=k6`.
    let quoted = hint.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split(':').next());
    let named = quoted.filter_map(|name| config::options().find(|option| option.name == name));
    let mut variables: Vec<_> = named.map(OptionSpec::variable).collect();
    variables.dedup();
    if variables.is_empty() { hint.into() } else { format!("{hint} (in the environment {})", variables.join(", ")) }
}

/// Returns the time of an answer in milliseconds, rounded up.
fn milliseconds(answer: &Answer) -> u64 {
    answer.duration.as_micros().div_ceil(1000) as u64
}

/// Returns status and message of an answer.
fn shown(answer: &Answer) -> String {
    let status = answer.response.status.map(|status| format!("status {status}"));
    let message = Some(answer.response.message.clone()).filter(|message| !message.is_empty());
    status.into_iter().chain(message).collect::<Vec<_>>().join(": ")
}

/// The wall clock in milliseconds since the Unix epoch.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::Response;

    fn answer(clock_offset_ms: Option<i64>) -> Answer {
        let response = Response { status: Some(204), ..Response::default() };
        let duration = Duration::from_millis(100);
        Answer {
            accepted: true,
            protocol: Protocol::V2,
            response,
            certificate: None,
            exemplars: None,
            hint: None,
            duration,
            clock_offset_ms,
        }
    }

    #[test]
    fn clocks_may_differ_by_what_cannot_be_measured() {
        for (offset_ms, text) in [
            (0, "the receiver has the same time as this machine"),
            (-2600, "the receiver has the same time as this machine"),
            (2700, "the receiver is 2 s ahead of this machine"),
            (-90_000, "the receiver is 90 s behind this machine"),
        ] {
            let finding = clock(&answer(Some(offset_ms))).expect("has a time");
            assert_eq!(finding.text, text);
            let is_same = finding.state == State::Ok;
            assert!(is_same == text.contains("same") && is_same == finding.hint.is_none(), "{finding:?}");
        }
        assert_eq!(clock(&answer(None)), None);
    }

    #[test]
    fn a_hint_names_the_variables_of_its_options() {
        for (hint, end) in [
            (
                "set `caCertificate` (or, on Linux, SSL_CERT_FILE)",
                " (in the environment K6_PROMETHEUS_RW_CA_CERTIFICATE)",
            ),
            ("set `labels: job=k6,instance=…`, with a name", " (in the environment K6_PROMETHEUS_RW_LABELS)"),
            (
                "lower `maxBytesPerSend` and `timeout`",
                " (in the environment K6_PROMETHEUS_RW_MAX_BYTES_PER_SEND, K6_PROMETHEUS_RW_TIMEOUT)",
            ),
            ("check the URL's path, `-max=5`", ""),
        ] {
            assert_eq!(with_variables(hint), format!("{hint}{end}"));
        }
    }
}
