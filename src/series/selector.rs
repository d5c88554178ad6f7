//! Selectors of k6 series in PromQL's syntax, such as `http_req_duration{status=~"[23].."}`.
//!
//! Selectors come from the configuration; [`crate::series::view`] applies them once to each k6 series. As in PromQL, regular
//! expressions are anchored, a missing tag has the empty value, and `__name__` is the name of the metric.

use std::fmt;

use regex::Regex;
use thiserror::Error;

/// The name of the matcher for the metric's name.
const NAME: &str = "__name__";

/// Matches k6 series by metric and tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    metric: Option<String>,
    matchers: Vec<Matcher>,
}

/// A condition on a tag.
#[derive(Debug, Clone)]
struct Matcher {
    tag: String,
    operator: Operator,
    value: String,
    /// The compiled `value`, for the operators that need it.
    regex: Option<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Matches,
    MatchesNot,
}

/// Longer operators first, so that `=~` is not parsed as `=`.
const OPERATORS: [(&str, Operator); 4] =
    [("=~", Operator::Matches), ("!~", Operator::MatchesNot), ("!=", Operator::NotEqual), ("=", Operator::Equal)];

/// An error in the syntax of a selector.
#[derive(Debug, Error, PartialEq)]
pub enum SelectorError {
    /// Another token was expected.
    #[error("{wanted} is missing at character {position}")]
    Missing {
        /// The expected token.
        wanted: &'static str,
        /// Position in characters, counted from 1.
        position: usize,
    },
    /// The value after `=~` or `!~` is not a regular expression.
    #[error("{value:?} is not a valid regular expression: {reason}")]
    Regex {
        /// The value.
        value: String,
        /// The error of the regex compiler.
        reason: String,
    },
    /// The selector matches every series. Prometheus rejects such selectors, too.
    #[error("it selects all series; name a metric or add a matcher that does not match the empty value")]
    Everything,
}

impl Selector {
    /// Creates a selector of all series.
    pub fn everything() -> Self {
        Self { metric: None, matchers: Vec::new() }
    }

    /// Creates a selector of all series of one metric.
    pub fn metric(name: &str) -> Self {
        Self { metric: Some(name.into()), matchers: Vec::new() }
    }

    /// Creates a selector of the series of one metric that has these labels.
    pub fn exact(name: &str, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        let matcher = |(tag, value)| Matcher { tag, operator: Operator::Equal, value, regex: None };
        Self { metric: Some(name.into()), matchers: labels.into_iter().map(matcher).collect() }
    }

    /// Parses an instant vector selector of PromQL, without `offset` and `@`.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut input = Input { text, at: 0 };
        let metric = input.identifier(|c| c == ':').map(String::from);
        let mut matchers = Vec::new();
        if metric.is_none() || !input.rest().is_empty() {
            input.expect("{", "{")?;
            while !input.accept("}") {
                matchers.push(input.matcher()?);
                if !input.accept(",") {
                    input.expect("}", ", or }")?;
                    break;
                }
            }
        }
        if !input.rest().is_empty() {
            return Err(input.missing("the end"));
        }
        if metric.is_none() && matchers.iter().all(|matcher| matcher.accepts("")) {
            return Err(SelectorError::Everything);
        }
        Ok(Self { metric, matchers })
    }

    /// The name of the metric, if it is written before the matchers.
    pub fn metric_name(&self) -> Option<&str> {
        self.metric.as_deref()
    }

    /// The names of the tags that it has matchers for.
    pub fn tag_names(&self) -> impl Iterator<Item = &str> {
        self.matchers.iter().map(|matcher| &*matcher.tag)
    }

    /// Returns true if the selector matches a series of `metric` with these tags.
    pub fn matches(&self, metric: &str, tags: &[(String, String)]) -> bool {
        let value = |name: &str| {
            if name == NAME {
                return metric;
            }
            tags.iter().find(|(tag, _)| tag == name).map_or("", |(_, value)| value)
        };
        self.metric.as_deref().is_none_or(|wanted| wanted == metric)
            && self.matchers.iter().all(|matcher| matcher.accepts(value(&matcher.tag)))
    }

    /// Returns true if the selector matches some series of `metric`.
    pub fn matches_metric(&self, metric: &str) -> bool {
        let mut of_name = self.matchers.iter().filter(|matcher| matcher.tag == NAME);
        self.metric.as_deref().is_none_or(|wanted| wanted == metric) && of_name.all(|matcher| matcher.accepts(metric))
    }
}

impl Matcher {
    fn new(tag: String, operator: Operator, value: String) -> Result<Self, SelectorError> {
        let regex = match operator {
            Operator::Equal | Operator::NotEqual => None,
            Operator::Matches | Operator::MatchesNot => match anchored(&value) {
                Ok(regex) => Some(regex),
                Err(error) => {
                    // The last line has the message; the lines before it show the position.
                    let reason = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
                    return Err(SelectorError::Regex { value, reason });
                }
            },
        };
        Ok(Self { tag, operator, value, regex })
    }

    fn accepts(&self, value: &str) -> bool {
        let same = self.regex.as_ref().map_or(self.value == value, |regex| regex.is_match(value));
        same == matches!(self.operator, Operator::Equal | Operator::Matches)
    }
}

/// Compiles an expression as Prometheus does: anchored, and a dot matches a line break.
fn anchored(expression: &str) -> Result<Regex, regex::Error> {
    // Alone first, since `x)|(y` is valid only within other parentheses, from which it would get out.
    Regex::new(expression)?;
    Regex::new(&format!("^(?s:{expression})$"))
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.tag, self.operator, &self.value) == (&other.tag, other.operator, &other.value)
    }
}

impl fmt::Display for Selector {
    /// Writes PromQL. Parsing it returns the same selector.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric.as_deref().unwrap_or_default())?;
        if self.matchers.is_empty() && self.metric.is_some() {
            return Ok(());
        }
        f.write_str("{")?;
        for (index, matcher) in self.matchers.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}{}{}", Tag(&matcher.tag), matcher.operator, Quoted(&matcher.value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = OPERATORS.iter().find(|(_, operator)| operator == self);
        f.write_str(known.map_or("", |(text, _)| text))
    }
}

/// The name of a tag, quoted if it is not an identifier.
struct Tag<'a>(&'a str);

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_identifier = Input { text: self.0, at: 0 }.identifier(|_| false) == Some(self.0);
        if is_identifier { f.write_str(self.0) } else { Quoted(self.0).fmt(f) }
    }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match ESCAPES.iter().find(|&&(_, character)| character == c && c != '\'' && c != '`') {
                Some((letter, _)) => write!(f, "\\{letter}")?,
                None => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

/// The characters that may follow a backslash, each with the character that it stands for.
const ESCAPES: [(char, char); 10] = [
    ('\\', '\\'),
    ('"', '"'),
    ('\'', '\''),
    ('n', '\n'),
    ('r', '\r'),
    ('t', '\t'),
    ('a', '\x07'),
    ('b', '\x08'),
    ('f', '\x0c'),
    ('v', '\x0b'),
];

/// The input of the parser.
struct Input<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Input<'a> {
    /// Skips spaces and returns the unread input.
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let rest = rest.trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &str, wanted: &'static str) -> Result<(), SelectorError> {
        if self.accept(token) { Ok(()) } else { Err(self.missing(wanted)) }
    }

    fn missing(&self, wanted: &'static str) -> SelectorError {
        SelectorError::Missing { wanted, position: self.text[..self.at].chars().count() + 1 }
    }

    /// Reads an identifier: letters, digits, `_` and characters that `extra` accepts, without a leading digit.
    fn identifier(&mut self, extra: fn(char) -> bool) -> Option<&'a str> {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || extra(c))).unwrap_or(rest.len());
        let identifier = &rest[..len];
        if identifier.starts_with(|c: char| c.is_ascii_digit()) || identifier.is_empty() {
            return None;
        }
        self.at += len;
        Some(identifier)
    }

    fn matcher(&mut self) -> Result<Matcher, SelectorError> {
        let tag = match self.identifier(|_| false) {
            Some(identifier) => identifier.into(),
            None if self.rest().starts_with(['"', '\'', '`']) => self.quoted()?,
            None => return Err(self.missing("a tag name")),
        };
        let found = OPERATORS.iter().find(|(text, _)| self.accept(text));
        let (_, operator) = found.ok_or_else(|| self.missing("one of = != =~ !~"))?;
        let value = self.quoted()?;
        Matcher::new(tag, *operator, value)
    }

    /// Reads a text in double quotes, single quotes or backticks. Backticks have no escapes.
    fn quoted(&mut self) -> Result<String, SelectorError> {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        let quote = quote.ok_or_else(|| self.missing("a text in quotes"))?;
        self.at += 1;
        let mut text = String::new();
        let mut chars = self.text[self.at..].chars();
        while let Some(c) = chars.next() {
            self.at += c.len_utf8();
            if c == quote {
                return Ok(text);
            }
            if c != '\\' || quote == '`' {
                text.push(c);
                continue;
            }
            let letter = chars.next();
            let Some((_, character)) = ESCAPES.iter().find(|&&(known, _)| Some(known) == letter) else {
                return Err(self.missing("a valid escape, such as \\\\ for a backslash,"));
            };
            self.at += letter.map_or(0, char::len_utf8);
            text.push(*character);
        }
        Err(self.missing("the closing quote"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(selector: &str, metric: &str, tags: &[(&str, &str)]) -> bool {
        let tags: Vec<_> = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        Selector::parse(selector).expect(selector).matches(metric, &tags)
    }

    #[test]
    fn a_name_matches_the_whole_name_of_the_metric() {
        assert!(matches("http_reqs", "http_reqs", &[("status", "200")]));
        assert!(!matches("http_reqs", "http_reqs_too", &[]));
        assert!(matches(" http_reqs { } ", "http_reqs", &[]));
    }

    #[test]
    fn all_four_operators_match_as_in_prometheus() {
        for (selector, tags, expected) in [
            (r#"m{status="200"}"#, &[("status", "200")][..], true),
            (r#"m{status="200"}"#, &[("status", "2000")], false),
            (r#"m{status!="200"}"#, &[("status", "404")], true),
            (r#"m{status!="200"}"#, &[], true),
            (r#"m{status=~"[23].."}"#, &[("status", "302")], true),
            // Anchored at both ends, also with alternatives.
            (r#"m{status=~"[23].."}"#, &[("status", "3020")], false),
            (r#"m{status=~"200|30."}"#, &[("status", "2001")], false),
            (r#"m{status!~"[23].."}"#, &[("status", "404")], true),
            (r#"m{status!~"[23].."}"#, &[("status", "200")], false),
            (r#"m{text=~"a.b"}"#, &[("text", "a\nb")], true),
            // A missing tag has the empty value.
            (r#"m{scenario=""}"#, &[], true),
            (r#"m{scenario=~".+"}"#, &[], false),
            (r#"m{a="1",b="2",}"#, &[("a", "1"), ("b", "2")], true),
            (r#"m{a="1",b="2"}"#, &[("a", "1")], false),
            (r#"m{"with-dash"='x'}"#, &[("with-dash", "x")], true),
            (r"m{path=`\d`}", &[("path", r"\d")], true),
            (r#"m{path="\"\n"}"#, &[("path", "\"\n")], true),
        ] {
            assert_eq!(matches(selector, "m", tags), expected, "{selector} {tags:?}");
        }
    }

    #[test]
    fn a_matcher_of_the_name_replaces_the_name() {
        assert!(matches(r#"{__name__=~"http_req_.+"}"#, "http_req_duration", &[]));
        assert!(!matches(r#"{__name__=~"http_req_.+"}"#, "http_reqs", &[]));
        assert!(matches(r#"{scenario="a"}"#, "vus", &[("scenario", "a")]));
    }

    #[test]
    fn a_syntax_error_has_its_position() {
        for (text, message) in [
            ("", "{ is missing at character 1"),
            ("1m", "{ is missing at character 1"),
            ("m{", "a tag name is missing at character 3"),
            ("m{a", "one of = != =~ !~ is missing at character 4"),
            ("m{a=1}", "a text in quotes is missing at character 5"),
            (r#"m{a="1"#, "the closing quote is missing at character 7"),
            (r#"m{a="1" b="2"}"#, ", or } is missing at character 9"),
            (r#"m{a="1"}[5m]"#, "the end is missing at character 9"),
            (r#"m{ä="1"}"#, "a tag name is missing at character 3"),
            (r#"m{a="\d"}"#, r"a valid escape, such as \\ for a backslash, is missing at character 7"),
            (r#"m{a=~"("}"#, r#""(" is not a valid regular expression: unclosed group"#),
            // Valid only within other parentheses.
            (r#"m{a=~"x)|(default"}"#, r#""x)|(default" is not a valid regular expression: unopened group"#),
            (r#"m{a!~"x)(?s:.*"}"#, r#""x)(?s:.*" is not a valid regular expression: unopened group"#),
            ("{}", "it selects all series; name a metric or add a matcher that does not match the empty value"),
            (
                r#"{a=~".*"}"#,
                "it selects all series; name a metric or add a matcher that does not match the empty value",
            ),
        ] {
            assert_eq!(Selector::parse(text).expect_err(text).to_string(), message, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,40}") {
            let _ = Selector::parse(&text);
        }

        #[test]
        fn parsing_a_printed_selector_returns_the_same_selector(
            metric in prop::option::of("[a-z_:][a-z0-9_:]{0,8}"),
            matchers in prop::collection::vec(("[a-z_-]{1,6}|.{1,4}", 0..4usize, "[a-z.*+\\\\\"'`\n\t]{0,8}|.{0,8}"), 1..4),
        ) {
            let matchers: Result<Vec<_>, _> = matchers
                .into_iter()
                .map(|(tag, operator, value)| Matcher::new(tag, OPERATORS[operator].1, value))
                .collect();
            prop_assume!(matchers.is_ok());
            let selector = Selector { metric, matchers: matchers.expect("assumed") };
            let printed = selector.to_string();
            match Selector::parse(&printed) {
                Ok(again) => prop_assert_eq!(again, selector, "{}", printed),
                Err(error) => prop_assert_eq!(error, SelectorError::Everything),
            }
        }
    }
}
