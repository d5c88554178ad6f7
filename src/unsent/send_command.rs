//! The command that sends a file, for a shell.

use crate::secret::MASK;

/// Returns the command that sends the file to `url`, where `program` is how the user calls the commands. Without a URL, and with one
/// that has secrets, which are masked, the URL must come from the environment again.
pub fn send_command(program: &str, url: Option<&str>, path: &str) -> String {
    let path = quoted(path, cfg!(windows));
    match url.filter(|url| !url.contains(MASK)) {
        Some(url) => format!("{program} send --url {} {path}", quoted(url, cfg!(windows))),
        None => format!("{program} send {path}"),
    }
}

/// Returns a path or a URL quoted, if it needs quotes: for a POSIX shell, or for the shells of Windows, where neither contains `"`.
fn quoted(text: &str, windows: bool) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c) || windows && c == '\\';
    match (text.chars().all(plain), windows) {
        (true, _) => text.into(),
        (false, true) => format!("\"{text}\""),
        (false, false) => format!("'{}'", text.replace('\'', r"'\''")),
    }
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
            assert_eq!(quoted(text, false), expected);
        }
        for (text, expected) in [(r"C:\a\b-1.unsent", r"C:\a\b-1.unsent"), (r"C:\a b\it's", r#""C:\a b\it's""#)] {
            assert_eq!(quoted(text, true), expected);
        }
    }
}
