//! Text from outside, made safe for a log line: one line, no characters that could forge another, bounded length.

/// Returns `text` on one line, with each run of whitespace and unsafe characters replaced by a space.
pub(crate) fn one_line(text: &str) -> String {
    let safe: String = text.chars().map(|c| if is_unsafe_for_logs(c) { ' ' } else { c }).collect();
    safe.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reports whether `c` is a control character, or one that reverses text (UTR 36, "Bidirectional Text Spoofing"), or is not
/// visible (Unicode, "Default_Ignorable_Code_Point"), so that it could hide text.
fn is_unsafe_for_logs(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns the first `max_chars` characters of `text`, with an ellipsis if there are more.
pub(crate) fn truncate(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_breaks_and_no_invisible_characters() {
        assert_eq!(one_line("out of\r\norder\tsample\u{1b}[31m\n"), "out of order sample [31m");
        assert_eq!(one_line("a\u{202e}b\u{2028}c\u{200b}\u{85}"), "a b c");
        for hidden in ['\u{ad}', '\u{61c}', '\u{180e}', '\u{e0000}', '\u{e0041}', '\u{e007f}', '\u{fe0f}', '\u{3164}'] {
            assert_eq!(one_line(&format!("a{hidden}{hidden}b")), "a b", "{hidden:?}");
        }
        assert_eq!(one_line("größe 価格 😀"), "größe 価格 😀");
    }

    #[test]
    fn long_text_is_truncated_at_a_character() {
        assert_eq!(truncate("ä", 1), "ä");
        assert_eq!(truncate("äöü", 2), "äö…");
    }
}
