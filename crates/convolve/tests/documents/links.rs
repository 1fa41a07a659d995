//! Links and pictures lead somewhere.

use std::path::Path;

use crate::pages::{Page, all, root};

/// Where the links and pictures of a page lead, but those into the world.
fn targets(page: &Page) -> Vec<String> {
    let mut found = Vec::new();
    for line in page.prose() {
        let markdown = line.split("](").skip(1);
        let markdown = markdown.map(|after| after.split([')', ' ']).next().unwrap());
        let html = line.split(" src=\"").skip(1);
        let html = html.map(|after| after.split('"').next().unwrap());
        for target in markdown.chain(html) {
            if !target.contains("://") {
                found.push(target.to_owned());
            }
        }
    }
    found
}

/// A heading as the fragment of an address that leads to it.
fn fragment(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        _ => character.is_alphanumeric().then_some(character),
    });
    kept.collect()
}

#[test]
fn links_and_pictures_are_there() {
    let mut pictures = 0;
    for page in all() {
        let place = root().join(&page.path);
        for target in targets(&page) {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = match path {
                "" => place.clone(),
                _ => place.parent().unwrap().join(path),
            };
            let Ok(file) = file.canonicalize() else {
                panic!("{}: no {target}", page.path);
            };
            // A book knows nothing of what lies around it.
            if page.path.starts_with("docs/") {
                let inside = file.starts_with(root().join("docs"));
                assert!(inside, "{}: {target} is no page of the book", page.path);
            }
            if !anchor.is_empty() {
                let headed = Page::read(&file);
                let mut headings = headed.prose().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|heading| fragment(heading) == anchor),
                    "{}: no {target}",
                    page.path
                );
            }
            pictures += usize::from(Path::new(path).extension().is_some_and(|end| end == "svg"));
        }
    }
    assert!(pictures > 32, "{pictures}");
}
