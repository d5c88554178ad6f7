//! Arguments of a command → flags and operands.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt};

use super::spec::{Arguments, Failure, Flag, Spec};
use crate::config::{nearest_name, shown_name};

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Help,
    Run(Arguments),
}

/// Reads the arguments that follow the name of a command.
///
/// # Errors
/// The first argument that is not valid, with what is.
pub(super) fn read(spec: &Spec, arguments: &[String]) -> Result<Request, Failure> {
    let mut read = Arguments::default();
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| Failure::misused(without_value(error)))? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Value(operand) => read.operands.push(text(operand)),
            Arg::Short(name) => return Err(unknown(spec, &format!("-{name}"))),
            Arg::Long(name) => {
                let Some(flag) = spec.flags.iter().find(|flag| flag.name == name) else {
                    return Err(unknown(spec, &format!("--{name}")));
                };
                let value = match flag.value {
                    Some(value) => text(parser.value().map_err(|_| {
                        Failure::misused(format!("--{} requires a value: --{} <{value}>", flag.name, flag.name))
                    })?),
                    None => String::new(),
                };
                read.flags.push((flag.name, value));
            }
        }
    }
    let (usage, allowed) = &spec.operands;
    match read.operands.len() {
        count if allowed.contains(&count) => Ok(Request::Run(read)),
        count if count < *allowed.start() => Err(Failure::misused(format!("{} requires {usage}", spec.name))),
        _ => {
            let first = shown(&read.operands[*allowed.end()]);
            Err(Failure::misused(format!("unexpected argument {first} of {}: must be {usage}", spec.name)))
        }
    }
}

/// Arguments come from JSON, so they are text.
fn text(argument: OsString) -> String {
    argument.string().unwrap_or_else(|error| error.to_string())
}

fn unknown(spec: &Spec, written: &str) -> Failure {
    let flags: Vec<_> = spec.flags.iter().map(|Flag { name, .. }| *name).chain(["help"]).collect();
    let advice = match nearest_name(written, &flags) {
        Some(name) => format!("did you mean --{name}?"),
        None => format!("must be one of --{}", flags.join(", --")),
    };
    Failure::misused(format!("unknown option {} of {}; {advice}", shown(written), spec.name))
}

/// Returns an error of the parser, which quotes a value that a flag does not take.
fn without_value(error: lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value"),
        other => other.to_string(),
    }
}

/// An argument in a message, if it is a name: any other may be a URL with a password.
fn shown(argument: &str) -> String {
    format!("{:?}", shown_name(argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        name: "try",
        operands: ("[url]", 0..=1),
        summary: "",
        details: "",
        flags: &[Flag { name: "json", value: None, doc: "" }, Flag { name: "into", value: Some("file"), doc: "" }],
        run: |_| Ok(()),
    };

    fn read_as_try(arguments: &[&str]) -> Result<Request, String> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        read(&SPEC, &arguments).map_err(|failure| failure.message)
    }

    #[test]
    fn flags_and_operands_may_be_mixed() {
        let both =
            Arguments { flags: vec![("json", String::new()), ("into", "a".into())], operands: vec!["http://h".into()] };
        assert!(both.has("json") && !both.has("help"));
        assert_eq!(read_as_try(&["--json", "http://h", "--into", "a"]), Ok(Request::Run(both)));
        let operand = Arguments { operands: vec!["--json".into()], ..Arguments::default() };
        assert_eq!(read_as_try(&["--", "--json"]), Ok(Request::Run(operand)));
        for help in ["-h", "--help"] {
            assert_eq!(read_as_try(&["x", "--json", help]), Ok(Request::Help));
        }
    }

    #[test]
    fn a_mistake_says_what_is_valid() {
        for (arguments, message) in [
            (&["--jsno"][..], r#"unknown option "--jsno" of try; did you mean --json?"#),
            (&["-x"], r#"unknown option "-x" of try; must be one of --json, --into, --help"#),
            (&["--into"], "--into requires a value: --into <file>"),
            (&["a", "me:hunter2@h"], r#"unexpected argument "***" of try: must be [url]"#),
            (&["a", "http://h/?hunter2"], r#"unexpected argument "***" of try: must be [url]"#),
            (&["a", "b"], r#"unexpected argument "b" of try: must be [url]"#),
            (&["--json=hunter2"], "--json takes no value"),
            (&["--token=hunter2"], r#"unknown option "--token" of try; must be one of --json, --into, --help"#),
        ] {
            assert_eq!(read_as_try(arguments), Err(message.into()));
        }
        let none = Spec { operands: ("<file>…", 1..=usize::MAX), ..SPEC };
        let failure = read(&none, &[]).expect_err("invalid");
        assert_eq!((failure.code, &*failure.message), (2, "try requires <file>…"));
    }
}
