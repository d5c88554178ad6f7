//! Which k6 series are meant: a Prometheus selector, such as `http_req_duration{status=~"[23].."}`.
//!
//! Comes from the configuration, and is asked once for each k6 series by [`crate::series::view`]. As in PromQL, regular expressions are
//! anchored, a tag that a series does not have is empty, and `__name__` is the metric's name.

use std::fmt;

use regex::Regex;
use thiserror::Error;

/// What the metric's name is called among the matchers.
const NAME: &str = "__name__";

/// Matches k6 series by metric and tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    metric: Option<String>,
    matchers: Vec<Matcher>,
}

/// One condition on one tag.
#[derive(Debug, Clone)]
struct Matcher {
    tag: String,
    operator: Operator,
    value: String,
    /// Of `value`, for the operators that need it.
    regex: Option<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Like,
    Unlike,
}

/// Longer ones first, so that `=~` is not read as `=`.
const OPERATORS: [(&str, Operator); 4] =
    [("=~", Operator::Like), ("!~", Operator::Unlike), ("!=", Operator::NotEqual), ("=", Operator::Equal)];

/// Why a text is no selector.
#[derive(Debug, Error, PartialEq)]
pub enum SelectorError {
    /// Something else was expected.
    #[error("{wanted} is missing at character {position}")]
    Missing {
        /// What should be there.
        wanted: &'static str,
        /// Counted from 1.
        position: usize,
    },
    /// After `=~` or `!~`.
    #[error("{value:?} is no regular expression: {reason}")]
    Regex {
        /// As it was written.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody means every series there is, and Prometheus refuses it too.
    #[error("it selects everything: a metric's name, or a matcher that does not match the empty value, is missing")]
    Everything,
}

impl Selector {
    /// Matches every series.
    pub fn everything() -> Self {
        Self { metric: None, matchers: Vec::new() }
    }

    /// Matches every series of one metric.
    pub fn metric(name: &str) -> Self {
        Self { metric: Some(name.into()), matchers: Vec::new() }
    }

    /// Reads PromQL's selector of an instant vector, without `offset` and `@`.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut input = Input { text, at: 0 };
        let metric = input.word(|c| c == ':').map(String::from);
        let mut matchers = Vec::new();
        if metric.is_none() || !input.rest().is_empty() {
            input.expect("{", "{")?;
            while !input.take("}") {
                matchers.push(input.matcher()?);
                if !input.take(",") {
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

    /// Whether a series of `metric` with these tags is meant.
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
}

impl Matcher {
    fn new(tag: String, operator: Operator, value: String) -> Result<Self, SelectorError> {
        let regex = match operator {
            Operator::Equal | Operator::NotEqual => None,
            // As Prometheus has it: anchored, and a dot matches a line break.
            Operator::Like | Operator::Unlike => match Regex::new(&format!("^(?s:{value})$")) {
                Ok(regex) => Some(regex),
                Err(error) => {
                    // The last line says what is wrong; those before it draw where.
                    let reason = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
                    return Err(SelectorError::Regex { value, reason });
                }
            },
        };
        Ok(Self { tag, operator, value, regex })
    }

    fn accepts(&self, value: &str) -> bool {
        let same = self.regex.as_ref().map_or(self.value == value, |regex| regex.is_match(value));
        same == matches!(self.operator, Operator::Equal | Operator::Like)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.tag, self.operator, &self.value) == (&other.tag, other.operator, &other.value)
    }
}

impl fmt::Display for Selector {
    /// In PromQL, so that parsing it gives the same selector.
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

/// A tag's name, quoted if it is no word.
struct Tag<'a>(&'a str);

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = Input { text: self.0, at: 0 }.word(|_| false) == Some(self.0);
        if is_word { f.write_str(self.0) } else { Quoted(self.0).fmt(f) }
    }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match ESCAPES.iter().find(|&&(_, meant)| meant == c && c != '\'' && c != '`') {
                Some((letter, _)) => write!(f, "\\{letter}")?,
                None => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

/// What follows a backslash, and what it means.
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

/// A text that is read from left to right.
struct Input<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Input<'a> {
    /// What has not been read, from the next character on that is no space.
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let rest = rest.trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    fn take(&mut self, what: &str) -> bool {
        let there = self.rest().starts_with(what);
        self.at += if there { what.len() } else { 0 };
        there
    }

    fn expect(&mut self, what: &str, wanted: &'static str) -> Result<(), SelectorError> {
        if self.take(what) { Ok(()) } else { Err(self.missing(wanted)) }
    }

    fn missing(&self, wanted: &'static str) -> SelectorError {
        SelectorError::Missing { wanted, position: self.text[..self.at].chars().count() + 1 }
    }

    /// Letters, digits, `_` and what `more` allows; no digit first.
    fn word(&mut self, more: fn(char) -> bool) -> Option<&'a str> {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || more(c))).unwrap_or(rest.len());
        let word = &rest[..len];
        if word.starts_with(|c: char| c.is_ascii_digit()) || word.is_empty() {
            return None;
        }
        self.at += len;
        Some(word)
    }

    fn matcher(&mut self) -> Result<Matcher, SelectorError> {
        let tag = match self.word(|_| false) {
            Some(word) => word.into(),
            None if self.rest().starts_with(['"', '\'', '`']) => self.quoted()?,
            None => return Err(self.missing("a tag's name")),
        };
        let found = OPERATORS.iter().find(|(text, _)| self.take(text));
        let (_, operator) = found.ok_or_else(|| self.missing("one of = != =~ !~"))?;
        let value = self.quoted()?;
        Matcher::new(tag, *operator, value)
    }

    /// A text in double, single or back quotes; in the last no backslash means anything.
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
            let Some((_, meant)) = ESCAPES.iter().find(|&&(known, _)| Some(known) == letter) else {
                return Err(self.missing("an escape that is known, such as \\\\ for a backslash,"));
            };
            self.at += letter.map_or(0, char::len_utf8);
            text.push(*meant);
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
    fn a_name_is_for_the_whole_metric() {
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
            // Anchored at both ends, alternatives too.
            (r#"m{status=~"[23].."}"#, &[("status", "3020")], false),
            (r#"m{status=~"200|30."}"#, &[("status", "2001")], false),
            (r#"m{status!~"[23].."}"#, &[("status", "404")], true),
            (r#"m{status!~"[23].."}"#, &[("status", "200")], false),
            (r#"m{text=~"a.b"}"#, &[("text", "a\nb")], true),
            // A tag that is not there is empty.
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
    fn a_selector_without_a_name_matches_by_it() {
        assert!(matches(r#"{__name__=~"http_req_.+"}"#, "http_req_duration", &[]));
        assert!(!matches(r#"{__name__=~"http_req_.+"}"#, "http_reqs", &[]));
        assert!(matches(r#"{scenario="a"}"#, "vus", &[("scenario", "a")]));
    }

    #[test]
    fn what_is_no_selector_is_told_with_its_place() {
        for (text, words) in [
            ("", "{ is missing at character 1"),
            ("1m", "{ is missing at character 1"),
            ("m{", "a tag's name is missing at character 3"),
            ("m{a", "one of = != =~ !~ is missing at character 4"),
            ("m{a=1}", "a text in quotes is missing at character 5"),
            (r#"m{a="1"#, "the closing quote is missing at character 7"),
            (r#"m{a="1" b="2"}"#, ", or } is missing at character 9"),
            (r#"m{a="1"}[5m]"#, "the end is missing at character 9"),
            (r#"m{ä="1"}"#, "a tag's name is missing at character 3"),
            (r#"m{a="\d"}"#, r"an escape that is known, such as \\ for a backslash, is missing at character 7"),
            (r#"m{a=~"("}"#, r#""(" is no regular expression: unclosed group"#),
            (
                "{}",
                "it selects everything: a metric's name, or a matcher that does not match the empty value, is missing",
            ),
            (
                r#"{a=~".*"}"#,
                "it selects everything: a metric's name, or a matcher that does not match the empty value, is missing",
            ),
        ] {
            assert_eq!(Selector::parse(text).expect_err(text).to_string(), words, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = Selector::parse(&text);
        }

        #[test]
        fn what_is_printed_reads_back_as_the_same(
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
