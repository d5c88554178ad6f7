//! Markdown pages of the repository: blocks, code spans, links and anchors.

use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A Markdown file.
pub struct Page {
    /// Path from the repository's root.
    pub path: String,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// The last heading before the block.
    pub heading: String,
    pub language: String,
    pub text: String,
}

/// Directories that are not searched.
const SKIPPED: [&str; 4] = ["target", "build", "dist", ".git"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the paths of all files in a directory with this extension.
pub fn files(directory: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![root().join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
                directories.push(path);
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
    files("", "md").iter().map(|path| page(path)).collect()
}

pub fn page(path: &str) -> Page {
    Page { path: path.into(), text: read(path) }
}

impl Page {
    /// Returns the fenced blocks of a language.
    pub fn blocks(&self, language: &str) -> impl Iterator<Item = Block> {
        self.headings_and_blocks().1.into_iter().filter(move |block| block.language == language)
    }

    /// Returns all code spans.
    pub fn code_spans(&self) -> Vec<String> {
        let code = |event| if let Event::Code(text) = event { Some(text.into_string()) } else { None };
        self.events().filter_map(code).collect()
    }

    /// Returns the targets of links and images: pages, files, anchors and URLs.
    pub fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for event in self.events() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(dest_url.into_string())
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let targets = html.split(" src=\"").skip(1).filter_map(|text| text.split_once('"'));
                    links.extend(targets.map(|(target, _)| target.to_string()));
                }
                _ => {}
            }
        }
        links
    }

    /// Returns the anchors of its headings, as GitHub generates them.
    pub fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for heading in self.headings_and_blocks().0 {
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            let anchor = heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
            let before = anchors.iter().filter(|known| **known == anchor).count();
            anchors.push(if before == 0 { anchor } else { format!("{anchor}-{before}") });
        }
        anchors
    }

    /// Resolves a relative link of this page to a path from the root.
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

    fn headings_and_blocks(&self) -> (Vec<String>, Vec<Block>) {
        let (mut headings, mut blocks) = (Vec::<String>::new(), Vec::new());
        let (mut in_heading, mut open) = (false, None::<Block>);
        for event in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => {
                    headings.push(String::new());
                    in_heading = true;
                }
                Event::End(TagEnd::Heading(_)) => in_heading = false,
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    let heading = headings.last().cloned().unwrap_or_default();
                    open = Some(Block { heading, language: language.into_string(), text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
                Event::Text(text) | Event::Code(text) => match (&mut open, headings.last_mut()) {
                    (Some(block), _) => block.text.push_str(&text),
                    (None, Some(heading)) if in_heading => heading.push_str(&text),
                    _ => {}
                },
                _ => {}
            }
        }
        (headings, blocks)
    }

    fn events(&self) -> Parser<'_> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES)
    }
}
