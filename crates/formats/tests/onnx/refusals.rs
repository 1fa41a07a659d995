//! What is refused, and in which words.

use convolve_formats::onnx::{Bindings, Import, Model, OnnxError};

use crate::encode::{Message, ints, model, node, small, tensor, value};

fn import(bytes: Vec<u8>) -> Result<Import, OnnxError> {
    Model::from_bytes(bytes, "test")?.import(&Bindings::batch(1))
}

/// A graph from `x [N, 4]` to `y`.
fn graph(nodes: &[Message]) -> Vec<u8> {
    let graph = nodes
        .iter()
        .fold(Message::default(), |graph, node| graph.put(1, node));
    model(
        graph
            .put(11, value("x", &[-1, 4]))
            .put(12, value("y", &[-1, 4])),
    )
}

#[track_caller]
fn refused(bytes: Vec<u8>, words: &[&str]) -> OnnxError {
    let error = import(bytes).expect_err("an error");
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    error
}

#[test]
fn a_model_becomes_a_graph() {
    let import = import(small()).unwrap();
    let table = graph::summary(&import.graph);
    assert_eq!((table.parameters, table.macs), (108, 108 * 64));
    assert_eq!(import.inputs[0].shape, [1, 3, 8, 8]);
    assert_eq!(import.outputs[0].shape, [1, 4, 8, 8]);
    assert_eq!(import.elements[0].0, "conv.weight");
}

#[test]
fn a_batch_is_bound_or_asked_for() {
    let model = Model::from_bytes(small(), "test").unwrap();
    let import = model.import(&Bindings::batch(5)).unwrap();
    assert_eq!(import.outputs[0].shape, [5, 4, 8, 8]);
    let error = model.import(&Bindings::default()).unwrap_err();
    assert!(error.to_string().contains("[N, 3, 8, 8]"), "{error}");
}

/// So exporters write what they leave open, and ONNX Runtime takes it; what else is below zero is none.
#[test]
fn an_extent_of_minus_one_is_open() {
    let rectified = |first: i64| {
        let extents = [first, 4].map(|extent| Message::default().number(1, extent));
        let shape = extents
            .iter()
            .fold(Message::default(), |shape, extent| shape.put(1, extent));
        let kind = Message::default().put(1, Message::default().number(1, 1).put(2, shape));
        let input = Message::default().put(1, "x").put(2, kind);
        let relu = node("Relu", &["x"], &["y"]);
        model(
            Message::default()
                .put(1, relu)
                .put(11, input)
                .put(12, value("y", &[-1, 4])),
        )
    };
    let open = Model::from_bytes(rectified(-1), "test").unwrap();
    assert_eq!(open.inputs()[0].extents(), "[?, 4]");
    let import = open.import(&Bindings::batch(5)).unwrap();
    assert_eq!(import.outputs[0].shape, [5, 4]);
    refused(
        rectified(-2),
        &["`x`: axis 0 has the extent -2, below zero"],
    );
}

#[test]
fn truncated_anywhere() {
    let whole = small();
    for length in 0..whole.len() {
        // At the end of a message what is left may be a model, but not this one.
        if let Ok(import) = import(whole[..length].to_vec()) {
            assert!(
                import.graph.nodes.len() < 2,
                "{length} of {} bytes",
                whole.len()
            );
        }
    }
}

#[test]
fn operators_are_named_with_domain_and_set() {
    let bytes = graph(&[node("Frobnicate", &["x"], &["y"])]);
    refused(bytes, &["the Frobnicate", "`ai.onnx`", "operator set 17"]);
    let foreign = node("Conv", &["x"], &["y"]).put(7, "com.example");
    refused(graph(&[foreign]), &["`com.example`", "operator set 0"]);
}

#[test]
fn nodes_that_wait_for_each_other() {
    let error = refused(
        graph(&[
            node("Add", &["x", "b"], &["y"]),
            node("Relu", &["y"], &["b"]),
        ]),
        &["2 nodes"],
    );
    assert!(
        matches!(error, OnnxError::Cycle { count: 2, .. }),
        "{error}"
    );
}

#[test]
fn nodes_out_of_order_are_put_in_order() {
    let bytes = graph(&[node("Relu", &["a"], &["y"]), node("Neg", &["x"], &["a"])]);
    let names: Vec<_> = import(bytes).unwrap().graph.nodes;
    let names: Vec<_> = names.iter().map(|node| node.layer.as_str()).collect();
    assert_eq!(names, ["the Neg", "the Relu"]);
}

#[test]
fn names_that_stand_for_nothing_or_for_two_things() {
    refused(graph(&[node("Relu", &["missing"], &["y"])]), &["`missing`"]);
    refused(graph(&[node("Relu", &["x"], &["z"])]), &["output `y`"]);
    let twice = [node("Relu", &["x"], &["y"]), node("Neg", &["x"], &["y"])];
    refused(graph(&twice), &["`y` stands for two"]);
    let shadow = [node("Relu", &["x"], &["x"]), node("Neg", &["x"], &["y"])];
    refused(graph(&shadow), &["`x` stands for two"]);
    refused(graph(&[node("Relu", &[], &["y"])]), &["input 0 is missing"]);
}

#[test]
fn shapes_without_sense() {
    let with = |weight: Message| {
        let add = node("Add", &["x", "w"], &["y"]);
        let graph = Message::default().put(1, add).put(5, weight);
        model(
            graph
                .put(11, value("x", &[1, 4]))
                .put(12, value("y", &[1, 4])),
        )
    };
    refused(
        with(tensor("w", &[2, -4], &[0; 16])),
        &["`w`: axis 1 has the extent -4, below zero"],
    );
    refused(
        with(tensor("w", &[1 << 40, 1 << 40], &[])),
        &["more elements"],
    );
    refused(with(tensor("w", &[1 << 56, 4], &[])), &["w", "0 bytes"]);
    refused(with(tensor("w", &[5], &[0; 16])), &["16 bytes", "[5]"]);
    refused(with(tensor("w", &[1; 100], &[0; 4])), &["100 axes"]);
    refused(with(tensor("w", &[3], &[0; 12])), &["axis 1"]);
}

#[test]
fn constants_take_no_more_than_they_may() {
    let shape = Message::default().put(8, "s").number(2, 7).number(1, 2);
    let shape = shape.put(9, [1_i64 << 20, 1 << 20].map(i64::to_le_bytes).concat());
    let graph = Message::default()
        .put(1, node("ConstantOfShape", &["s"], &["c"]))
        .put(1, node("Add", &["x", "c"], &["y"]))
        .put(5, shape)
        .put(11, value("x", &[1]))
        .put(12, value("y", &[1]));
    let error = refused(model(graph), &["bytes of memory"]);
    assert!(matches!(error, OnnxError::Memory { .. }), "{error}");
}

#[test]
fn a_hundred_thousand_nodes_deep() {
    let depth = 100_000;
    let mut graph = Message::default();
    for at in 0..depth {
        let (from, to) = (format!("v{at}"), format!("v{}", at + 1));
        graph = graph.put(1, node("Relu", &[&from], &[&to]));
    }
    let last = format!("v{depth}");
    let graph = graph
        .put(11, value("v0", &[1, 2]))
        .put(12, value(&last, &[1, 2]));
    assert_eq!(import(model(graph)).unwrap().graph.nodes.len(), depth);
}

#[test]
fn settings_without_sense() {
    let slice = node("Slice", &["x"], &["y"]);
    refused(graph(&[slice]), &["no range"]);
    let concat =
        node("Concat", &["x", "x"], &["y"]).put(5, Message::default().put(1, "axis").number(3, 7));
    refused(graph(&[concat]), &["axis 7"]);
    let transpose = node("Transpose", &["x"], &["y"]).put(5, ints("perm", &[1, 1]));
    refused(graph(&[transpose]), &["the Transpose"]);
}

#[test]
fn nodes_without_a_name_are_called_by_operator_and_number() {
    let unnamed = |op: &str, input: &str, output: &str| {
        let node = Message::default().put(1, input).put(2, output);
        node.put(4, op)
    };
    let missing = [unnamed("Neg", "x", "a"), unnamed("Relu", "missing", "y")];
    refused(graph(&missing), &["`Relu_1`", "`missing`"]);
    refused(graph(&[unnamed("Relu", "y", "y")]), &["`Relu_0`"]);
}

/// A node on `x [1, 1, n]`.
fn on_a_row(n: i64, node: Message) -> Vec<u8> {
    let graph = Message::default().put(1, node);
    model(
        graph
            .put(11, value("x", &[1, 1, n]))
            .put(12, value("y", &[-1, -1, -1])),
    )
}

#[test]
fn windows_too_far_apart_for_the_padding_of_the_formula() {
    let pool = |op: &str, kernel: i64| {
        let same = Message::default().put(1, "auto_pad").number(20, 3);
        node(op, &["x"], &["y"])
            .put(5, ints("kernel_shape", &[kernel]))
            .put(5, ints("strides", &[3]))
            .put(5, same.put(4, "SAME_UPPER"))
    };
    for op in ["MaxPool", "AveragePool", "LpPool"] {
        refused(on_a_row(6, pool(op, 1)), &[op, "-2", "pads"]);
        // The last window has all that is left.
        assert!(import(on_a_row(7, pool(op, 1))).is_ok());
        assert!(import(on_a_row(6, pool(op, 3))).is_ok());
    }
}

#[test]
fn strides_that_are_floats() {
    let floats = Message::default().put(1, "strides").number(20, 6);
    let floats = floats.put(7, [1.5f32, 2.5].map(f32::to_le_bytes).concat());
    let pool = node("MaxPool", &["x"], &["y"]).put(5, ints("kernel_shape", &[2]));
    refused(on_a_row(6, pool.put(5, floats)), &["strides", "wrong type"]);
}

#[test]
fn integers_that_wrap_round_where_floats_cannot_follow() {
    let cast = |to: i64| {
        let to = Message::default().put(1, "to").number(20, 2).number(3, to);
        node("Cast", &["x"], &["i"]).put(5, to)
    };
    // uint16, uint32
    for (to, op, name) in [(4, "Mul", "uint16"), (12, "Sub", "uint32")] {
        let nodes = [cast(to), node(op, &["i", "i"], &["y"])];
        refused(graph(&nodes), &[op, name, "wraps round"]);
    }
}
