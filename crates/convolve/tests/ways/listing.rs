//! Tests by name, read off their source text, so that a table of them cannot promise what is not there.

use std::collections::BTreeMap;

/// A file of tests: its module's path, and its text.
pub(crate) type Source = (&'static str, &'static str);

/// Every test of some files, `module::name`, and the text of its doc comment.
pub(crate) fn tests(sources: &[Source]) -> BTreeMap<String, String> {
    let mut tests = BTreeMap::new();
    for (module, text) in sources {
        let (mut doc, mut marked) = (String::new(), false);
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("///") {
                doc += comment;
                doc.push('\n');
            } else if line == "#[test]" {
                marked = true;
            } else if !line.starts_with("#[") {
                let name = line
                    .strip_prefix("fn ")
                    .and_then(|rest| rest.split('(').next());
                if let (true, Some(name)) = (marked, name) {
                    tests.insert(format!("{module}::{name}"), std::mem::take(&mut doc));
                }
                (doc, marked) = (String::new(), false);
            }
        }
    }
    tests
}
