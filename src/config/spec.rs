//! A row of the table of options, and the functions that make one.

use super::Destination;
use super::kind::{Form, Hidden, Kind, Plain};
use super::parse::names;

/// The beginning of all variables of this output, and of k6's own.
pub(super) const PREFIX: &str = "K6_PROMETHEUS_RW_";

/// One option: its names, its values, and its documentation.
pub struct OptionSpec {
    /// The name in JSON.
    pub name: &'static str,
    /// One line of documentation, in Markdown.
    pub doc: &'static str,
    /// Whether the README has it.
    pub is_usual: bool,
    pub(super) kind: Kind,
    pub(super) role: Option<Role>,
    /// Without [`PREFIX`].
    variable: &'static str,
    other_variable: Option<&'static str>,
    script: Option<&'static str>,
    default: &'static str,
    unset: &'static str,
    empty: Option<&'static str>,
    must_be: Option<&'static str>,
    explain: Option<Explain>,
}

/// Returns what is wrong with a value, where the valid values do not tell.
type Explain = fn(&str) -> Option<String>;

/// What the rules of [`super::validate`] know an option by. Options that set the same thing have the same role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Url,
    Username,
    Password,
    BearerToken,
    Headers,
    WindowLength,
    IncludeDefaultMetrics,
    TestRunId,
    SkipVerify,
    UnsentDirectory,
    SigV4,
    OAuth2,
    OAuth2Secret,
}

impl Role {
    /// Only one option of each of these may be set in one source.
    pub const EXCLUSIVE: [Self; 5] =
        [Self::WindowLength, Self::Username, Self::Password, Self::BearerToken, Self::OAuth2Secret];
}

impl OptionSpec {
    /// The name in an `apm` block of the script: k6 Cloud's own where it has one.
    pub fn script_name(&self) -> &'static str {
        self.script.unwrap_or(self.name)
    }

    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.variable)
    }

    /// All its environment variables.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        [self.variable].into_iter().chain(self.other_variable).map(|variable| format!("{PREFIX}{variable}"))
    }

    /// The valid values: what follows "must be" in an error.
    pub fn valid_values(&self) -> String {
        let must_be = match (self.must_be, &self.kind) {
            (Some(must_be), _) => must_be.into(),
            (None, Kind::Plain(kind @ Plain::Duration(..))) => format!("{}, such as {}", kind.must_be(), self.default),
            (None, Kind::Hidden(kind @ Hidden::Url(_))) => format!("{}, such as {}", kind.must_be(), self.default),
            (None, Kind::Plain(kind)) => kind.must_be().into_owned(),
            (None, Kind::Hidden(kind)) => kind.must_be().into(),
            (None, Kind::Metrics(_)) => {
                "a list of metric names, and of objects with sourceMetric, targetMetric and keepTags".into()
            }
        };
        match self.empty {
            Some(meaning) => format!("{must_be}, or empty for {meaning}"),
            None => must_be,
        }
    }

    /// The default as one would write it, or a description of what holds where the option is not set; `None` for nothing.
    pub fn default_text(&self) -> Option<String> {
        match (self.default, self.unset) {
            ("", "") => None,
            ("", unset) => Some(unset.into()),
            (default, _) => Some(format!("`{default}`")),
        }
    }

    /// Returns what is wrong with a value that is not valid, if its function knows.
    pub(super) fn explanation(&self, value: &str) -> Option<String> {
        self.explain.and_then(|explain| explain(value))
    }

    /// Whether its values must not be shown.
    pub fn is_hidden(&self) -> bool {
        matches!(self.kind, Kind::Hidden(_))
    }

    /// Whether an empty variable is a value: everywhere else, as in k6, it is as if it were not set.
    pub(super) fn accepts_empty(&self) -> bool {
        self.empty.is_some()
    }

    /// Whether `written` is a name of the option in any source, also without the part before a dot.
    pub(super) fn is_known_as(&self, written: &str) -> bool {
        [self.name, self.script_name()].iter().any(|name| names::is_spelling_of(written, name))
            || self.variables().any(|variable| variable == written)
            || self.script_name().rsplit('.').next() == Some(written)
    }

    /// Gives a destination its default.
    pub(super) fn set_default(&self, to: &mut Destination) -> Option<()> {
        match &self.kind {
            _ if self.default.is_empty() => Some(()),
            Kind::Plain(kind) => kind.read(to, self.default, Form::Text),
            Kind::Hidden(kind) => kind.read(to, &self.default.into(), Form::Text),
            Kind::Metrics(_) => None,
        }
    }
}

/// A row without anything optional.
pub(super) const fn row(name: &'static str, variable: &'static str, kind: Kind) -> OptionSpec {
    OptionSpec {
        name,
        doc: "",
        is_usual: false,
        kind,
        role: None,
        variable,
        other_variable: None,
        script: None,
        default: "",
        unset: "",
        empty: None,
        must_be: None,
        explain: None,
    }
}

/// A row of a plain option; its default may be empty for none.
pub(super) const fn plain(
    name: &'static str,
    variable: &'static str,
    default: &'static str,
    kind: Plain,
) -> OptionSpec {
    OptionSpec { default, ..row(name, variable, Kind::Plain(kind)) }
}

/// A row of an option whose values are not shown.
pub(super) const fn hidden(name: &'static str, variable: &'static str, kind: Hidden) -> OptionSpec {
    row(name, variable, Kind::Hidden(kind))
}

/// Parts that only some rows have.
impl OptionSpec {
    pub(super) const fn doc(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    /// What holds where the option is not set, in Markdown: for those without a default.
    pub(super) const fn unset(self, unset: &'static str) -> Self {
        Self { unset, ..self }
    }

    /// What an empty value means, if it is one.
    pub(super) const fn empty(self, meaning: &'static str) -> Self {
        Self { empty: Some(meaning), ..self }
    }

    /// The valid values, where those of the kind are not all.
    pub(super) const fn must_be(self, must_be: &'static str) -> Self {
        Self { must_be: Some(must_be), ..self }
    }

    pub(super) const fn explain(self, explain: Explain) -> Self {
        Self { explain: Some(explain), ..self }
    }

    /// The default of an option that has one, where [`plain`] does not set it.
    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    pub(super) const fn script(self, name: &'static str) -> Self {
        Self { script: Some(name), ..self }
    }

    /// A second spelling of its variable.
    pub(super) const fn or_variable(self, variable: &'static str) -> Self {
        Self { other_variable: Some(variable), ..self }
    }

    pub(super) const fn role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// The README has it.
    pub(super) const fn usual(self) -> Self {
        Self { is_usual: true, ..self }
    }
}
