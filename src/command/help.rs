//! The text of `--help`, at most 80 columns wide.

use super::spec::{Flag, Spec};

const ABOUT: &str = "\
Checks whether a receiver of Prometheus Remote Write accepts the metrics of a
test, and sends what a test could not send.";

const OPTIONS: &str = "\
The receiver and its credentials are options of the output, and are read as in a
run: from environment variables, such as K6_PROMETHEUS_RW_SERVER_URL, and from
k6's JSON configuration. Blocks in a script are not read.";

/// Returns the help for the list of commands.
pub(super) fn of_all(program: &str, commands: &[Spec]) -> String {
    let width = commands.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    let commands: String = commands.iter().map(|spec| format!("  {:width$}  {}\n", spec.name, spec.summary)).collect();
    format!(
        "{ABOUT}\n\nUsage: {program} <command> [arguments]\n\nCommands:\n{commands}\n{OPTIONS}\n\n\
         Help for a command: {program} <command> --help\n"
    )
}

/// Returns the help for one command.
pub(super) fn of_one(program: &str, spec: &Spec) -> String {
    let shown = |flag: &Flag| match flag.value {
        Some(value) => format!("--{} <{value}>", flag.name),
        None => format!("--{}", flag.name),
    };
    let usage: String = spec.flags.iter().map(|flag| format!("[{}] ", shown(flag))).collect();
    let flags = spec.flags.iter().map(|flag| (shown(flag), flag.doc));
    let flags: Vec<_> = flags.chain([("--help".into(), "Shows this help")]).collect();
    let width = flags.iter().map(|(flag, _)| flag.len()).max().unwrap_or(0);
    let flags: String = flags.iter().map(|(flag, doc)| format!("  {flag:width$}  {doc}\n")).collect();
    format!(
        "{}.\n\nUsage: {program} {} {usage}{}\n\n{}\n\nOptions:\n{flags}\n{OPTIONS}\n",
        spec.summary, spec.name, spec.operands.0, spec.details
    )
}
