//! Removal of what nobody reads.

use crate::{Graph, Node, Role, ValueId};

/// The graph without the nodes from which no output, auxiliary logits, gradient or update can be
/// reached, and without the values that are then neither made nor read. Inputs stay: a run is given
/// all of them. The values that stay keep their order and are numbered anew.
pub fn remove_dead(graph: &Graph) -> Graph {
    sweep(graph, |role| role == Role::Input)
}

/// [`remove_dead`], but parameters and states stay though nobody reads them.
pub(super) fn remove_dead_nodes(graph: &Graph) -> Graph {
    sweep(graph, |role| role != Role::Computed)
}

fn sweep(graph: &Graph, stays: impl Fn(Role) -> bool) -> Graph {
    let needed = graph.needed_for(graph.leaving()).into_iter();
    let needed = graph.nodes.iter().zip(needed).filter(|(_, needed)| *needed);
    let mut nodes: Vec<Node> = needed.map(|(node, _)| node.clone()).collect();
    let moved = graph.gradients.iter().chain(&graph.updates);
    let listed = graph.inputs.iter().copied().chain(graph.leaving());
    let listed = listed.chain(moved.map(|&(old, _)| old));
    let used = nodes
        .iter()
        .flat_map(|node| node.inputs.iter().chain(&node.outputs));
    let mut live = vec![false; graph.values().len()];
    for id in listed.chain(used.copied()) {
        live[id.index()] = true;
    }

    let mut result = Graph {
        name: graph.name.clone(),
        ..Graph::default()
    };
    let mut renumbered = vec![None; live.len()];
    for (id, value) in graph.iter_values() {
        if live[id.index()] || stays(value.role) {
            renumbered[id.index()] = Some(result.add_value(value.clone()));
        }
    }
    // Everything listed below was marked above.
    let new = |id: &ValueId| renumbered[id.index()].unwrap_or(*id);
    let pairs = |pairs: &[(ValueId, ValueId)]| {
        let pairs = pairs.iter();
        pairs.map(|(old, next)| (new(old), new(next))).collect()
    };
    for node in &mut nodes {
        for id in node.inputs.iter_mut().chain(&mut node.outputs) {
            *id = new(id);
        }
    }
    result.nodes = nodes;
    result.inputs = graph.inputs.iter().map(new).collect();
    result.outputs = graph.outputs.iter().map(new).collect();
    let heads = graph.auxiliary.iter();
    result.auxiliary = heads
        .map(|(logits, weight)| (new(logits), *weight))
        .collect();
    result.gradients = pairs(&graph.gradients);
    result.updates = pairs(&graph.updates);
    // The order stays, and what went is made of nothing.
    let stored = graph.stored.iter();
    let stored = stored.filter_map(|&(id, stored)| Some((renumbered[id.index()]?, stored)));
    result.stored = stored.collect();
    debug_assert!(graph.verify().is_err() || result.verify().is_ok());
    result
}
