//! Weights that several nodes read, each in an order of its own: they are stored once and count once.

use convolve_formats::onnx::{Bindings, Model};
use graph::{Counting, summary};

use crate::encode::{Message, ints, model, node, tensor, value};

/// Parameters and multiply-accumulates of a model of these nodes, which reads `w` and makes `y` of `x`.
fn counted(nodes: &[Message], weight: &[i64], input: &[i64], bindings: &Bindings) -> (u64, u64) {
    let numbers = weight.iter().product::<i64>() as usize;
    let graph = nodes
        .iter()
        .fold(Message::default(), |graph, node| graph.put(1, node));
    let graph = graph
        .put(5, tensor("w", weight, &vec![0; 4 * numbers]))
        .put(11, value("x", input))
        .put(12, value("y", &[-1]));
    let model = Model::from_bytes(model(graph), "shared").unwrap();
    let graph = model.import(bindings).unwrap().graph;
    let table = summary(&graph);
    let rows: u64 = table.rows.iter().map(|row| row.parameters).sum();
    assert_eq!(table.parameters, rows);
    // Work is done as often as a layer works, whoever counts.
    let torch = Counting::Torch.count(&graph).total;
    assert_eq!(torch, 2 * table.macs);
    (table.parameters, table.macs)
}

/// A transposed copy of `w`; exporters write one for every layer that reads it.
fn turned(name: &str, perm: &[i64]) -> Message {
    node("Transpose", &["w"], &[name]).put(5, ints("perm", perm))
}

#[test]
fn a_matrix_read_both_ways_counts_once() {
    let nodes = [
        node("MatMul", &["x", "w"], &["a"]),
        turned("w1", &[1, 0]),
        node("MatMul", &["a", "w1"], &["b"]),
        node("MatMul", &["b", "w"], &["c"]),
        turned("w2", &[1, 0]),
        node("MatMul", &["c", "w2"], &["y"]),
    ];
    let bindings = Bindings::default();
    let found = counted(&nodes, &[8, 5], &[1, 8], &bindings);
    assert_eq!(found, (40, 4 * 40));
    // Trained, what layers read in different orders learns by itself.
    let learning = Bindings {
        learns: true,
        ..Bindings::default()
    };
    let (parameters, _) = counted(&nodes, &[8, 5], &[1, 8], &learning);
    assert!(parameters > 40);
}

#[test]
fn filters_read_three_ways_count_once() {
    let nodes = [
        node("Conv", &["x", "w"], &["a"]),
        turned("w1", &[1, 0, 2, 3]),
        node("Conv", &["a", "w1"], &["b"]),
        turned("w2", &[0, 1, 3, 2]),
        node("Conv", &["b", "w2"], &["y"]),
    ];
    let (parameters, macs) = counted(&nodes, &[4, 3, 3, 3], &[1, 3, 9, 9], &Bindings::default());
    assert_eq!((parameters, macs), (108, 108 * (49 + 25 + 9)));
}

#[test]
fn parts_of_a_tensor_count_as_what_they_are() {
    // Both halves of a matrix, each its own layer.
    let nodes = [
        node("Split", &["w"], &["w1", "w2"]),
        node("MatMul", &["x", "w1"], &["a"]),
        node("MatMul", &["a", "w2"], &["y"]),
    ];
    let (parameters, _) = counted(&nodes, &[8, 4], &[1, 4], &Bindings::default());
    assert_eq!(parameters, 32);
    // One half alone.
    let (parameters, _) = counted(
        &[nodes[0].clone(), node("MatMul", &["x", "w1"], &["y"])],
        &[8, 4],
        &[1, 4],
        &Bindings::default(),
    );
    assert_eq!(parameters, 16);
}
