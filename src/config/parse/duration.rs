//! Durations as k6 writes them.

use std::time::Duration;

const NANOSECONDS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9)];

/// The maximum duration: some 31 years.
const MAX_NANOSECONDS: f64 = 1e18;

/// Reads `1.5s`, `1m30s`, `2d`: Go's durations, with days; a bare number is in milliseconds. `None` for what is not a duration, or
/// is negative.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(milliseconds) = text.parse::<f64>() {
        return from_nanoseconds(milliseconds * 1e6);
    }
    let mut rest = text;
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..number_len].parse().ok()?;
        rest = &rest[number_len..];
        let unit_len = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, unit) = NANOSECONDS.iter().find(|(unit, _)| *unit == &rest[..unit_len])?;
        nanoseconds += number * unit;
        rest = &rest[unit_len..];
    }
    (!text.is_empty()).then_some(())?;
    from_nanoseconds(nanoseconds)
}

fn from_nanoseconds(nanoseconds: f64) -> Option<Duration> {
    (0.0..=MAX_NANOSECONDS).contains(&nanoseconds).then(|| Duration::from_nanos(nanoseconds.round() as u64))
}

/// Writes a duration as users do: `3s`, `500ms`.
pub fn shown(duration: Duration) -> String {
    format!("{duration:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_k6() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("1.5s", 1_500),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("250ms", 250),
            (" 250 ", 250),
            ("2000us", 2),
            ("2000µs", 2),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in ["", " ", "s", "-5s", "5x", "5s5", "1..5s", "NaN", "inf", "1e300", "5 s", "99999999d"] {
            let parsed = parse(text);
            assert!(parsed.is_none(), "{text} is {parsed:?}");
        }
    }
}
