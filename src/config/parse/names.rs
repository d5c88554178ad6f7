//! Names as users write them: their two spellings, and the name that a wrong one may be meant to be.

/// Reports whether `written` is `name`, or its snake_case spelling.
pub fn is_spelling_of(written: &str, name: &str) -> bool {
    written == name || written == snake_case(name)
}

/// `remoteWriteURL` → `remote_write_url`: a word begins at a capital, but a row of capitals is one word.
fn snake_case(name: &str) -> String {
    let chars: Vec<_> = name.chars().collect();
    let mut snake = String::new();
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| chars[before]);
        let ends_a_word = before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit());
        let ends_a_row = before.is_some_and(|before| before.is_ascii_uppercase())
            && chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && (ends_a_word || ends_a_row) {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Returns the advice about a name that is not one of `names`: the nearest of them, or all. `prefix` begins all of them and what
/// was written, and so does not count for which one is near.
pub fn advice(prefix: &str, written: &str, names: &[&str]) -> String {
    match nearest(written, names) {
        Some(name) => format!("did you mean {prefix}{name}?"),
        None => format!("must be one of {prefix}{}", names.join(&format!(", {prefix}"))),
    }
}

/// Returns the name nearest to what was written: up to a third of its letters may differ. Without one, the shortest name that
/// contains what was written.
pub fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', '.'], "");
    let written = plain(written);
    names
        .iter()
        .map(|&name| (strsim::damerau_levenshtein(&written, &plain(name)), name))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, name)| distance * 3 <= plain(name).chars().count())
        .map(|(_, name)| name)
        .or_else(|| {
            let longer = names.iter().copied().filter(|name| written.len() >= 3 && plain(name).contains(&written));
            longer.min_by_key(|name| name.len())
        })
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
            assert_eq!(snake_case(name), snake);
            assert!(is_spelling_of(snake, name) && is_spelling_of(name, name));
        }
        assert!(!is_spelling_of("remotewriteurl", "remoteWriteURL"));
    }

    #[test]
    fn the_nearest_name_is_found_unless_it_is_far() {
        let names = ["url", "resampleRate", "timeout", "bearerTokenFile", "bearerToken"];
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
            assert_eq!(nearest(written, &names), expected, "{written}");
        }
    }
}
