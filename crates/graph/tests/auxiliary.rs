//! Auxiliary heads: what training, inference, the dead-code pass, the verifier and the summary make of them.

use geometry::ConvDesc;
use graph::passes::{TrainingOptions, inference, remove_dead, training};
use graph::{Graph, GraphError, NetworkBuilder, Op, ValueId, summary};

/// Two convolutions with norms; the head, with a norm of its own, reads what the first makes.
fn two_heads() -> Graph {
    let mut network = NetworkBuilder::new("two heads", [2, 3, 8, 8]);
    let x = network.input();
    let x = unit(&mut network, "early", x, 4);
    let y = unit(&mut network, "aux", x, 6);
    let logits = classifier(&mut network, "aux.fc", y, 10);
    network.auxiliary(logits, 0.3);
    let x = unit(&mut network, "late", x, 5);
    let logits = classifier(&mut network, "fc", x, 10);
    network.finish(logits).unwrap()
}

fn unit(network: &mut NetworkBuilder, name: &str, x: ValueId, channels: usize) -> ValueId {
    let conv = format!("{name}.conv");
    let y = network
        .conv(&conv, x, ConvDesc::new(channels, 3).padding(1), false)
        .unwrap();
    let y = network.batch_norm(&format!("{name}.bn"), y).unwrap();
    network.relu(y).unwrap()
}

fn classifier(network: &mut NetworkBuilder, name: &str, x: ValueId, classes: usize) -> ValueId {
    let x = network.global_average_pool(x).unwrap();
    let x = network.flatten(x).unwrap();
    network.linear(name, x, classes).unwrap()
}

fn given_names(graph: &Graph) -> Vec<&str> {
    let given = graph.parameters().chain(graph.states());
    given.map(|(_, value)| value.name.as_str()).collect()
}

fn count(graph: &Graph, is_kind: impl Fn(&Op) -> bool) -> usize {
    graph.nodes.iter().filter(|node| is_kind(&node.op)).count()
}

#[test]
fn a_training_step_adds_the_loss_of_the_head() {
    let network = two_heads();
    let step = training(
        &network,
        TrainingOptions {
            label_smoothing: 0.1,
            ..TrainingOptions::default()
        },
    )
    .unwrap();
    // The loss and the logits of the network; the head's are neither output nor listed any more.
    assert_eq!(step.outputs.len(), 2);
    assert_eq!(step.value(step.outputs[0]).shape, [0; 0]);
    assert_eq!(step.value(step.outputs[1]).name, "fc");
    assert!(step.auxiliary.is_empty());
    let smoothed = |op: &Op| {
        *op == Op::CrossEntropy {
            label_smoothing: 0.1,
        }
    };
    assert_eq!(count(&step, smoothed), 2);
    let weight = |op: &Op| matches!(op, Op::Fill { value, .. } if *value == 0.3);
    assert_eq!(count(&step, weight), 1);
    // Gradients reach every parameter of head and body, and every statistic moves.
    assert_eq!(step.gradients.len(), network.parameters().count());
    assert_eq!(step.updates.len(), network.states().count());
    // Where the head branches off, its gradient is added to that of the body.
    let sums = step.nodes.iter().filter(|node| node.op == Op::Add);
    let sums: Vec<_> = sums
        .map(|node| &*step.value(node.outputs[0]).name)
        .collect();
    assert_eq!(sums.len(), 2, "{sums:?}");
    assert!(
        sums.contains(&"early.bn.grad") || sums.contains(&"relu.grad"),
        "{sums:?}"
    );
}

#[test]
fn a_network_that_predicts_is_without_the_head_but_keeps_its_weights() {
    let network = two_heads();
    let run = inference(&network).unwrap();
    assert!(run.auxiliary.is_empty());
    assert!(run.nodes.iter().all(|node| !node.layer.starts_with("aux")));
    assert_eq!(given_names(&run), given_names(&network));
    // The body is fused as if the head had never been.
    let mut bare = network.clone();
    bare.auxiliary.clear();
    let bare = inference(&bare).unwrap();
    let ops = |graph: &Graph| -> Vec<_> {
        let nodes = graph.nodes.iter();
        nodes
            .map(|node| (node.layer.clone(), node.op.clone()))
            .collect()
    };
    assert_eq!(ops(&run), ops(&bare));
    assert_eq!(inference(&run).unwrap(), run);
}

#[test]
fn the_dead_code_pass_takes_a_head_for_alive() {
    let network = two_heads();
    assert_eq!(remove_dead(&network), network);
    let mut dead = network.clone();
    dead.auxiliary.clear();
    assert!(remove_dead(&dead).nodes.len() < network.nodes.len());
}

#[test]
fn heads_that_do_not_fit_are_refused() {
    let refused = |change: &dyn Fn(&mut Graph)| {
        let mut graph = two_heads();
        change(&mut graph);
        graph.verify().unwrap_err()
    };
    let foreign = {
        let mut other = NetworkBuilder::new("large", [1, 3, 8, 8]);
        let x = other.input();
        (0..40).fold(x, |x, _| other.relu(x).unwrap())
    };
    let error = refused(&|graph| graph.auxiliary[0].0 = foreign);
    assert!(matches!(error, GraphError::UnknownValue { .. }), "{error}");
    let error = refused(&|graph| graph.auxiliary[0].0 = graph.inputs[0]);
    assert_eq!(
        error.to_string(),
        "'images' stands among the auxiliary heads, but is not computed"
    );
    let error = refused(&|graph| graph.auxiliary.push(graph.auxiliary[0]));
    assert!(matches!(error, GraphError::DuplicateName { .. }), "{error}");
    let error = refused(&|graph| graph.auxiliary[0].0 = graph.outputs[0]);
    assert!(matches!(error, GraphError::DuplicateName { .. }), "{error}");
    for weight in [-0.1, f32::NAN, f32::INFINITY] {
        let error = refused(&|graph| graph.auxiliary[0].1 = weight).to_string();
        assert!(
            error.contains("aux.fc") && error.contains("weight"),
            "{error}"
        );
    }

    let mut network = NetworkBuilder::new("other classes", [2, 3, 8, 8]);
    let x = network.input();
    let early = classifier(&mut network, "aux", x, 7);
    network.auxiliary(early, 0.3);
    let logits = classifier(&mut network, "fc", x, 10);
    assert_eq!(
        network.finish(logits).unwrap_err().to_string(),
        "auxiliary head 'aux' [2, 7] does not fit 'fc' [2, 10]"
    );
}

#[test]
fn the_summary_counts_heads_apart() {
    let table = summary(&two_heads());
    let heads: Vec<_> = table.rows.iter().filter(|row| row.auxiliary).collect();
    assert!(
        heads
            .iter()
            .all(|row| row.layer.starts_with("aux") || row.macs.is_none() || row.parameters == 0)
    );
    // 3·3·4·6 of the convolution, 2·6 of its norm, 6·10 + 10 of the classifier.
    assert_eq!(table.auxiliary_parameters, 216 + 12 + 70);
    assert_eq!(table.auxiliary_macs, 64 * 216 + 60);
    assert_eq!(
        table.parameters,
        108 + 8 + 180 + 10 + 60 + table.auxiliary_parameters
    );
    assert_eq!(table.macs, 64 * (108 + 180) + 50);
}
