//! Files to run the program on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use formats::onnx::{Export, ExportSettings};
use graph::{GraphError, NetworkBuilder, ValueId};
use tempfile::TempDir;

/// An empty folder that goes away with the value.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// CIFAR-10 binary: `count` records of airplanes (dark) and automobiles (bright) in turn, each with a
/// texture of its own.
pub(crate) fn cifar(folder: &Path, count: usize) -> PathBuf {
    let mut bytes = Vec::new();
    for record in 0..count {
        let label = record % 2;
        bytes.push(label as u8);
        let texture = (0..3072).map(|at| ((at * 31 + record * 17) % 97) as u8);
        bytes.extend(texture.map(|value| value + 120 * label as u8));
    }
    let path = folder.join("records.bin");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A 24-bit BMP of one colour (blue, green, red).
pub(crate) fn bmp(path: &Path, side: usize, colour: [u8; 3]) {
    bmp_of(path, [side; 2], |_, _| colour);
}

/// A 24-bit BMP of a bright disc before a ground that grows dark to one side.
pub(crate) fn textured(path: &Path, side: usize) {
    bmp_of(path, [side; 2], |row, column| {
        let [down, across] = [row, column].map(|place| place as f64 / side as f64 - 0.4);
        match down.hypot(across) < 0.25 {
            true => [40, 180, 230],
            false => [(220 * column / side) as u8, 90, (180 * row / side) as u8],
        }
    });
}

/// A 24-bit BMP of some rows and columns that grows bright to one side.
pub(crate) fn shaded(path: &Path, extents: [usize; 2]) {
    bmp_of(path, extents, |_, column| {
        [(220 * column / extents[1]) as u8; 3]
    });
}

/// A 24-bit BMP of a colour for each row, from the lowest on, and column.
fn bmp_of(path: &Path, [rows, columns]: [usize; 2], colour: impl Fn(usize, usize) -> [u8; 3]) {
    let row = (3 * columns).next_multiple_of(4);
    let mut bytes = b"BM".to_vec();
    for word in [54 + row * rows, 0, 54, 40, columns, rows] {
        bytes.extend((word as u32).to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    for at in 0..rows {
        let mut line: Vec<u8> = (0..columns).flat_map(|column| colour(at, column)).collect();
        line.resize(row, 0);
        bytes.extend(line);
    }
    std::fs::write(path, bytes).unwrap();
}

/// The weights of the network inside the program, with `cat` under another name.
pub(crate) fn weights_with_class(path: &Path, name: &str) {
    let asset =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../program/assets/classifier.safetensors");
    let bytes = std::fs::read(asset).unwrap();
    // Eight bytes with the length of a JSON header, the header, the numbers.
    let (length, rest) = bytes.split_at(8);
    let (header, numbers) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let classes = &mut header["__metadata__"]["classes"];
    let mut names: Vec<String> = serde_json::from_str(classes.as_str().unwrap()).unwrap();
    for class in names.iter_mut().filter(|class| *class == "cat") {
        name.clone_into(class);
    }
    *classes = serde_json::to_string(&names).unwrap().into();
    let mut header = header.to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(path, [&length, header.as_bytes(), numbers].concat()).unwrap();
}

/// An ONNX file of a network that reads `input`, of any batch where it can be, with weights by a formula.
pub(crate) fn onnx(
    path: &Path,
    input: &[usize],
    build: impl Fn(&mut NetworkBuilder, ValueId) -> Result<Vec<ValueId>, GraphError>,
) {
    let mut network = NetworkBuilder::new("net", input);
    let x = network.input();
    let outputs = build(&mut network, x).unwrap();
    let mut network = network.finish(outputs[0]).unwrap();
    network.outputs = outputs;
    let weights: HashMap<String, Vec<f32>> = (network.parameters())
        .map(|(_, value)| {
            let numbers = (0..value.shape.iter().product()).map(|at: usize| {
                // Not of one sign, and none like its neighbours.
                (at * 37 % 101) as f32 / 400.0 - 0.125
            });
            (value.name.clone(), numbers.collect())
        })
        .collect();
    let find = |name: &str| weights.get(name).map(Vec::as_slice);
    let export = Export::new(&network, find, &ExportSettings::default());
    export.unwrap().save(path).unwrap();
}

/// Writes a float32 array.
pub(crate) fn npy(path: &Path, dims: &[usize], elements: &[f32]) {
    tensor::write_npy(path, dims, elements).unwrap();
}

/// Names of what lies in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
