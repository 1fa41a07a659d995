//! The tables of `docs/zoo/`: every network stands in one of them, with its parameters and multiply-accumulates.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use zoo::models;

/// Cells of a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inside = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inside.split('|').map(str::trim).collect())
}

/// A number with spaces between its thousands.
fn number(cell: &str) -> Option<u64> {
    cell.replace(' ', "").parse().ok()
}

/// Parameters and multiply-accumulates of the networks in the tables of a page.
fn listed(page: &str) -> Vec<(String, u64, u64)> {
    let mut columns = None;
    let mut found = Vec::new();
    for line in page.lines() {
        let Some(cells) = cells(line) else {
            columns = None;
            continue;
        };
        let place = |heading: &str| cells.iter().position(|cell| *cell == heading);
        if let (Some(parameters), Some(macs)) = (place("parameters"), place("MACs")) {
            columns = Some((parameters, macs));
        } else if let Some((parameters, macs)) = columns
            && cells[0].starts_with('`')
        {
            let name = cells[0].trim_matches('`').to_owned();
            let numbers = (number(cells[parameters]), number(cells[macs]));
            let (Some(parameters), Some(macs)) = numbers else {
                panic!("{line}");
            };
            found.push((name, parameters, macs));
        }
    }
    found
}

#[test]
fn every_network_stands_in_a_table_with_its_cost() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/zoo");
    let mut rows = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let page = fs::read_to_string(entry.unwrap().path()).unwrap();
        for (name, parameters, macs) in listed(&page) {
            let twice = rows.insert(name.clone(), (parameters, macs)).is_some();
            assert!(!twice, "{name} stands in two rows");
        }
    }
    for model in models() {
        let network = zoo::build(model.name, &model.options()).unwrap();
        let cost = graph::summary(&network);
        let row = rows.remove(model.name);
        assert_eq!(row, Some((cost.parameters, cost.macs)), "{}", model.name);
    }
    assert!(rows.is_empty(), "no such networks: {rows:?}");
}
