//! A destination → findings: asks the receiver as a run does.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::finding::{Finding, State};
use super::own_series::OwnSeries;
use crate::config::Destination;
use crate::http::Client;
use crate::report::Reporter;
use crate::send::{Answer, Queue, Sender};

/// Asks the receiver of a destination, until a step fails on which the others depend.
pub(super) async fn examine(destination: &Destination) -> Vec<Finding> {
    let mut findings = options(destination);
    let client = match Client::new(&destination.endpoint) {
        Ok(client) => client,
        Err(error) => {
            findings.push(Finding::new("options", State::Failed, error.to_string()));
            return findings;
        }
    };
    findings.push(Finding::new("credentials", State::Info, client.credentials()));
    let reporter = Reporter::default().destination(destination.shown_url());
    // Nothing is queued: a check waits for each answer.
    let queue = Arc::new(Queue::new(1, 1, Arc::clone(&reporter)));
    let sender = Sender::new(client, destination.delivery.sender.clone(), queue, reporter);
    let answer = sender.probe(&[]).await;
    findings.push(request(&answer));
    if !answer.accepted {
        return findings;
    }
    findings.push(
        Finding::new("protocol", State::Ok, format!("Remote Write {}", answer.protocol))
            .with("version", answer.protocol.to_string()),
    );
    let series = OwnSeries::for_destination(destination);
    let time_ms = now_ms();
    let answer = sender.probe(&[series.sample(time_ms)]).await;
    findings.push(sample(&series, &answer));
    // Not to VictoriaMetrics, as in a run: it may keep the newest sample of an interval only.
    if answer.accepted && destination.window.stale_markers && !answer.response.is_victoria_metrics {
        sender.probe(&[series.end(now_ms().max(time_ms + 1))]).await;
    }
    findings
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

fn request(answer: &Answer) -> Finding {
    if !answer.accepted {
        return failed("request", answer);
    }
    let ms = answer.duration.as_millis() as u64;
    Finding::new("request", State::Ok, format!("accepted within {ms} ms")).with("duration_ms", ms)
}

fn sample(series: &OwnSeries, answer: &Answer) -> Finding {
    let finding = if answer.accepted {
        let ms = answer.duration.as_millis() as u64;
        let text = format!("{} accepted within {ms} ms", series.name());
        Finding::new("sample", State::Ok, text).with("duration_ms", ms)
    } else {
        failed("sample", answer)
    };
    finding.with("metric", series.name())
}

/// Returns the finding on a request that was not accepted.
fn failed(subject: &'static str, answer: &Answer) -> Finding {
    let response = &answer.response;
    let status = response.status.map(|status| format!("status {status}"));
    let message = Some(response.message.clone()).filter(|message| !message.is_empty());
    let text: Vec<_> = status.into_iter().chain(message).collect();
    let finding = Finding::new(subject, State::Failed, text.join(": ")).with_hint(answer.hint.clone());
    match response.status {
        Some(status) => finding.with("status", status),
        None => finding,
    }
}

/// The wall clock in milliseconds since the Unix epoch.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
