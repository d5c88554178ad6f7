//! The command that sends a file, for a shell.

use crate::secret::MASK;

/// Returns the command that sends the file to `url`, where `program` is how the user calls the commands. Without a URL, and with one
/// that has secrets, which are masked, the URL must come from the environment again.
pub fn send_command(program: &str, url: Option<&str>, path: &str) -> String {
    match url.filter(|url| !url.contains(MASK)) {
        Some(url) => format!("{program} send --url {} {}", quoted(url), quoted(path)),
        None => format!("{program} send {}", quoted(path)),
    }
}

/// Returns `text` quoted for a POSIX shell, if it needs quotes.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
    if text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_has_the_url_unless_it_is_masked() {
        let command = |url| send_command("k6 x remote-write", url, "/a b.unsent");
        assert_eq!(command(Some("http://host/w")), "k6 x remote-write send --url http://host/w '/a b.unsent'");
        for url in [None, Some("http://host/w?key=***")] {
            assert_eq!(command(url), "k6 x remote-write send '/a b.unsent'");
        }
    }

    #[test]
    fn special_characters_are_quoted_for_the_shell() {
        for (text, expected) in [("/a/b-1.unsent", "/a/b-1.unsent"), ("/a b/c", "'/a b/c'"), ("/it's", r"'/it'\''s'")] {
            assert_eq!(quoted(text), expected);
        }
    }
}
