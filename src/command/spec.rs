//! Name, flags and help of a command.

use std::ops::RangeInclusive;

use super::cancellation::Cancellation;
use super::console::Console;
use super::document::CommandDocument;

/// Exit code of a command that could not do what it should, and of arguments that are not valid.
const FAILED: u32 = 1;
const MISUSED: u32 = 2;

/// One command.
pub(super) struct Spec {
    pub name: &'static str,
    /// What follows the flags, as the usage shows it, such as `[url]`; and how many of them are allowed.
    pub operands: (&'static str, RangeInclusive<usize>),
    /// One sentence.
    pub summary: &'static str,
    /// Paragraphs of at most 80 columns.
    pub details: &'static str,
    pub flags: &'static [Flag],
    pub run: fn(&Invocation<'_>) -> Result<(), Failure>,
}

/// One flag of a command, such as `--json`.
pub(super) struct Flag {
    /// Without its hyphens.
    pub name: &'static str,
    /// What stands for its value in the usage; `None` if it has none.
    pub value: Option<&'static str>,
    pub doc: &'static str,
}

/// The arguments of a command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Names and values; a flag without a value has an empty one.
    pub flags: Vec<(&'static str, String)>,
    /// What is not a flag.
    pub operands: Vec<String>,
}

impl Arguments {
    /// Reports whether a flag was given.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == flag)
    }

    /// Returns the value of a flag; of several, the last.
    pub fn value(&self, flag: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(name, _)| *name == flag).map(|(_, value)| value.as_str())
    }
}

/// What a command gets.
pub(super) struct Invocation<'a> {
    pub arguments: Arguments,
    pub document: &'a CommandDocument,
    pub console: &'a Console,
    pub cancellation: &'a Cancellation,
}

/// Why a command ends without success.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub code: u32,
    /// One sentence, as an error in a log.
    pub message: String,
}

impl Failure {
    /// The command could not do what it should.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: FAILED, message: message.into() }
    }

    /// The arguments are not valid.
    pub fn misused(message: impl Into<String>) -> Self {
        Self { code: MISUSED, message: message.into() }
    }
}
