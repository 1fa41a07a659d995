//! Weights in files beside the model.

use std::path::Path;

use convolve_formats::onnx::{Model, OnnxError};

use crate::encode::{Message, model, node, value};

/// A model whose weight `w [2]` lies in another file.
fn write(folder: &Path, location: &str, offset: &str, length: &str) -> Result<Model, OnnxError> {
    let entry = |key: &str, value: &str| Message::default().put(1, key).put(2, value);
    let weight = Message::default()
        .put(8, "w")
        .number(2, 1)
        .number(1, 2)
        .number(14, 1)
        .put(13, entry("location", location))
        .put(13, entry("offset", offset))
        .put(13, entry("length", length));
    let graph = Message::default()
        .put(1, node("Add", &["x", "w"], &["y"]))
        .put(5, weight)
        .put(11, value("x", &[1, 2]))
        .put(12, value("y", &[1, 2]));
    let path = folder.join("model.onnx");
    std::fs::write(&path, model(graph)).unwrap();
    Model::open(&path)
}

#[test]
fn weights_beside_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = [0.0_f32, 1.5, -2.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::write(folder.path().join("below/weights"), bytes).unwrap();
    let model = write(folder.path(), "below/weights", "4", "8").unwrap();
    let import = model.import(&Default::default()).unwrap();
    assert_eq!(
        import.elements[0]
            .1
            .read()
            .unwrap()
            .reals()
            .collect::<Vec<_>>(),
        [1.5, -2.0]
    );

    for (location, offset, length, word) in [
        ("below/weights", "8", "8", "the file has 12"),
        (
            "below/weights",
            "18446744073709551615",
            "8",
            "the file has 12",
        ),
        ("below/weights", "0", "4", "its shape needs 8"),
        ("below/weights", "-1", "8", "not a number"),
        ("below/nothing", "0", "8", "cannot be read"),
        ("below", "0", "8", "not a regular file"),
        ("../weights", "0", "8", "not a path below"),
        ("below/../../weights", "0", "8", "not a path below"),
        ("/etc/passwd", "0", "8", "not a path below"),
        ("", "0", "8", "not a path below"),
    ] {
        let error = write(folder.path(), location, offset, length)
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{location}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), [0; 8]).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("weights")).unwrap();
    let error = write(folder.path(), "weights", "0", "8")
        .unwrap_err()
        .to_string();
    assert!(error.contains("out of the model's folder"), "{error}");
}

#[test]
fn one_place_read_as_two_types_is_two_weights() {
    let folder = tempfile::tempdir().unwrap();
    let sides = [256, 256];
    let ones = [1.0_f32; 256 * 256].map(f32::to_le_bytes).concat();
    std::fs::write(folder.path().join("weights"), ones).unwrap();
    let weight = |name: &str, element: i64, length: &str| {
        let entry = |key: &str, value: &str| Message::default().put(1, key).put(2, value);
        Message::default()
            .put(8, name)
            .number(2, element)
            .number(1, sides[0])
            .number(1, sides[1])
            .number(14, 1)
            .put(13, entry("location", "weights"))
            .put(13, entry("length", length))
    };
    let cast = |from: &str, to: &str, element: i64| {
        node("Cast", &[from], &[to]).put(5, Message::default().put(1, "to").number(3, element))
    };
    let graph = Message::default()
        .put(1, node("Add", &["x", "w"], &["a"]))
        .put(1, cast("x", "b", 10))
        .put(1, node("Add", &["b", "h"], &["c"]))
        .put(1, cast("c", "d", 1))
        .put(1, node("Add", &["a", "d"], &["y"]))
        .put(5, weight("w", 1, "262144"))
        .put(5, weight("h", 10, "131072"))
        .put(11, value("x", &sides))
        .put(12, value("y", &sides));
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, model(graph)).unwrap();
    let import = Model::open(&path)
        .unwrap()
        .import(&Default::default())
        .unwrap();
    let starts: Vec<Vec<f64>> = import
        .elements
        .iter()
        .map(|(_, elements)| elements.read().unwrap().reals().take(2).collect())
        .collect();
    // The halves of a one are 0 and 1.875.
    assert_eq!(starts, [[1.0, 1.0], [0.0, 1.875]]);
}
