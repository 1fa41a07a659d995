//! `rf` and `summary` against published receptive fields, by name and from ONNX files.

#[path = "../../../zoo/tests/receptive_field/published.rs"]
mod published;

use std::collections::HashMap;
use std::path::Path;

use formats::onnx::{Export, ExportSettings};
use graph::Graph;
use serde_json::Value;

use crate::fixture::folder;
use crate::invoke::{objects, succeed};

/// Size, jump and padding of the field along an axis of a layer that sees no more than a window.
fn local(axis: &Value) -> Option<[i64; 3]> {
    let longest = axis["longest"].as_object()?;
    let number = |name: &str| longest[name].as_i64().unwrap();
    Some([number("size"), number("jump"), -number("start")])
}

/// The last layer whose list of fields says that along all of them, and what it says; heads for training left out.
fn last(answer: &Value, fields: &str) -> (String, [i64; 3]) {
    let layers = answer["layers"].as_array().unwrap().iter().rev();
    let mut seen = layers.filter_map(|layer| {
        let axes: Option<Vec<_>> = layer[fields].as_array()?.iter().map(local).collect();
        let axes = axes.filter(|axes| !axes.is_empty() && layer["auxiliary"] == false)?;
        assert!(axes.iter().all(|axis| *axis == axes[0]), "{layer}");
        Some((layer["layer"].as_str()?.to_owned(), axes[0]))
    });
    seen.next().unwrap()
}

/// Asks both verbs, in every form that they answer in.
#[track_caller]
fn must_see(folder: &Path, network: &str, expected: [i64; 3]) {
    let [size, jump, padding] = expected;
    let json = |verb| objects(&succeed(folder, &[verb, network, "--json"])).remove(0);
    let (layer, found) = last(&json("rf"), "axes");
    assert_eq!(found, expected, "rf {network}");
    assert_eq!(
        last(&json("summary"), "fields"),
        (layer.clone(), expected),
        "{network}"
    );

    let words = format!("{layer} sees {size} in steps of {jump}, padding {padding}");
    let text = succeed(folder, &["rf", network]);
    assert!(text.contains(&words), "no '{words}' in\n{text}");
    let text = succeed(folder, &["summary", network, "--csv"]);
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heading = lines.next().unwrap();
    let place = |name: &str| heading.iter().position(|&known| known == name).unwrap();
    // Several nodes may make up a layer, the last of which speaks for it.
    let mut rows = lines.rev();
    let row = rows.find(|line| line[place("layer")] == layer).unwrap();
    let cells = ["field", "jump", "start"].map(|name| row[place(name)].to_owned());
    assert_eq!(
        cells,
        [size, jump, -padding].map(|number| number.to_string()),
        "{network}"
    );
}

#[test]
fn fields_of_the_zoo_are_those_that_were_published() {
    let folder = folder();
    for (network, expected) in published::ZOO {
        must_see(folder.path(), network, expected);
    }
}

/// A network whose weights are all zero, as an ONNX file.
fn write(network: &Graph, path: &Path) {
    let parameters = network.parameters().map(|(_, value)| {
        let elements: usize = value.shape.iter().product();
        (value.name.clone(), vec![0.0; elements])
    });
    let weights: HashMap<String, Vec<f32>> = parameters.collect();
    let find = |name: &str| weights.get(name).map(Vec::as_slice);
    let export = Export::new(network, find, &ExportSettings::default()).unwrap();
    std::fs::write(path, export.to_bytes().unwrap()).unwrap();
}

#[test]
fn fields_of_onnx_files_are_those_that_were_published() {
    let folder = folder();
    for (place, (network, expected)) in published::slim().into_iter().enumerate() {
        let file = format!("slim{place}.onnx");
        write(&network, &folder.path().join(&file));
        must_see(folder.path(), &file, expected);
    }
}
