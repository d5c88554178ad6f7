//! The repository's Markdown, and what can be found in it.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub struct Page {
    /// From the repository's root.
    pub path: String,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    pub language: String,
    pub text: String,
}

/// Folders that are made, not written.
const MADE: [&str; 4] = ["target", "build", "dist", ".git"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the repository with this extension, by its path.
pub fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && !MADE.contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == extension) {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("in the repository").to_string_lossy().into_owned()
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn pages() -> Vec<Page> {
    files("", "md").into_iter().map(|path| Page { text: read(&path), path }).collect()
}

impl Page {
    /// The fenced blocks of a language.
    pub fn blocks(&self, language: &str) -> impl Iterator<Item = Block> {
        self.parts().1.into_iter().filter(move |block| block.language == language)
    }

    /// All that stands in backticks outside of blocks.
    pub fn code_spans(&self) -> Vec<String> {
        code_spans(&self.parts().0)
    }

    /// Where links and images lead: another page, a file, an anchor or a URL.
    pub fn links(&self) -> Vec<String> {
        let (prose, _) = self.parts();
        let mut prose = prose;
        for span in self.code_spans() {
            prose = prose.replace(&format!("`{span}`"), "");
        }
        let ends = |text: &str, end: char| text.split_once(end).map(|(target, _)| target.to_string());
        let inline = prose.split("](").skip(1).filter_map(|rest| ends(rest, ')'));
        let images = prose.split(" src=\"").skip(1).filter_map(|rest| ends(rest, '"'));
        inline.chain(images).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let (prose, _) = self.parts();
        let mut anchors: Vec<String> = Vec::new();
        for heading in prose.lines().filter(|line| line.starts_with('#')) {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            let anchor = heading.chars().filter(kept).collect::<String>().replace(' ', "-");
            let before = anchors.iter().filter(|known| **known == anchor).count();
            anchors.push(if before == 0 { anchor } else { format!("{anchor}-{before}") });
        }
        anchors
    }

    /// What a link of this page means: a path from the root, if it is none to elsewhere.
    pub fn resolve(&self, target: &str) -> PathBuf {
        let mut path = PathBuf::from(&self.path);
        path.pop();
        for part in target.split('/') {
            match part {
                "." | "" => {}
                ".." => assert!(path.pop(), "{}: {target} leaves the repository", self.path),
                part => path.push(part),
            }
        }
        path
    }

    /// The text without its blocks, and the blocks.
    fn parts(&self) -> (String, Vec<Block>) {
        let (mut prose, mut blocks) = (String::new(), Vec::new());
        let mut open: Option<Block> = None;
        for line in self.text.lines() {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(language), None) => open = Some(Block { language: language.into(), text: String::new() }),
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
                (None, None) => prose.push_str(&format!("{line}\n")),
            }
        }
        assert!(open.is_none(), "{}: a block does not end", self.path);
        (prose, blocks)
    }
}

/// All that stands in backticks.
pub fn code_spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let ticks = rest[start..].bytes().take_while(|&byte| byte == b'`').count();
        let body = &rest[start + ticks..];
        // As many ticks end it as begin it; a paragraph ends it too.
        let fence = "`".repeat(ticks);
        match body.find(&fence).filter(|&end| !body[..end].contains("\n\n")) {
            Some(end) => {
                spans.push(body[..end].trim().replace('\n', " "));
                rest = &body[end + ticks..];
            }
            None => rest = body,
        }
    }
    spans
}
