//! `rf` and `summary` against published receptive fields, by name and from ONNX files.

#[path = "../../../zoo/tests/receptive_field/published.rs"]
mod published;

use std::collections::HashMap;
use std::path::Path;

use formats::onnx::{Export, ExportSettings};
use geometry::ConvDesc;
use graph::Graph;
use serde_json::Value;

use crate::fixture::{folder, onnx};
use crate::invoke::{fail, objects, succeed};

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

/// Rows and columns, and channels where there are any, that are put in the order of a map and convolved.
fn alone(path: &Path, input: &[usize], map: &[usize], axes: &[usize]) {
    onnx(path, input, |net, x| {
        let x = net.reshape(x, map)?;
        let x = net.permute(x, axes)?;
        let conv = ConvDesc::new(4, [3, 5]).stride([1, 2]).padding([1, 0]);
        Ok(vec![net.conv("conv", x, conv, false)?])
    });
}

#[test]
fn images_without_a_batch_are_told_by_their_rows_and_columns() {
    let folder = folder();
    let path = folder.path();
    let first = [0, 1, 2, 3];
    for (file, input, map, axes, image) in [
        (
            "hwc.onnx",
            &[20, 33, 3][..],
            [1, 20, 33, 3],
            [0, 3, 1, 2],
            "20×33×3",
        ),
        ("chw.onnx", &[3, 20, 33], [1, 3, 20, 33], first, "3×20×33"),
        ("bhw.onnx", &[2, 20, 33], [2, 1, 20, 33], first, "20×33"),
        ("hw.onnx", &[20, 33], [1, 1, 20, 33], first, "20×33"),
    ] {
        alone(&path.join(file), input, &map, &axes);
        let answer = objects(&succeed(path, &["rf", file, "--json"])).remove(0);
        assert_eq!(answer["input"], serde_json::json!([20, 33]), "{file}");
        let layers = answer["layers"].as_array().unwrap();
        let conv = layers.iter().find(|layer| layer["op"] == "conv").unwrap();
        let axes = conv["axes"].as_array().unwrap();
        let fields: Vec<_> = axes.iter().map(|axis| local(axis).unwrap()).collect();
        assert_eq!(fields, [[3, 1, 1], [5, 2, 0]], "{file}");

        let layer = conv["layer"].as_str().unwrap();
        let told = succeed(path, &["rf", file, "--at", &format!("{layer}[1,2]")]);
        assert!(
            told.contains(" of 20×15 sees 15 of the 660 pixels of 20×33; "),
            "{told}"
        );
        assert!(told.contains("rows 0–2: columns 4–8"), "{told}");

        let told = succeed(path, &["summary", file]);
        let words = format!(" on {image}: ");
        assert!(told.contains(&words) && told.contains("4×20×15"), "{told}");
        let summary = objects(&succeed(path, &["summary", file, "--json"])).remove(0);
        let channels = if input.contains(&3) { 3 } else { 1 };
        assert_eq!(summary["macs"], 20 * 15 * 4 * 15 * channels, "{file}");
    }
    // As the image is typed everywhere.
    succeed(path, &["rf", "hwc.onnx", "--input", "3x20x33"]);
    succeed(path, &["rf", "hw.onnx", "--input", "1x20x33"]);
    let words = ["shape [21, 33, 3] was given, the model says [20, 33, 3]"];
    fail(path, 2, &["rf", "hwc.onnx", "--input", "3x21x33"], &words);
    let batch = ["bench", "hwc.onnx", "--batch", "2", "--seconds", "0"];
    fail(path, 2, &batch, &["the model reads a single image"]);
}

#[test]
fn rows_that_no_axis_has_are_not_told() {
    let folder = folder();
    let path = folder.path();
    alone(
        &path.join("line.onnx"),
        &[1, 660, 3],
        &[1, 20, 33, 3],
        &[0, 3, 1, 2],
    );
    let words = "reads rows and columns that are no axes of the input 'images' [1, 660, 3]";
    fail(path, 2, &["rf", "line.onnx"], &[words]);
    fail(path, 2, &["rf", "line.onnx", "--at", "conv"], &[words]);
    let told = succeed(path, &["summary", "line.onnx"]);
    let line = told
        .lines()
        .find(|line| line.starts_with("fields: not known"));
    assert!(line.is_some_and(|line| line.contains(words)), "{told}");
    let summary = objects(&succeed(path, &["summary", "line.onnx", "--json"])).remove(0);
    assert!(
        summary["fields_not_known"]
            .as_str()
            .unwrap()
            .contains(words)
    );
}

#[test]
fn layers_that_are_not_there_are_listed_somewhere() {
    let folder = folder();
    let words = ["there is no layer 'zzz'; `convolve summary MODEL --wide` lists all there are"];
    fail(folder.path(), 2, &["rf", "lenet5", "--at", "zzz"], &words);
    let words = ["no model is called 'zzz'; `convolve models` lists all there are"];
    for verb in ["rf", "summary", "doctor"] {
        fail(folder.path(), 2, &[verb, "zzz"], &words);
    }
}

#[test]
fn rows_left_open_are_not_taken_for_a_batch() {
    let folder = folder();
    let path = folder.path();
    let imported = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/imported");
    std::fs::copy(imported.join("rows.onnx"), path.join("rows.onnx")).unwrap();
    let words = [
        "rows.onnx: input `image` of shape [H, 33, 3]",
        "--input CxHxW",
    ];
    fail(path, 2, &["rf", "rows.onnx"], &words);
    fail(path, 2, &["summary", "rows.onnx"], &words);
    let given = ["rf", "rows.onnx", "--json", "--input", "3x20x33"];
    let answer = objects(&succeed(path, &given)).remove(0);
    assert_eq!(answer["input"], serde_json::json!([20, 33]));
}
