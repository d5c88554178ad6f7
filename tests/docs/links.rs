//! Targets of links exist, and the index links every page.

use std::collections::BTreeSet;
use std::path::Path;

use crate::page::{files, pages, read, root};

#[test]
fn targets_of_links_exist() {
    let pages = pages();
    for page in &pages {
        for link in page.links() {
            if let Some((scheme, _)) = link.split_once(':') {
                assert_eq!(scheme, "https", "{}: {link}", page.path);
                continue;
            }
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = if target.is_empty() { page.path.clone().into() } else { page.resolve(target) };
            assert!(root().join(&path).exists(), "{}: target of {link} does not exist", page.path);
            if !anchor.is_empty() {
                let other = pages.iter().find(|other| path == *other.path);
                let anchors = other.unwrap_or_else(|| panic!("{}: {link} is not a page", page.path)).anchors();
                assert!(
                    anchors.iter().any(|known| known == anchor),
                    "{}: anchor of {link} is not one of {anchors:?}",
                    page.path
                );
            }
        }
    }
}

#[test]
fn the_index_has_every_page() {
    let pages = pages();
    let index = pages.iter().find(|page| page.path == "docs/README.md").expect("an index");
    let linked: BTreeSet<_> = index.links().iter().map(|link| format!("docs/{link}")).collect();
    for page in pages.iter().filter(|page| page.path.starts_with("docs/") && page.path != index.path) {
        assert!(linked.contains(&page.path), "{} is not in docs/README.md", page.path);
    }
}

#[test]
fn the_index_has_every_example() {
    let index = read("docs/README.md");
    for example in ["js", "c"].iter().flat_map(|extension| files("examples", extension)) {
        assert!(index.contains(&format!("(../{example})")), "{example} is not in docs/README.md");
    }
}

#[test]
fn every_picture_is_shown() {
    let shown: BTreeSet<_> =
        pages().iter().flat_map(|page| page.links().into_iter().map(|link| page.resolve(&link))).collect();
    for picture in files("docs/images", "png") {
        assert!(shown.contains(Path::new(&picture)), "{picture} is not on a page");
    }
}
