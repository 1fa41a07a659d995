//! What is computed while a model is read.

use convolve_formats::onnx::{Array, Bindings, Model, Source};

use crate::encode::{Message, model, node, value};

/// What a node makes of constants, the first of which is called `a`.
fn folded(node: Message, constants: &[Message]) -> Array {
    let graph = constants
        .iter()
        .fold(Message::default(), |graph, constant| graph.put(5, constant));
    let graph = graph.put(1, node).put(12, value("y", &[1]));
    let model = Model::from_bytes(model(graph), "constants").unwrap();
    let import = model.import(&Bindings::default()).unwrap();
    match &import.outputs[0].source {
        Source::Constant(array) => array.clone(),
        other => panic!("{other:?}"),
    }
}

/// A tensor of 64-bit integers.
fn integers(name: &str, dims: &[i64], values: &[i64]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let tensor = Message::default().put(8, name).number(2, 7).put(9, bytes);
    dims.iter()
        .fold(tensor, |tensor, &dim| tensor.number(1, dim))
}

fn flag(name: &str) -> Message {
    Message::default().put(1, name).number(3, 1)
}

#[test]
fn running_sums() {
    // Golden values of the specification.
    let sums = |dims: &[i64], values: &[i64], axis: i64, flags: &[&str]| {
        let node = node("CumSum", &["a", "axis"], &["y"]);
        let node = flags
            .iter()
            .fold(node, |node, name| node.put(5, flag(name)));
        let constants = [integers("a", dims, values), integers("axis", &[], &[axis])];
        folded(node, &constants).integers().collect::<Vec<_>>()
    };
    let row = |flags: &[&str]| sums(&[3], &[1, 2, 3], 0, flags);
    assert_eq!(row(&[]), [1, 3, 6]);
    assert_eq!(row(&["exclusive"]), [0, 1, 3]);
    assert_eq!(row(&["reverse"]), [6, 5, 3]);
    assert_eq!(row(&["exclusive", "reverse"]), [5, 3, 0]);
    let table = |axis| sums(&[2, 3], &[1, 2, 3, 4, 5, 6], axis, &[]);
    assert_eq!(table(0), [1, 2, 3, 5, 7, 9]);
    assert_eq!(table(-1), [1, 3, 6, 4, 9, 15]);
    assert!(sums(&[2, 0], &[], 0, &[]).is_empty());
}

/// Batch axes, the shape of the data, that of the indices, these, and elements and shape of the result.
type GatherCase<'a> = (i64, &'a [i64], &'a [i64], &'a [i64], &'a [i64], &'a [usize]);

#[test]
fn blocks_and_elements_by_number() {
    // The examples of the specification of GatherND.
    let cases: [GatherCase<'_>; 5] = [
        (0, &[2, 2], &[2, 2], &[0, 0, 1, 1], &[0, 3], &[2]),
        (0, &[2, 2], &[2, 1], &[1, 0], &[2, 3, 0, 1], &[2, 2]),
        (
            0,
            &[2, 2, 2],
            &[2, 2],
            &[0, 1, 1, 0],
            &[2, 3, 4, 5],
            &[2, 2],
        ),
        (
            0,
            &[2, 2, 2],
            &[2, 1, 2],
            &[0, 1, -1, 0],
            &[2, 3, 4, 5],
            &[2, 1, 2],
        ),
        (1, &[2, 2, 2], &[2, 1], &[1, 0], &[2, 3, 4, 5], &[2, 2]),
    ];
    for (batch, shape, dims, indices, wanted, made) in cases {
        let values: Vec<i64> = (0..shape.iter().product()).collect();
        let dimensions = Message::default().put(1, "batch_dims").number(3, batch);
        let node = node("GatherND", &["a", "i"], &["y"]).put(5, dimensions);
        let constants = [integers("a", shape, &values), integers("i", dims, indices)];
        let found = folded(node, &constants);
        assert_eq!(found.integers().collect::<Vec<_>>(), wanted);
        assert_eq!(found.shape(), made);
    }
    // And of GatherElements.
    let constants = [
        integers("a", &[3, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        integers("i", &[2, 3], &[1, 2, 0, -1, 0, 0]),
    ];
    let found = folded(node("GatherElements", &["a", "i"], &["y"]), &constants);
    assert_eq!(found.integers().collect::<Vec<_>>(), [4, 8, 3, 7, 2, 3]);
    assert_eq!(found.shape(), [2, 3]);
}
