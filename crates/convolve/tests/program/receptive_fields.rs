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

#[test]
fn channels_last_are_told_in_the_order_of_the_file() {
    let folder = folder();
    let path = folder.path();
    let file = "channels_last.onnx";
    let imported = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/imported");
    std::fs::copy(imported.join(file), path.join(file)).unwrap();
    let answer = objects(&succeed(path, &["rf", file, "--json"])).remove(0);
    assert_eq!(answer["input"], serde_json::json!([16, 22]));
    let layers = answer["layers"].as_array().unwrap();
    let named = |op: &str, place: usize| {
        let mut found = layers.iter().filter(|layer| layer["op"] == op);
        let layer = found
            .nth(place)
            .unwrap_or_else(|| panic!("no {op}: {layers:?}"));
        (
            layer["layer"].as_str().unwrap(),
            layer["axes"].as_array().unwrap(),
        )
    };
    let fields = |axes: &[Value]| {
        axes.iter()
            .map(|axis| local(axis).unwrap())
            .collect::<Vec<_>>()
    };
    // Rows see three, two of them five; columns six, in their own steps.
    let (conv, axes) = named("conv", 0);
    assert_eq!(fields(axes), [[3, 2, 1], [6, 4, 0]]);
    let (pool, axes) = named("pool", 0);
    assert_eq!(fields(axes), [[5, 4, 1], [6, 4, 0]]);
    // Behind the pool maps lie as the image does.
    let (turned, axes) = named("relu", 1);
    assert_eq!(fields(axes), [[5, 4, 1], [6, 4, 0]]);

    let text = succeed(path, &["rf", file]);
    let row = |layer: &str| {
        let mut lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.find(|words| words.first() == Some(&layer)).unwrap()
    };
    for (layer, map, field) in [
        (conv, "8×5", "3×6"),
        (pool, "4×5", "5×6"),
        (turned, "4×5", "5×6"),
    ] {
        let row = row(layer);
        assert!(
            row.contains(&map) && row.contains(&field),
            "{row:?} in\n{text}"
        );
    }
    for (layer, pixels) in [
        (conv, "rows 1–3: columns 8–13"),
        (pool, "rows 3–7: columns 8–13"),
        (turned, "rows 3–7: columns 8–13"),
    ] {
        let told = succeed(path, &["rf", file, "--at", &format!("{layer}[1,2]")]);
        assert!(told.contains(pixels), "{layer}: {told}");
        assert!(told.contains(" of the 352 pixels of 16×22; "), "{told}");
    }
}
