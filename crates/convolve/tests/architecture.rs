//! The arrows of `ARCHITECTURE.md`, read off the manifests.

use std::collections::BTreeSet;
use std::path::Path;

/// Rooms and the rooms below them that they may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("geometry", &[]),
    ("tensor", &[]),
    ("testkit", &[]),
    ("figures", &["geometry", "tensor"]),
    ("formats", &["geometry", "graph", "tensor"]),
    ("kernels", &["geometry", "tensor"]),
    ("graph", &["geometry", "tensor"]),
    ("zoo", &["geometry", "graph", "tensor"]),
    ("runtime", &["geometry", "graph", "kernels", "tensor"]),
    ("explain", &["geometry", "graph", "runtime", "tensor"]),
    (
        "train",
        &[
            "formats", "geometry", "graph", "kernels", "runtime", "tensor", "zoo",
        ],
    ),
    (
        "program",
        &[
            "explain", "figures", "formats", "geometry", "graph", "kernels", "runtime", "tensor",
            "train", "zoo",
        ],
    ),
    (
        "convolve",
        &[
            "explain", "figures", "formats", "geometry", "graph", "kernels", "program", "runtime",
            "tensor", "train", "zoo",
        ],
    ),
];

fn crates() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Names under `[dependencies]` of a room's manifest.
fn dependencies(room: &str) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(crates().join(room).join("Cargo.toml")).unwrap();
    let (_, section) = manifest.split_once("[dependencies]").unwrap();
    section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_room_is_on_the_plan() {
    let planned: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let built: BTreeSet<String> = std::fs::read_dir(crates())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(built, planned);
}

#[test]
fn arrows_run_downwards_only() {
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    for (room, below) in ROOMS {
        for used in dependencies(room) {
            let allowed = !rooms.contains(used.as_str()) || below.contains(&used.as_str());
            assert!(allowed, "{room} must not use {used}");
        }
    }
}

#[test]
fn geometry_has_no_dependency_and_no_float() {
    assert_eq!(dependencies("geometry"), BTreeSet::new());
    for entry in std::fs::read_dir(crates().join("geometry/src")).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        for float in ["f32", "f64"] {
            assert!(!source.contains(float), "{float} in {}", path.display());
        }
    }
}
