//! Graphs within nodes.

use convolve_formats::onnx::{Array, Bindings, Element, Import, Model, OnnxError, Source};

use crate::encode::{Message, model, node, tensor, value};

/// A graph within a node, under the name of its attribute.
fn branch(name: &str, nodes: &[Message], output: &str) -> Message {
    let graph = nodes
        .iter()
        .fold(Message::default(), |graph, node| graph.put(1, node));
    let graph = graph.put(12, Message::default().put(1, output));
    Message::default().put(1, name).put(6, graph)
}

/// `If c { then } else { other }`
fn choice(then: Message, other: Message) -> Message {
    node("If", &["c"], &["y"]).put(5, then).put(5, other)
}

/// A network from `x [1, 4]`, and the truth `c`, to `y`.
fn network(nodes: &[Message]) -> Vec<u8> {
    let truth = Message::default().put(1, "c").put(
        2,
        Message::default().put(1, Message::default().number(1, 9).put(2, "")),
    );
    let graph = nodes
        .iter()
        .fold(Message::default(), |graph, node| graph.put(1, node));
    let graph = graph.put(11, value("x", &[1, 4])).put(11, truth);
    model(graph.put(12, value("y", &[1, 4])))
}

fn import(bytes: Vec<u8>, condition: Option<bool>) -> Result<Import, OnnxError> {
    let mut bindings = Bindings::default();
    if let Some(condition) = condition {
        let truth = Array::from_bytes(Element::Bool, &[], vec![u8::from(condition)]);
        bindings.values.insert("c".to_owned(), truth.unwrap());
    }
    Model::from_bytes(bytes, "test")?.import(&bindings)
}

/// Operators of the graph that is made, by layer.
fn layers(import: &Import) -> Vec<&str> {
    let nodes = import.graph.nodes.iter();
    nodes.map(|node| node.layer.as_str()).collect()
}

#[test]
fn one_branch_takes_the_place_of_the_node() {
    // What a branch reads may be made by a node that stands behind in the file, and its nodes make values of their own.
    let then = [
        node("Tanh", &["before"], &["inner"]),
        node("Sqrt", &["inner"], &["chosen"]),
    ];
    let other = [node("Exp", &["before"], &["other"])];
    let nodes = [
        choice(
            branch("then_branch", &then, "chosen"),
            branch("else_branch", &other, "other"),
        ),
        node("Neg", &["x"], &["before"]),
    ];
    let found = |condition| import(network(&nodes), Some(condition)).unwrap();
    assert_eq!(layers(&found(true)), ["the Neg", "the Tanh", "the Sqrt"]);
    assert_eq!(layers(&found(false)), ["the Neg", "the Exp"]);
}

#[test]
fn a_branch_may_hold_what_it_makes_or_only_pass_it_on() {
    let held = Message::default()
        .put(5, tensor("held", &[1, 4], &[0; 16]))
        .put(12, Message::default().put(1, "held"));
    let held = Message::default().put(1, "then_branch").put(6, held);
    let passed = branch("else_branch", &[], "x");
    let bytes = network(&[choice(held, passed)]);
    let constant = import(bytes.clone(), Some(true)).unwrap();
    assert!(matches!(&constant.outputs[0].source, Source::Constant(array) if array.len() == 4));
    let input = import(bytes, Some(false)).unwrap();
    assert_eq!(input.graph.outputs, input.graph.inputs);
}

#[test]
fn choices_within_choices() {
    // Both branches may use a name for what each of them makes.
    let inner = node("If", &["c"], &["i"])
        .put(
            5,
            branch("then_branch", &[node("Exp", &["x"], &["z"])], "z"),
        )
        .put(
            5,
            branch("else_branch", &[node("Neg", &["x"], &["z"])], "z"),
        );
    let outer = choice(
        branch("then_branch", &[inner], "i"),
        branch("else_branch", &[node("Abs", &["x"], &["a"])], "a"),
    );
    let found = |condition| import(network(std::slice::from_ref(&outer)), Some(condition)).unwrap();
    assert_eq!(layers(&found(true)), ["the Exp"]);
    assert_eq!(layers(&found(false)), ["the Abs"]);
    // So may those of another choice.
    let second = node("If", &["c"], &["y"])
        .put(
            5,
            branch("then_branch", &[node("Sqrt", &["w"], &["z"])], "z"),
        )
        .put(
            5,
            branch("else_branch", &[node("Tanh", &["w"], &["z"])], "z"),
        );
    let first = node("If", &["c"], &["w"])
        .put(
            5,
            branch("then_branch", &[node("Exp", &["x"], &["z"])], "z"),
        )
        .put(
            5,
            branch("else_branch", &[node("Neg", &["x"], &["z"])], "z"),
        );
    let twice = |condition| import(network(&[first.clone(), second.clone()]), Some(condition));
    assert_eq!(layers(&twice(true).unwrap()), ["the Exp", "the Sqrt"]);
    assert_eq!(layers(&twice(false).unwrap()), ["the Neg", "the Tanh"]);
    // Two values are wanted of a branch that makes one.
    let error = import(network(&[outer.put(2, "unread")]), Some(true)).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("1 values for 2 outputs"), "{error}");
}

#[test]
fn what_cannot_be_chosen() {
    let plain = |op: &str, name: &str| branch(name, &[node(op, &["x"], &[op])], op);
    let both = || choice(plain("Exp", "then_branch"), plain("Neg", "else_branch"));
    let refused = |bytes: Vec<u8>, condition, words: &[&str]| {
        let error = import(bytes, condition).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "no '{word}' in: {error}");
        }
    };
    // A condition that only a run will know.
    refused(network(&[both()]), None, &["`the If` (If)", "condition"]);
    let computed = [
        node("ReduceMax", &["x"], &["m"]),
        node("Cast", &["m"], &["k"]).put(5, Message::default().put(1, "to").number(3, 9)),
        node("If", &["k"], &["y"])
            .put(5, plain("Exp", "then_branch"))
            .put(5, plain("Neg", "else_branch")),
    ];
    refused(network(&computed), None, &["`the If` (If)", "condition"]);
    // A branch that is not there, that reads what nobody makes, or whose name stands for something else.
    let half = node("If", &["c"], &["y"]).put(5, plain("Exp", "then_branch"));
    refused(network(&[half]), Some(false), &["no else_branch"]);
    let lost = branch("then_branch", &[node("Exp", &["nothing"], &["z"])], "z");
    let lost = choice(lost, plain("Neg", "else_branch"));
    refused(network(&[lost]), Some(true), &["`the Exp`", "`nothing`"]);
    let shadow = [node("Exp", &["x"], &["x"])];
    let shadow = choice(
        branch("then_branch", &shadow, "x"),
        plain("Neg", "else_branch"),
    );
    refused(network(&[shadow]), Some(true), &["`x` stands for two"]);
    let unknown = choice(
        plain("Frobnicate", "then_branch"),
        plain("Neg", "else_branch"),
    );
    refused(
        network(&[unknown]),
        Some(true),
        &["Frobnicate", "operator set 17"],
    );
    // A branch that waits for the node it belongs to.
    let itself = choice(
        branch("then_branch", &[node("Exp", &["y"], &["z"])], "z"),
        plain("Neg", "else_branch"),
    );
    refused(network(&[itself]), Some(true), &["wait for each other"]);
}

#[test]
fn graphs_may_not_lie_too_deep() {
    let mut inner = node("Exp", &["x"], &["y"]);
    for _ in 0..100_000 {
        inner = node("If", &["c"], &["y"]).put(5, branch("then_branch", &[inner], "y"));
        if inner.0.len() > 100_000 {
            break;
        }
    }
    let error = import(network(&[inner]), Some(true)).unwrap_err();
    assert!(error.to_string().contains("more than 16 graphs"), "{error}");
}
