//! Arguments → the command that they name, or help.

use super::arguments::{self, Request};
use super::cancellation::Cancellation;
use super::console::{Console, Stream};
use super::document::CommandDocument;
use super::spec::{Failure, Invocation, Spec};
use super::{check, export, help, send};
use crate::config::{nearest_name, shown_name};

/// All commands, in the order of the help.
static COMMANDS: &[Spec] = &[check::SPEC, send::SPEC, export::SPEC];

/// Runs the command that the arguments name, until it ends.
pub(super) fn dispatch(
    document: &CommandDocument,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let help = |text: String| {
        console.print(Stream::Stdout, &text);
        Ok(())
    };
    let program = &document.program;
    let arguments: Vec<_> = document.arguments.iter().map(String::as_str).collect();
    match &arguments[..] {
        [] | ["-h" | "--help" | "help"] => help(help::of_all(program, COMMANDS)),
        ["help", name, ..] => help(help::of_one(program, named(name)?)),
        [name, ..] => {
            let spec = named(name)?;
            match arguments::read(spec, &document.arguments[1..])? {
                Request::Help => help(help::of_one(program, spec)),
                Request::Run(arguments) => (spec.run)(&Invocation { arguments, document, console, cancellation }),
            }
        }
    }
}

fn named(name: &str) -> Result<&'static Spec, Failure> {
    COMMANDS.iter().find(|spec| spec.name == name).ok_or_else(|| {
        let names: Vec<_> = COMMANDS.iter().map(|spec| spec.name).collect();
        let advice = match nearest_name(name, &names) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("must be one of {}", names.join(", ")),
        };
        Failure::misused(format!("unknown command {:?}; {advice}", shown_name(name)))
    })
}
