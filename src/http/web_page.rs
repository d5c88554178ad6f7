//! Text of web pages: what answers in a receiver's place, such as a login page or a proxy's error, usually does it in HTML.

/// Content types of web pages.
const TYPES: [&str; 2] = ["text/html", "application/xhtml+xml"];

/// Elements whose content is not visible.
const HIDDEN: [&str; 5] = ["script", "style", "title", "svg", "template"];

/// Elements that do not separate words.
const INLINE: [&str; 10] = ["a", "b", "code", "em", "i", "mark", "small", "span", "strong", "wbr"];

/// References to characters that are usual in text (HTML, "Named character references").
const CHARACTERS: [(&str, char); 6] =
    [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", '\u{a0}')];

/// Maximum length of a reference to a character.
const MAX_REFERENCE_BYTES: usize = 10;

/// Reports whether a `Content-Type` is that of a web page.
pub(super) fn is_type(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    TYPES.iter().any(|page| essence.eq_ignore_ascii_case(page))
}

/// Reports whether `text` is a web page. Frameworks set the type of a page for whatever they send, so the text has to agree.
pub(super) fn is_page(text: &str, has_type: bool) -> bool {
    let start: String = text.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html") || has_type && start.starts_with('<')
}

/// Returns the title of a page, or else its text.
pub(super) fn title_or_text(page: &str) -> String {
    title(page).unwrap_or_else(|| visible_text(page))
}

/// Returns the title and the text of a page.
pub(super) fn title_and_text(page: &str) -> String {
    let text = visible_text(page);
    match title(page) {
        Some(title) if text.is_empty() => title,
        Some(title) if !text.starts_with(&title) => format!("{title}: {text}"),
        _ => text,
    }
}

fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(fold(&characters(&page[start..end]))).filter(|title| !title.is_empty())
}

/// Returns what is between the tags.
fn visible_text(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let (mut text, mut offset) = (String::new(), 0);
    while let Some(tag) = lower[offset..].find('<').map(|start| start + offset) {
        text.push_str(&page[offset..tag]);
        let is_comment = lower[tag..].starts_with("<!--");
        let name = lower[tag + 1..].trim_start_matches('/');
        // A browser shows a word in one even if some of it is bold, so a secret is found in it.
        if !is_comment && !INLINE.iter().any(|inline| is_name(name, inline)) {
            text.push(' ');
        }
        offset = if is_comment {
            after(&lower, tag, "-->")
        } else {
            let hidden = HIDDEN.iter().find(|hidden| is_name(&lower[tag + 1..], hidden));
            let close = hidden.map_or(tag, |hidden| before(&lower, tag, &format!("</{hidden}")));
            after(&lower, close, ">")
        };
    }
    text.push_str(&page[offset..]);
    fold(&characters(&text))
}

/// Reports whether `tag`, without its bracket, has this name.
fn is_name(tag: &str, name: &str) -> bool {
    let rest = tag.strip_prefix(name);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'))
}

/// Returns the offset before the next `end`, or that of the end of the text.
fn before(text: &str, offset: usize, end: &str) -> usize {
    text[offset..].find(end).map_or(text.len(), |found| offset + found)
}

/// Returns the offset after the next `end`, or that of the end of the text.
fn after(text: &str, offset: usize, end: &str) -> usize {
    text[offset..].find(end).map_or(text.len(), |found| offset + found + end.len())
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Resolves the references to characters.
fn characters(text: &str) -> String {
    let (mut resolved, mut rest) = (String::new(), text);
    while let Some(start) = rest.find('&') {
        resolved.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.bytes().take(MAX_REFERENCE_BYTES).position(|byte| byte == b';');
        let found = end.and_then(|end| Some((character(&rest[1..end])?, end + 1)));
        let (character, len) = found.unwrap_or(('&', 1));
        resolved.push(character);
        rest = &rest[len..];
    }
    resolved + rest
}

fn character(reference: &str) -> Option<char> {
    let Some(number) = reference.strip_prefix('#') else {
        return CHARACTERS.iter().find(|(name, _)| *name == reference).map(|&(_, character)| character);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    };
    code.ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_found_by_its_type_or_by_its_start() {
        for content_type in ["text/html", "TEXT/HTML ; charset=utf-8", "application/xhtml+xml"] {
            assert!(is_type(content_type), "{content_type}");
        }
        for content_type in ["", "text/plain", "text/htmlx", "application/xml", "application/json"] {
            assert!(!is_type(content_type), "{content_type}");
        }
        assert!(is_page("\r\n<!DOCTYPE HTML PUBLIC", false));
        assert!(is_page("<html lang=en>", false));
        assert!(!is_page("<?xml version=\"1.0\"?>", false));
        assert!(is_page("<?xml version=\"1.0\"?>", true));
        assert!(!is_page("", true));
        assert!(!is_page("OK", true));
    }

    #[test]
    fn the_title_stands_for_the_page() {
        assert_eq!(
            title_or_text("<html><TITLE lang=en>Log in &#8211;\n&lt;Grafana&gt;</TITLE><p>x"),
            "Log in – <Grafana>"
        );
        assert_eq!(title_or_text("<html><title></title><body>Please <b>wait</b></body>"), "Please wait");
        assert_eq!(title_or_text("<html><title>never ends"), "");
    }

    #[test]
    fn the_text_of_a_page_has_no_tags_scripts_and_comments() {
        let page = "<head><style>p {}</style><title>Oops</title></head><!-- <p> -->\
                    <p>to<B class=x>o</B>&nbsp;la<!-- -->rge &unknown; & more</p><script>if (1 < 2) alert()</script><br/>bye";
        assert_eq!(title_and_text(page), "Oops: too large &unknown; & more bye");
        assert_eq!(title_and_text("<title>502 Bad</title><h1>502 Bad</h1>nginx"), "502 Bad nginx");
        assert_eq!(title_and_text("<title>502 Bad</title>"), "502 Bad");
        assert_eq!(title_and_text("<p>cut in a <ta"), "cut in a");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(<|>|&|;|#|x|1|title|script|!--|--|/|ä|\u{130}|[a-z]| )*") {
            title_and_text(&text);
            title_or_text(&text);
            is_page(&text, true);
        }
    }
}
