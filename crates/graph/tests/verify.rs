//! The verifier catches each violation, and names it.

use geometry::ConvDesc;
use graph::passes::{TrainingOptions, training};
use graph::{ElementType, Graph, GraphError, NetworkBuilder, Op, Role, Value};

/// conv → batch norm → relu → mean → linear.
fn network() -> Graph {
    let mut network = NetworkBuilder::new("small", [2, 3, 8, 8]);
    let x = network.input();
    let x = network.conv("conv1", x, ConvDesc::new(4, 3), true).unwrap();
    let x = network.batch_norm("bn1", x).unwrap();
    let x = network.relu(x).unwrap();
    let x = network.global_average_pool(x).unwrap();
    let x = network.flatten(x).unwrap();
    let logits = network.linear("fc", x, 5).unwrap();
    network.finish(logits).unwrap()
}

fn step() -> Graph {
    training(&network(), TrainingOptions::default()).unwrap()
}

fn value(name: &str, shape: &[usize], role: Role) -> Value {
    Value {
        name: name.to_owned(),
        shape: shape.to_vec(),
        element: ElementType::Real,
        role,
    }
}

#[test]
fn whole_graphs_pass() {
    assert_eq!(network().verify(), Ok(()));
    assert_eq!(step().verify(), Ok(()));
    assert_eq!(Graph::default().verify(), Ok(()));
}

#[test]
fn nodes_out_of_order() {
    let mut graph = network();
    graph.nodes.swap(0, 1);
    assert_eq!(
        graph.verify(),
        Err(GraphError::ReadBeforeMade {
            layer: "bn1".to_owned(),
            value: "conv1".to_owned()
        })
    );
}

#[test]
fn a_value_made_twice() {
    let mut graph = network();
    let again = graph.nodes[0].clone();
    graph.nodes.push(again);
    let error = graph.verify().unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer conv1 makes 'conv1', which is made by another layer"
    );
    let mut graph = network();
    graph.nodes[0].outputs = graph.inputs.clone();
    assert!(matches!(
        graph.verify(),
        Err(GraphError::MadeTwice {
            already: "an input",
            ..
        })
    ));
}

#[test]
fn a_value_not_made() {
    let mut graph = network();
    graph.add_value(value("nowhere", &[1], Role::Computed));
    assert_eq!(
        graph.verify(),
        Err(GraphError::NotMade {
            value: "nowhere".to_owned()
        })
    );
    let mut graph = network();
    graph.inputs.clear();
    assert!(matches!(graph.verify(), Err(GraphError::NotMade { value }) if value == "images"));
}

#[test]
fn a_value_of_another_graph() {
    let foreign = step().outputs[0];
    let mut graph = network();
    graph.nodes[0].inputs[0] = foreign;
    assert!(matches!(
        graph.verify(),
        Err(GraphError::UnknownValue { what, .. }) if what == "layer conv1"
    ));
    let mut graph = network();
    graph.outputs = vec![foreign];
    assert!(matches!(
        graph.verify(),
        Err(GraphError::UnknownValue { .. })
    ));
}

#[test]
fn a_wrong_shape() {
    let mut graph = network();
    let wrong = graph.add_value(value("conv1", &[2, 4, 7, 7], Role::Computed));
    graph.nodes[0].outputs = vec![wrong];
    assert_eq!(
        graph.verify().unwrap_err().to_string(),
        "layer conv1: 'conv1' is [2, 4, 7, 7] of Real, but conv gives [2, 4, 6, 6] of Real"
    );
}

#[test]
fn inputs_that_do_not_fit_name_the_layer_and_both_shapes() {
    let mut graph = network();
    graph.nodes[0].inputs.swap(1, 2);
    assert_eq!(
        graph.verify().unwrap_err().to_string(),
        "layer conv1: conv weight [4] does not fit x [2, 3, 8, 8]: it must be [4, 3, 3, 3]"
    );
}

#[test]
fn missing_and_superfluous_inputs_and_outputs() {
    let mut graph = network();
    graph.nodes[0].inputs.pop();
    let error = graph.verify().unwrap_err().to_string();
    assert!(
        error.contains("layer conv1: conv has no input 'bias'"),
        "{error}"
    );
    let mut graph = network();
    let outputs = graph.nodes[0].outputs.clone();
    graph.nodes[1].outputs.extend(outputs);
    assert!(matches!(
        graph.verify(),
        Err(GraphError::OutputCount {
            expected: 1,
            given: 2,
            ..
        })
    ));
}

#[test]
fn names_that_stand_for_two_things() {
    let mut graph = network();
    graph.add_value(value("bn1.running_var", &[4], Role::State { init: 1.0 }));
    assert!(matches!(
        graph.verify(),
        Err(GraphError::DuplicateName { name }) if name == "bn1.running_var"
    ));
    let mut graph = network();
    graph.inputs.push(graph.inputs[0]);
    assert!(matches!(
        graph.verify(),
        Err(GraphError::DuplicateName { .. })
    ));
}

#[test]
fn roles_that_do_not_fit_the_list() {
    let mut graph = network();
    graph.inputs.push(graph.outputs[0]);
    assert!(matches!(
        graph.verify(),
        Err(GraphError::WrongRole { list: "inputs", .. })
    ));
    let mut graph = step();
    graph.gradients[0].0 = graph.updates[0].0;
    assert!(matches!(
        graph.verify(),
        Err(GraphError::WrongRole {
            list: "gradients",
            ..
        })
    ));
    let mut graph = step();
    graph.updates[0].0 = graph.gradients[0].0;
    assert!(matches!(
        graph.verify(),
        Err(GraphError::WrongRole {
            list: "updates",
            ..
        })
    ));
    let mut graph = step();
    graph.gradients[0].1 = graph.gradients[0].0;
    assert!(matches!(
        graph.verify(),
        Err(GraphError::WrongRole {
            expected: "computed",
            ..
        })
    ));
    let mut graph = network();
    let role = Role::State { init: 0.0 };
    graph.add_value(Value {
        element: ElementType::Index,
        ..value("counter", &[1], role)
    });
    assert!(matches!(graph.verify(), Err(GraphError::WrongRole { .. })));
}

#[test]
fn gradients_and_updates_of_another_shape() {
    let mut graph = step();
    graph.gradients[0].1 = graph.gradients[1].1;
    assert_eq!(
        graph.verify().unwrap_err().to_string(),
        "gradient 'conv1.bias.grad' [4] does not fit 'conv1.weight' [4, 3, 3, 3]"
    );
    let mut graph = step();
    graph.updates[0].1 = graph.outputs[1];
    assert!(matches!(
        graph.verify(),
        Err(GraphError::Pair { what: "update", .. })
    ));
    let mut graph = step();
    graph.updates.push(graph.updates[0]);
    assert!(matches!(
        graph.verify(),
        Err(GraphError::DuplicateName { .. })
    ));
}

#[test]
fn sizes_that_cannot_be_addressed() {
    let huge = NetworkBuilder::new("huge", [usize::MAX, 3, 8, 8]);
    let images = huge.input();
    let error = huge.finish(images).unwrap_err();
    assert!(matches!(error, GraphError::TooLarge { value, .. } if value == "images"));
}

#[test]
fn appending_checks_as_the_verifier_does() {
    let mut graph = network();
    let [images, logits] = [graph.inputs[0], graph.outputs[0]];
    let error = graph
        .append(Op::Add, "sum", vec![images, logits])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer sum: add b [2, 5] does not fit a [2, 3, 8, 8]: it must be [2, 3, 8, 8]"
    );
    assert_eq!(graph, network());
}
