//! Names as users write them: their two spellings, and the name that a wrong one may be meant to be.

use crate::config::error::NO_SIMILAR;

/// The length of a name beyond which no similar one is looked for: the time and memory of that grow with both lengths.
const MAX_WRITTEN_BYTES: usize = 100;

/// The most names of which an advice lists all.
const MAX_LISTED: usize = 10;

/// The most names that share words with a wrong one.
const MAX_SIMILAR: usize = 3;

/// Minimum length of a word by which names are compared.
const MIN_WORD_BYTES: usize = 3;

/// Reports whether `written` is `name`, or its snake_case spelling.
pub fn is_spelling_of(written: &str, name: &str) -> bool {
    written == name || written.chars().eq(snake_case(name))
}

/// `remoteWriteURL` → `remote_write_url`: a word begins at a capital, but a row of capitals is one word. Names are ASCII.
fn snake_case(name: &str) -> impl Iterator<Item = char> {
    let bytes = name.as_bytes();
    bytes.iter().enumerate().flat_map(move |(index, byte)| {
        let before = index.checked_sub(1).map(|before| bytes[before]);
        let ends_a_word = before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit());
        let ends_a_row = before.is_some_and(|before| before.is_ascii_uppercase())
            && bytes.get(index + 1).is_some_and(u8::is_ascii_lowercase);
        let begins = byte.is_ascii_uppercase() && (ends_a_word || ends_a_row);
        begins.then_some('_').into_iter().chain([char::from(byte.to_ascii_lowercase())])
    })
}

/// Returns the advice about a name that is not one of `names`: those that are similar, or all of a few.
pub fn advice(written: &str, names: &[&str]) -> String {
    match &*similar(written, names) {
        [] if names.len() <= MAX_LISTED => format!("must be one of {}", names.join(", ")),
        meant => did_you_mean(meant),
    }
}

/// Returns the advice that names what was meant, the likeliest first.
pub fn did_you_mean(meant: &[impl AsRef<str>]) -> String {
    let meant: Vec<_> = meant.iter().map(AsRef::as_ref).collect();
    match &meant[..] {
        [] => NO_SIMILAR.into(),
        [only] => format!("did you mean {only}?"),
        [others @ .., last] => format!("did you mean {} or {last}?", others.join(", ")),
    }
}

/// Returns the names that a wrong one may be meant to be: the nearest one, or those that share the most with it.
pub fn similar<'a>(written: &str, names: &[&'a str]) -> Vec<&'a str> {
    match nearest(written, names) {
        Some(name) => vec![name],
        None => sharing_words(written, names),
    }
}

/// Returns the name nearest to what was written: up to a third of its letters may differ. Without one, the shortest name that
/// contains what was written. `None` for a very long text.
pub fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    if written.len() > MAX_WRITTEN_BYTES {
        return None;
    }
    let written = letters(written);
    names
        .iter()
        .map(|&name| (strsim::damerau_levenshtein(&written, &letters(name)), name))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, name)| distance * 3 <= letters(name).chars().count())
        .map(|(_, name)| name)
        .or_else(|| {
            let longer = names
                .iter()
                .copied()
                .filter(|name| written.len() >= MIN_WORD_BYTES && letters(name).contains(&written));
            longer.min_by_key(|name| name.len())
        })
}

/// A name without what its spellings differ in: `remoteWriteURL`, `REMOTE_WRITE_URL` → `remotewriteurl`.
pub fn letters(name: &str) -> String {
    name.to_lowercase().replace(['_', '-', '.'], "")
}

/// Returns the names that have the most letters in words of what was written. One that consists of these words alone comes first.
fn sharing_words<'a>(written: &str, names: &[&'a str]) -> Vec<&'a str> {
    if written.len() > MAX_WRITTEN_BYTES || !written.is_ascii() {
        return Vec::new();
    }
    let written = words(written);
    let shared = |name: &str| {
        let words = words(name);
        let (known, others): (Vec<_>, Vec<_>) = words.iter().partition(|word| written.contains(word));
        (known.iter().map(|word| word.len()).sum::<usize>(), others.len())
    };
    let most = names.iter().map(|name| shared(name).0).max().filter(|most| *most > 0);
    let mut sharing: Vec<_> = names.iter().copied().filter(|name| Some(shared(name).0) == most).collect();
    sharing.sort_by_key(|name| shared(name).1);
    sharing.truncate(MAX_SIMILAR);
    sharing
}

/// The words of a name that are long enough to mean something, in the singular.
fn words(name: &str) -> Vec<String> {
    let snake =
        if name.chars().any(|c| c.is_ascii_lowercase()) { snake_case(name).collect() } else { name.to_lowercase() };
    let words = snake.split(['_', '-', '.', ' ']).filter(|word| word.len() >= MIN_WORD_BYTES);
    words.map(|word| word.strip_suffix('s').unwrap_or(word).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_snake_case_spelling() {
        for (name, snake) in [
            ("remoteWriteURL", "remote_write_url"),
            ("resampleRate", "resample_rate"),
            ("insecureSkipTLSVerify", "insecure_skip_tls_verify"),
            ("sigV4AccessKey", "sig_v4_access_key"),
            ("url", "url"),
        ] {
            assert_eq!(snake_case(name).collect::<String>(), snake);
            assert!(is_spelling_of(snake, name) && is_spelling_of(name, name));
        }
        assert!(!is_spelling_of("remotewriteurl", "remoteWriteURL"));
    }

    const NAMES: [&str; 6] = ["url", "resampleRate", "timeout", "bearerTokenFile", "bearerToken", "maxBytesPerSend"];

    #[test]
    fn the_nearest_name_is_found_unless_it_is_far() {
        for (written, expected) in [
            ("ulr", Some("url")),
            ("resamplerate", Some("resampleRate")),
            ("resample-rate", Some("resampleRate")),
            ("timeuot", Some("timeout")),
            ("token", Some("bearerToken")),
            ("ea", None),
            ("password", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &NAMES), expected, "{written}");
        }
    }

    #[test]
    fn without_a_near_name_those_that_share_words_are_meant() {
        for (written, expected) in [
            ("BYTE_LIMIT", &["maxBytesPerSend"][..]),
            ("secretTokenOfMine", &["bearerToken", "bearerTokenFile"]),
            ("REMOTE_URL", &["url"]),
            ("a_b_c", &[]),
            ("x", &[]),
        ] {
            assert_eq!(similar(written, &NAMES), expected, "{written}");
        }
        assert_eq!(advice("secretTokenOfMine", &NAMES), "did you mean bearerToken or bearerTokenFile?");
        assert!(advice("x", &NAMES).starts_with("must be one of url, "));
        assert_eq!(advice("x", &NAMES.repeat(2)), "the documentation lists all options");
    }

    #[test]
    fn the_search_is_bounded_for_a_huge_name() {
        let huge = "url_".repeat(3 << 20);
        assert_eq!(similar(&huge, &NAMES), [""; 0]);
    }
}
