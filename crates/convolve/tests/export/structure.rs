//! What a file says, and what is refused.

use std::collections::HashMap;

use formats::onnx::{Bindings, Export, ExportError, ExportSettings, Extent, Model};
use graph::passes::TrainingOptions;
use graph::{Graph, Op, passes};

use crate::round_trip::{assert_same, exported, imported};
use crate::sketch::{Sketch, weights};

fn resnet() -> Graph {
    let options = zoo::find("resnet20").unwrap().model.options();
    zoo::build("resnet20", &options).unwrap()
}

fn export_of<'w>(
    graph: &Graph,
    weights: &'w HashMap<String, Vec<f32>>,
    settings: &ExportSettings,
) -> Result<Export<'w>, ExportError> {
    Export::new(graph, |name| weights.get(name).map(Vec::as_slice), settings)
}

#[test]
fn edges_have_their_names_and_the_batch_is_open() {
    let network = resnet();
    let (bytes, open) = exported(&network, 17).unwrap();
    assert!(open);
    let model = Model::from_bytes(bytes, "resnet20").unwrap();
    assert_eq!(model.opset(), 17);
    let [input] = model.inputs() else { panic!() };
    assert_eq!(input.name, network.value(network.inputs[0]).name);
    let known = [3, 32, 32].map(Extent::Known);
    let shape = [vec![Extent::Open("N".to_owned())], known.to_vec()].concat();
    assert_eq!(input.shape, Some(shape));
    let [output] = model.outputs() else { panic!() };
    assert_eq!(output.name, network.value(network.outputs[0]).name);
}

#[test]
fn parameters_keep_their_names_and_go_on_learning() {
    let network = resnet();
    let (bytes, _) = exported(&network, 17).unwrap();
    let import = imported(bytes, 4);
    let names = |graph: &Graph| {
        let values = graph.parameters().chain(graph.states());
        let mut names: Vec<_> = values.map(|(_, value)| value.name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&import.graph), names(&network));
    let step = passes::training(&import.graph, TrainingOptions::default()).unwrap();
    assert_eq!(step.gradients.len(), network.parameters().count());
}

#[test]
fn metadata_come_back() {
    let network = resnet();
    let metadata = vec![("classes".to_owned(), "[\"cat\",\"dog\"]".to_owned())];
    let settings = ExportSettings {
        metadata: metadata.clone(),
        ..ExportSettings::default()
    };
    let weights = weights(&network);
    let bytes = export_of(&network, &weights, &settings)
        .unwrap()
        .to_bytes()
        .unwrap();
    assert_eq!(
        Model::from_bytes(bytes, "model").unwrap().metadata(),
        metadata
    );
}

#[test]
fn a_batch_may_be_fixed() {
    let network = resnet();
    let settings = ExportSettings {
        open_batch: false,
        ..ExportSettings::default()
    };
    let weights = weights(&network);
    let bytes = export_of(&network, &weights, &settings)
        .unwrap()
        .to_bytes()
        .unwrap();
    let model = Model::from_bytes(bytes, "model").unwrap();
    let known = [1, 3, 32, 32].map(Extent::Known);
    assert_eq!(model.inputs()[0].shape, Some(known.to_vec()));
}

#[test]
fn weights_beyond_the_limit_lie_beside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let network = resnet();
    let weights = weights(&network);
    let settings = ExportSettings {
        longest: 100_000,
        ..ExportSettings::default()
    };
    let export = export_of(&network, &weights, &settings).unwrap();
    match export.to_bytes() {
        Err(ExportError::TooLarge {
            bytes,
            limit: 100_000,
        }) => assert!(bytes > 1_000_000),
        other => panic!("{other:?}"),
    }
    export.save(&path).unwrap();
    let elements: usize = weights.values().map(Vec::len).sum();
    let beside = path.with_file_name("model.onnx.data");
    assert_eq!(beside.metadata().unwrap().len(), 4 * elements as u64);
    assert!(path.metadata().unwrap().len() < 100_000);
    let model = Model::open(&path).unwrap();
    assert_same(
        &network,
        &model.import(&Bindings::batch(1)).unwrap(),
        "beside",
    );

    let settings = ExportSettings {
        longest: 100,
        ..settings
    };
    let export = export_of(&network, &weights, &settings).unwrap();
    assert!(matches!(
        export.save(&path),
        Err(ExportError::TooLarge { .. })
    ));
}

#[test]
fn a_file_holds_what_the_bytes_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let network = resnet();
    let weights = weights(&network);
    let export = export_of(&network, &weights, &ExportSettings::default()).unwrap();
    export.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), export.to_bytes().unwrap());
    assert!(!path.with_file_name("model.onnx.data").exists());
}

#[test]
fn what_cannot_be_written_is_named() {
    let network = resnet();
    let all = weights(&network);
    for opset in [12, 26] {
        let settings = ExportSettings {
            opset,
            ..ExportSettings::default()
        };
        let refused = export_of(&network, &all, &settings).unwrap_err();
        let text = format!("operator set {opset} is not written; 13 to 25 are");
        assert_eq!(refused.to_string(), text);
    }
    let none = HashMap::new();
    let refused = export_of(&network, &none, &ExportSettings::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there is no `conv1.weight` among the weights"
    );
    let mut short = all.clone();
    short.get_mut("conv1.weight").unwrap().pop();
    let refused = export_of(&network, &short, &ExportSettings::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`conv1.weight` of shape [16, 3, 3, 3] with 431 numbers"
    );
    let step = passes::training(&network, TrainingOptions::default()).unwrap();
    let refused = export_of(&step, &all, &ExportSettings::default()).unwrap_err();
    assert!(matches!(refused, ExportError::Training { .. }), "{refused}");
}

#[test]
fn an_output_may_be_an_input_a_parameter_or_named_twice() {
    let mut sketch = Sketch::new(1);
    let x = sketch.input(&[3, 4, 4]);
    let scale = sketch.parameter("scale", &[3]);
    let y = sketch.op(Op::GlobalAveragePool, &[x]);
    sketch.graph.outputs = vec![y, x, scale, y];
    let (bytes, _) = exported(&sketch.graph, 17).unwrap();
    assert_same(&sketch.graph, &imported(bytes, 1), "copies");
}

#[test]
fn what_no_output_depends_on_is_left_out() {
    let mut sketch = Sketch::new(1);
    let x = sketch.input(&[3, 4, 4]);
    let unread = sketch.parameter("unread", &[3, 1, 1]);
    let op = graph::ArithmeticOp::Binary(graph::BinaryOp::Mul);
    sketch.op(Op::Arithmetic(op), &[x, unread]);
    let y = sketch.op(Op::GlobalAveragePool, &[x]);
    sketch.graph.outputs = vec![y];
    let (bytes, _) = exported(&sketch.graph, 17).unwrap();
    let import = imported(bytes, 1);
    assert_eq!(import.graph.nodes.len(), 1);
    assert!(import.elements.is_empty());
}
