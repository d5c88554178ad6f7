//! A destination → findings: asks the receiver as a run does.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::finding::{Finding, State};
use super::own_series::OwnSeries;
use crate::config::Destination;
use crate::http::Client;
use crate::report::Reporter;
use crate::send::{Answer, CLOCK_ACCURACY_MS, Queue, Sender};
use crate::wire::Protocol;

/// Difference of the clocks that no receiver minds.
const MAX_CLOCK_OFFSET_MS: u64 = 2000;

const NOT_CONFIRMED: &str = "Remote Write 1.0 does not confirm what is stored";

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
    findings.extend(clock(&answer));
    if answer.accepted {
        findings.push(protocol(&answer));
        findings.extend(samples(destination, &sender).await);
    }
    findings
}

/// Sends one sample of each series, and the stale markers that end them.
async fn samples(destination: &Destination, sender: &Sender) -> Vec<Finding> {
    let (gauge, histogram) = (OwnSeries::gauge(destination), OwnSeries::histogram(destination));
    let time_ms = now_ms();
    let stored = sender.probe(&[gauge.sample(time_ms)]).await;
    let mut findings = vec![sample(&gauge, &stored)];
    if !stored.accepted {
        return findings;
    }
    let answer = sender.probe(&[histogram.sample(time_ms)]).await;
    findings.push(histograms(destination, &histogram, &answer));
    // Not to VictoriaMetrics, as in a run: it may keep the newest sample of an interval only.
    if destination.window.stale_markers && !stored.response.is_victoria_metrics {
        let end_ms = now_ms().max(time_ms + 1);
        sender.probe(&[gauge.end(end_ms)]).await;
        if answer.accepted {
            sender.probe(&[histogram.end(end_ms)]).await;
        }
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

fn protocol(answer: &Answer) -> Finding {
    let version = answer.protocol.to_string();
    Finding::new("protocol", State::Ok, format!("Remote Write {version}")).with("version", version)
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

/// Returns the finding on a request that was not accepted.
fn failed(subject: &'static str, answer: &Answer) -> Finding {
    let finding = Finding::new(subject, State::Failed, shown(answer)).with_hint(answer.hint.clone());
    match answer.response.status {
        Some(status) => finding.with("status", status),
        None => finding,
    }
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
