//! The book is whole: pages, figures, examples.

use std::collections::BTreeSet;
use std::fs;

use crate::pages::{Page, all, of_the_book, root};

#[test]
fn every_page_stands_in_the_summary_once() {
    let summary = Page::read(&root().join("docs/SUMMARY.md"));
    let mut listed: Vec<&str> = summary
        .text
        .split("](")
        .skip(1)
        .map(|after| after.split(')').next().unwrap())
        .collect();
    listed.sort_unstable();
    let pages = of_the_book();
    let pages: Vec<&str> = pages
        .iter()
        .map(|page| page.path.strip_prefix("docs/").unwrap())
        .filter(|&path| path != "SUMMARY.md")
        .collect();
    assert_eq!(listed, pages);
}

#[test]
fn every_figure_stands_in_a_chapter() {
    let pages = of_the_book();
    let chapters: Vec<&Page> = pages
        .iter()
        .filter(|page| page.path != "docs/figures.md")
        .collect();
    for figure in fs::read_dir(root().join("docs/figures")).unwrap() {
        let name = figure.unwrap().file_name().into_string().unwrap();
        let shown = format!("figures/{name})");
        let somewhere = chapters.iter().any(|page| page.text.contains(&shown));
        assert!(somewhere, "no chapter shows {name}");
    }
}

#[test]
fn every_example_is_compiled() {
    let list = Page::read(&root().join("crates/convolve/src/book.rs"));
    let listed: BTreeSet<&str> = list
        .text
        .split('"')
        .filter(|path| path.ends_with(".md"))
        .collect();
    for page in all() {
        if !page.blocks("rust").is_empty() {
            let path = page.path.as_str();
            assert!(listed.contains(path), "{path} is not in src/book.rs");
        }
    }
    for path in listed {
        let page = Page::read(&root().join(path));
        assert!(!page.blocks("rust").is_empty(), "{path} has no example");
        // What has no language is an example to rustdoc.
        assert!(page.blocks("").is_empty(), "{path}: a block of no language");
    }
}

/// Lines of code without comments in a reader's language.
fn without_comments(blocks: Vec<Vec<&str>>) -> Vec<Vec<String>> {
    let bare = |line: &str| line.split("  #").next().unwrap().trim_end().to_owned();
    let block = |lines: Vec<&str>| lines.into_iter().map(bare).collect();
    blocks.into_iter().map(block).collect()
}

#[test]
fn both_readmes_show_the_same() {
    let [english, chinese] =
        ["README.md", "README.zh-CN.md"].map(|name| Page::read(&root().join(name)));
    for language in ["sh", "text", "rust"] {
        let [here, there] =
            [&english, &chinese].map(|page| without_comments(page.blocks(language)));
        assert_eq!(here, there, "{language}");
    }
    let sections = |page: &Page| page.prose().filter(|line| line.starts_with("## ")).count();
    assert_eq!(sections(&english), sections(&chinese));
}

#[test]
fn every_chapter_has_a_command_and_a_call() {
    for page in of_the_book() {
        let chapter = ["basics", "seeing", "kinds", "blocks"];
        let folder = page.path.split('/').nth(1).unwrap();
        if chapter.contains(&folder) {
            let commands = page.blocks("sh").concat();
            let command = commands.iter().any(|line| line.starts_with("convolve "));
            assert!(command, "{}: no command", page.path);
            assert!(!page.blocks("rust").is_empty(), "{}: no call", page.path);
        }
    }
}
